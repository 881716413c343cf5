"""What is needed of a provider that answers requests, in our words. `gemini_generation.py` has it of Gemini."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from sessions_app.live.providers.turns.prompt import Prompt
from sessions_app.live.providers.upstream import UsageReported


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of what is streamed; any of these may be in one.

    `pcm`: PCM16 mono 24 kHz, cut anywhere. `finish`: why it ends here, in the provider's word; without one the stream
    was torn. `refusal`: the provider does not let this be asked, or answered, and why, in its word. `usage`: of the
    request so far.
    """

    text: str = ""
    pcm: bytes = b""
    finish: str = ""
    refusal: str = ""
    usage: UsageReported | None = None


class Conversation(Protocol):
    """One model is asked, again and again, with all that was said. What is kept of that from one request to the next,
    and how, is known here alone."""

    def answer(self, prompt: Prompt, thinking_level: str) -> AsyncGenerator[Chunk, None]:
        """Streams. Raises `UpstreamFailed`, and lets go of the request when it is closed or cancelled.

        Args:
            prompt: what is asked.
            thinking_level: how much the model is to think, empty for its own.
        """

    def spent(self) -> UsageReported | None:
        """What was taken since it was last asked for and is in no answer's usage."""

    async def close(self, timeout_s: float) -> None:
        """Nothing more is asked: let go of what is kept. It goes on behind where that takes longer."""


class Generation(Protocol):
    """Who is asked, for all conversations of a process."""

    def conversation(self, model: str) -> Conversation:
        """A new one; to be closed."""

    def speak(self, model: str, text: str, voice: str) -> AsyncGenerator[Chunk, None]:
        """Streams a text in a voice; as `Conversation.answer`."""
