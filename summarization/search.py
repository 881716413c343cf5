"""Finding conversations by their words, alike on both kinds of database.

An index of pieces says where the words may be; then they are looked for in the folded texts. Only as many are looked
for as are shown, newest first: of words that are everywhere nobody reads all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.fields import ArrayField
from django.db import connection, transaction
from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from summarization.models import CallHistory, SearchEntry
from summarization.search_entries import owner_piece
from summarization.search_words import pieces_of_word

MOST_FOUND = 500
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Keys:
    """Of the entries of the history in which every word occurs: those first whose title has them, then those whose
    title and summary have them, then the others; the newest first among equals.

    `is_cut`: there are more, older than these.
    """

    keys: tuple[int, ...]
    is_cut: bool


def find(histories: QuerySet[CallHistory], user_id: int, words: tuple[str, ...]) -> Keys:
    """Those of `histories`, which come newest first, that are of a user and have all the folded words."""
    with _by_the_index():
        may_have = list(with_pieces(histories, user_id, words).values_list("pk", flat=True))
    found: list[tuple[int, int]] = []
    for first in range(0, len(may_have), _AT_ONCE):
        ranks = _ranks(may_have[first : first + _AT_ONCE], words)
        found += [(ranks[key], key) for key in may_have[first : first + _AT_ONCE] if key in ranks]
        if len(found) > MOST_FOUND:
            break
    best = sorted(found[:MOST_FOUND], key=lambda ranked: -ranked[0])
    return Keys(tuple(key for _, key in best), len(found) > MOST_FOUND)


def with_pieces(histories: QuerySet[CallHistory], user_id: int, words: Iterable[str]) -> QuerySet[CallHistory]:
    """Those that are of a user and may have the words, by the index."""
    pieces = [owner_piece(user_id), *dict.fromkeys(piece for word in words for piece in pieces_of_word(word))]
    if connection.vendor == "postgresql":
        # As the index `search_entry_pieces` has it.
        array = Func(
            F("pieces"),
            template="string_to_array(%(expressions)s, ' ') COLLATE \"C\"",
            output_field=ArrayField(TextField()),
        )
        entries = SearchEntry.objects.alias(array=array).filter(array__contains=pieces)  # type: ignore[misc]  # no text
        return histories.filter(pk__in=entries.values("pk"))
    rows = RawSQL(
        "SELECT rowid FROM summarization_searchpieces WHERE summarization_searchpieces MATCH %s",
        [" AND ".join(f'"{piece}"' for piece in pieces)],
    )
    return histories.filter(pk__in=rows)


@contextmanager
def _by_the_index() -> Iterator[None]:
    """Where words are in most texts PostgreSQL would read all of them, for it does not know what it costs to take the
    pieces of each apart: ten times as much as to ask the index for them."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = on")


def _ranks(keys: list[int], words: Iterable[str]) -> dict[int, int]:
    """Of those of the entries that have every word: 2 for all in the title, 1 for all in title and summary, else 0."""
    titled, summed_up, said = (
        reduce(and_, (_has(word, *fields) for word in words))
        for fields in (("title",), ("title", "summary"), ("title", "summary", "said"))
    )
    rank = Case(When(titled, then=2), When(summed_up, then=1), default=0, output_field=IntegerField())
    return dict(SearchEntry.objects.filter(said, pk__in=keys).values_list("pk", rank))


def _has(word: str, *fields: str) -> Q:
    return reduce(or_, (Q(GreaterThan(StrIndex(field, Value(word)), 0)) for field in fields))
