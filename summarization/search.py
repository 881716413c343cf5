"""Finding conversations by their words: by the full-text index on PostgreSQL, by comparing texts elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import connection
from django.db.models import Q, QuerySet

from summarization.models import CallHistory

MOST_WORDS = 10
MOST_RANKED = 500
"""Words that occur in more conversations than this tell little of each, and weighing them would take long."""

PASSAGE_CHARACTERS = 220
_BEFORE_CHARACTERS = 60

_CONFIG = "simple"
"""Of PostgreSQL: letters become small, and nothing else is done to words."""

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
    if _finds_beginnings():
        return histories.alias(words=_vector("search_text")).filter(words=_query(words))
    return histories.filter(all_words("search_text", words))


def best_first(histories: QuerySet[CallHistory], words: Iterable[str], *, count: int) -> QuerySet[CallHistory]:
    """The same, those first whose title or summary has the words; then the newest. `count`: how many there are."""
    if not _finds_beginnings() or count > MOST_RANKED:
        return histories
    rank = SearchRank(_vector("title", weight="A") + _vector("summary", weight="B"), _query(words))
    return histories.annotate(rank=rank).order_by("-rank", *histories.query.order_by)


def all_words(field: str, words: Iterable[str]) -> Q:
    """Every word occurs in the field, whatever its case."""
    return reduce(and_, (Q(**{f"{field}__icontains": word}) for word in words))


def passage(text: str, words: Iterable[str]) -> tuple[Piece, ...]:
    """Some of the text around the first hit, in pieces; the beginning of the text when there is none.

    Hits are found as `matching` finds them, but not by `SearchHeadline`: PostgreSQL would parse the whole of each text
    for it, mark whole words instead of what was typed, and say of no passage whether it begins the text.
    """
    hits = re.compile("|".join(map(_hit, words)), re.IGNORECASE)
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


def _hit(word: str) -> str:
    """The pattern of a hit. What stands before it is asked afterwards: looking for the word itself is much faster."""
    before = rf"(?<![^\W_].{{{len(word)}}})" if _finds_beginnings() else ""
    return re.escape(word) + before


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


def _finds_beginnings() -> bool:
    """Whether a word is found at the beginning of words alone, by the full-text search of PostgreSQL."""
    return connection.vendor == "postgresql"


def _vector(field: str, weight: str | None = None) -> SearchVector:
    """The words of a field, whatever the language. The index `history_words` is that of `search_text`."""
    return SearchVector(field, config=_CONFIG, weight=weight)


def _query(words: Iterable[str]) -> SearchQuery:
    """Every word, each as the beginning of a longer one; quoted, so that none is read as an operator.

    Only a raw query has beginnings: https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY
    """
    quoted = ("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words)
    return SearchQuery(" & ".join(quoted), config=_CONFIG, search_type="raw")
