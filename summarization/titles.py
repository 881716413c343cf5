"""What a conversation is called that nobody has given a title: by what the user said first, or the model. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from django.utils.translation import pgettext

from sessions_app.live.transcript import Role

TITLE_LIMIT_CHARACTERS = 200
_WORDS = 6
_CHARACTERS = 60
_SENTENCE_END = re.compile(r"(?<=[.!?…।؟])\s+|(?<=[。！？])|\n+")
_SIGNS_WITHIN = ",;:、，；"
_GREETING_CHARACTERS = 8
"""Of a greeting in a script without blanks, where a whole sentence is one word."""


class Said(Protocol):
    """A turn in which somebody said something."""

    @property
    def role(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def withdrawn(self) -> bool: ...


def untitled() -> str:
    """What one is called in which nobody said anything."""
    return pgettext("title", "Conversation")


def first_words(said: Iterable[Said]) -> str:
    """What the user said first, or the model when the user said nothing; empty when nobody did."""
    turns = [turn for turn in said if turn.role != Role.SYSTEM and not turn.withdrawn and turn.text.strip()]
    return next((turn.text for turn in turns if turn.role == Role.USER), turns[0].text if turns else "")


def title_from(first_words: str) -> str:
    """The first sentence that says more than a greeting, or its beginning: at most six words and 60 characters;
    empty for none."""
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(first_words) if sentence.strip()]
    told = next((sentence for sentence in sentences if not _says_little(sentence)), " ".join(sentences))
    words = told.split()
    title = " ".join(words[:_WORDS])[:_CHARACTERS].rstrip()
    if len(title) == len(" ".join(words)):
        return title
    return title.rstrip(_SIGNS_WITHIN) + " …"


def _says_little(sentence: str) -> bool:
    return len(sentence.split()) <= 2 and (sentence.isascii() or len(sentence) <= _GREETING_CHARACTERS)
