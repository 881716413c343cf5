"""What summarising needs of a provider, and how that fails.

SummarizerError
├── Unavailable   it may work later: too many requests, a fault of the provider, no answer in time
├── BadAnswer     an answer came that cannot be used: it may work later, too
└── Refused       it will not work: the key, the model, or what was said in the conversation
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sessions_app.live.providers.upstream import UsageReported
from summarization.prompts import Prompt

Spent = Callable[[str, UsageReported], None]
"""Is told what a request took, and of which model, also where nothing usable came of it."""


def pass_over(model: str, usage: UsageReported) -> None:
    """Nobody counts."""


class SummarizerError(Exception):
    """A model gave no summary. Its text is a sentence for people, without a word of the conversation."""

    may_work_later = True

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        """How long the provider asks to be left alone, when it said so."""


class Unavailable(SummarizerError):
    """The provider does not answer at present."""


class BadAnswer(SummarizerError):
    """The answer is empty, or not what was asked for."""


class Refused(SummarizerError):
    """The provider will not answer this, however often it is asked."""

    may_work_later = False


class Summarizer(Protocol):
    """Models that answer a prompt with JSON."""

    @property
    def models(self) -> Sequence[str]:
        """Their names, the one to ask first in front."""

    def ask(self, model: str, prompt: Prompt, spent: Spent = pass_over) -> str:
        """The text of the model's answer. Blocks. Raises `SummarizerError`."""
