"""What a conversation is called that nobody has given a title: by what the user said first, or the model. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sessions_app.live.transcript import Role

TITLE_LIMIT_CHARACTERS = 200
UNTITLED = "Conversation"
"""In which nobody said anything."""

_WORDS = 8


class Said(Protocol):
    """A turn in which somebody said something."""

    @property
    def role(self) -> str: ...

    @property
    def text(self) -> str: ...


def first_words(said: Iterable[Said]) -> str:
    """What the user said first, or the model when the user said nothing; empty when nobody did."""
    turns = [turn for turn in said if turn.role != Role.SYSTEM and turn.text.strip()]
    return next((turn.text for turn in turns if turn.role == Role.USER), turns[0].text if turns else "")


def title_from(first_words: str) -> str:
    """At most eight words and 200 characters; empty for none."""
    words = first_words.split()
    cut = " …" if len(words) > _WORDS else ""
    return " ".join(words[:_WORDS])[: TITLE_LIMIT_CHARACTERS - len(cut)] + cut
