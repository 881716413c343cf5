"""Finding conversations by their words: by the full-text index on PostgreSQL, by comparing texts elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_

from django.db import connection
from django.db.models import BooleanField, F, FloatField, Func, Q, QuerySet, TextField, Value

from summarization.models import CallHistory

MOST_WORDS = 10
MOST_RANKED = 500
"""Words that occur in more conversations than this tell little of each, and weighing them would take long."""

PASSAGE_CHARACTERS = 220
_BEFORE_CHARACTERS = 60

_HAS_LETTER = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a passage; `is_hit`: it is what was searched for."""

    text: str
    is_hit: bool = False


def words_of(text: str) -> tuple[str, ...]:
    """What to search for: every word must occur. Signs without a letter or digit are no words."""
    return tuple(word for word in text.replace("\x00", " ").split() if _HAS_LETTER.search(word))[:MOST_WORDS]


def matching(histories: QuerySet[CallHistory], words: Iterable[str]) -> QuerySet[CallHistory]:
    """Those in which every word occurs: on PostgreSQL at the beginning of a word, elsewhere anywhere."""
    if connection.vendor == "postgresql":
        return histories.filter(_Matches(_Vector(F("search_text")), _query(words)))
    return histories.filter(all_words("search_text", words))


def best_first(histories: QuerySet[CallHistory], words: Iterable[str], *, count: int) -> QuerySet[CallHistory]:
    """The same, those first whose title or summary has the words; then the newest. `count`: how many there are."""
    if connection.vendor != "postgresql" or count > MOST_RANKED:
        return histories
    parts = _Joined(_Weighted(F("title"), weight="A"), _Weighted(F("summary"), weight="B"))
    rank = Func(parts, _query(words), function="ts_rank", output_field=FloatField())
    return histories.annotate(rank=rank).order_by("-rank", *histories.query.order_by)


def all_words(field: str, words: Iterable[str]) -> Q:
    """Every word occurs in the field, whatever its case."""
    return reduce(and_, (Q(**{f"{field}__icontains": word}) for word in words))


def passage(text: str, words: Iterable[str]) -> tuple[Piece, ...]:
    """Some of the text around the first hit, in pieces; the beginning of the text when there is none."""
    hits = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    text = " ".join(text.split())
    first = hits.search(text)
    start = _word_start(text, max(0, first.start() - _BEFORE_CHARACTERS)) if first else 0
    cut = text[start : start + PASSAGE_CHARACTERS]
    pieces = list(_pieces(cut, hits))
    if start:
        pieces.insert(0, Piece("… "))
    if start + PASSAGE_CHARACTERS < len(text):
        pieces.append(Piece(" …"))
    return tuple(pieces)


def _pieces(text: str, hits: re.Pattern[str]) -> Iterable[Piece]:
    done = 0
    for hit in hits.finditer(text):
        if hit.start() > done:
            yield Piece(text[done : hit.start()])
        yield Piece(hit[0], is_hit=True)
        done = hit.end()
    if done < len(text):
        yield Piece(text[done:])


def _word_start(text: str, position: int) -> int:
    """The beginning of the first word at or after a position."""
    return 0 if position == 0 else text.find(" ", position) + 1


class _Vector(Func):
    """The words of a text. Of `search_text` it is the expression of the index `history_search`, word for word."""

    template = "to_tsvector('simple'::regconfig, %(expressions)s)"
    output_field = TextField()


class _Weighted(Func):
    template = "setweight(to_tsvector('simple'::regconfig, %(expressions)s), '%(weight)s')"
    output_field = TextField()


class _Query(Func):
    template = "to_tsquery('simple'::regconfig, %(expressions)s)"
    output_field = TextField()


class _Matches(Func):
    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()


class _Joined(Func):
    template = "%(expressions)s"
    arg_joiner = " || "
    output_field = TextField()


def _query(words: Iterable[str]) -> _Query:
    """Every word, each as the beginning of a longer one; quoted, so that none is read as an operator."""
    quoted = ("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words)
    return _Query(Value(" & ".join(quoted)))
