"""What is said about a change of level: which text, and what stands in it. Pure but for the file of the texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import pgettext_lazy

from energy.days import time_in_words
from energy.levels import LevelChange, Mode, Reason, Word
from energy.marking import gettext_noop

FILE = Path(__file__).with_name("notices.json")
FALLBACK_PERSONA = "default"
PLACEHOLDERS = ("word", "model", "resets_at")
NO_MODEL = gettext_noop("no model")


class Occasion(StrEnum):
    """What has happened to the level.

    `lower`: quota took it down to a level that still has a model; `exhausted`: to the one that has none. `replaced`: it
    went down because a model cannot be used, which is nobody's quota. `in_turns`: it came to a level that needs no Live
    connection. `restored`: it went up to another.
    """

    LOWER = "lower"
    EXHAUSTED = "exhausted"
    REPLACED = "replaced"
    IN_TURNS = "in_turns"
    RESTORED = "restored"


Key = tuple[Mode, int, Occasion]
Texts = Mapping[Key, str]


def occasion_of(change: LevelChange) -> Occasion:
    if change.level.is_in_turns:
        return Occasion.IN_TURNS
    if change.level.number > change.previous.number:
        return Occasion.RESTORED
    if change.reason is Reason.MANUAL:
        return Occasion.REPLACED
    return Occasion.EXHAUSTED if change.level.is_exhausted else Occasion.LOWER


_NOTICE_LEVELS: Mapping[Mode, Mapping[Word, int]] = {
    Mode.CALL: {Word.FULL: 3, Word.REDUCED: 2, Word.LOW: 1, Word.TURNS: 1, Word.EXHAUSTED: 0},
    Mode.TEXT: {Word.FULL: 2, Word.REDUCED: 1, Word.LOW: 1, Word.TURNS: 1, Word.EXHAUSTED: 0},
}
"""Notices are those of ladders of three and of two; on any other a level has the notice of the one with its word."""


def key_of(change: LevelChange) -> Key:
    """Which notice a change calls for."""
    return change.mode, _NOTICE_LEVELS[change.mode][Word(change.level.word)], occasion_of(change)


LEVEL_WORDS = {
    Word.EXHAUSTED: pgettext_lazy("energy", "exhausted"),
    Word.TURNS: pgettext_lazy("energy", "in turns"),
    Word.LOW: pgettext_lazy("energy", "low"),
    Word.REDUCED: pgettext_lazy("energy", "reduced"),
    Word.FULL: pgettext_lazy("energy", "full"),
}
"""What levels are called where a reader's language is known."""


@cache
def delivered_personas() -> Mapping[str, tuple[str, Texts]]:
    """The personas that come with Holdline by slug: name and texts."""
    return {
        slug: (persona["name"], dict(_texts_of(persona["notices"])))
        for slug, persona in json.loads(FILE.read_text(encoding="utf-8")).items()
    }


def delivered_text(persona: str, key: Key) -> str:
    """The text of the file; of a persona that is not in it, or has none for this, that of the fallback.

    Raises KeyError where the fallback has none either.
    """
    personas = delivered_personas()
    for slug in (persona, FALLBACK_PERSONA):
        text = personas[slug][1].get(key) if slug in personas else None
        if text is not None:
            return text
    raise KeyError(key)


def fill(text: str, change: LevelChange, zone: str) -> str:
    """A notice with its placeholders filled; times are those of `zone`."""
    return text.format_map(
        {
            "word": change.level.word,
            "model": change.level.model or NO_MODEL,
            "resets_at": time_in_words(change.resets_at, change.at, zone),
        }
    )


def check_placeholders(text: str) -> None:
    """Raises `ValidationError` for braces that hold anything but the name of a placeholder."""
    allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    except ValueError:
        raise ValidationError(f"A brace is left open. Placeholders are {allowed}.") from None
    for name, spec, conversion in fields:
        if name not in PLACEHOLDERS or spec or conversion:
            raise ValidationError(f"{{{name}}} means nothing here. Placeholders are {allowed}.")


def _texts_of(notices: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[tuple[Key, str]]:
    return [
        ((Mode(mode), int(level), Occasion(occasion)), text)
        for mode, occasions in notices.items()
        for occasion, levels in occasions.items()
        for level, text in levels.items()
    ]
