"""Sentences of our own that were put into transcripts and notices, in the language of whoever reads them.

They are kept in English: rows outlive the language of a page, and the next reader may have another one. What is told is
known by its sentence, so what an operator has written instead of it is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from string import Formatter

from django.utils.functional import lazy
from django.utils.translation import gettext

from energy import fair_use
from energy.days import UNKNOWN_TIME
from energy.levels import Word
from energy.notices import LEVEL_WORDS, NO_MODEL, delivered_personas
from sessions_app import services
from sessions_app.live import explanations
from sessions_app.live.providers.questions import answering, connection
from sessions_app.numbers import in_digits
from sessions_app.recordings import refusals, shelf

_MOMENT = rf"{UNKNOWN_TIME}|(?:[A-Z][a-z]+day )?\d\d:\d\d \S+?"


def in_words(text: str) -> str:
    """A sentence as it is kept, in the language that counts now."""
    if text in _sentences():
        return gettext(text)
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text):
            values = {name: _FIELDS[name][1](value) for name, value in found.groupdict().items()}
            return gettext(template).format_map(values)
    return text


in_words_lazily = lazy(in_words, str)
"""The same, in the language that counts where it is told."""


def _moment_in_words(kept: str) -> str:
    """A moment stays as it is: the page, which is told it beside the text, puts its reader's clock in its place."""
    return gettext(kept) if kept == UNKNOWN_TIME else kept


def _number_in_words(kept: str) -> str:
    return in_digits(int(kept.replace(",", "")))


_FIELDS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "word": ("|".join(Word), lambda kept: str(LEVEL_WORDS[Word(kept)])),
    "model": (rf"{NO_MODEL}|\S+?", gettext),
    "resets_at": (_MOMENT, _moment_in_words),
    "when": (_MOMENT, _moment_in_words),
    "allowed": (r"[\d,]+", _number_in_words),
    "limit": (r"\d+", _number_in_words),
    "length": (r"[\d:]+", str),
    "declared": (r"[\d:]+", str),
    "name": (r".+", str),
    "reason": (r".+", gettext),
}
"""What stands in the place of a name, and how it is told."""


def _kept() -> Iterator[str]:
    yield from explanations.SENTENCES
    yield from (services.GOES_ON_TEXT, services.BEGINS_ANEW_TEXT)
    yield from (connection.NOBODY_LISTENS, connection.TOO_MANY_WAIT, connection.STOPPED, answering.TOO_LARGE_THERE)
    yield from (shelf.NOT_GIVEN, shelf.NOT_READ)
    yield from refusals.SENTENCES
    yield from fair_use.SENTENCES.values()
    for _, texts in delivered_personas().values():
        yield from texts.values()


@cache
def _sentences() -> frozenset[str]:
    return frozenset(sentence for sentence in _kept() if not _names_in(sentence))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(_pattern_of(template), re.DOTALL), template) for template in _kept() if _names_in(template)
    )


def _names_in(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def _pattern_of(template: str) -> str:
    """A name stands twice in no template that comes with Holdline."""
    parts = (
        re.escape(literal) + (f"(?P<{name}>{_FIELDS[name][0]})" if name else "")
        for literal, name, _, _ in Formatter().parse(template)
    )
    return "".join(parts)
