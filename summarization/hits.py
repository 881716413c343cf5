"""Who said the words that were searched for, and when; and whose words the index does not know yet."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from sessions_app.live.transcript import Role, heard_part
from sessions_app.models import Conversation, LiveSession, Turn
from summarization.folding import fold
from summarization.models import CallHistory
from summarization.passages import Piece, passage
from summarization.search_entries import SAID_LIMIT_CHARACTERS
from summarization.search_words import occurs

MOST_SHOWN = 3
"""Of one conversation; the others are counted."""

MOST_UNKNOWN = 200
"""Conversations whose turns are looked through one by one, newest first: most users have two of them at most."""

_SPOKEN = (Role.USER, Role.MODEL)


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that has one of the words at least. `number` and `role`: those of the turn."""

    number: int
    role: str
    at: datetime
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """Of one conversation, in the order in which they were said. `more`: how many further turns have a word."""

    shown: tuple[Hit, ...] = ()
    more: int = 0


NO_HITS = Hits()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Conversations that are not in the index, or not as they are now, newest first: each with the key of its entry in
    the history, if it has one. `is_cut`: there are more, older ones."""

    ids: tuple[tuple[uuid.UUID, int | None], ...]
    is_cut: bool


def unknown_to_search(conversations: QuerySet[Conversation]) -> Unknown:
    """Of these conversations those that go on in a page, and those whose entry has not been folded."""
    newest = conversations.order_by("-last_activity_at").values_list("pk", "history", "last_activity_at")
    open_ones = newest.filter(pk__in=LiveSession.objects.filter(ended_at=None).values("conversation"))
    unfolded = newest.filter(history__search_entry=None)
    found = {*open_ones[: MOST_UNKNOWN + 1], *unfolded[: MOST_UNKNOWN + 1]}
    ids = [(id, history) for id, history, _ in sorted(found, key=lambda row: row[2], reverse=True)]
    return Unknown(tuple(ids[:MOST_UNKNOWN]), len(ids) > MOST_UNKNOWN)


def with_words(ids: Sequence[tuple[uuid.UUID, int | None]], words: Iterable[str]) -> list[tuple[uuid.UUID, int | None]]:
    """Those of these conversations in which every folded word occurs, in the same order."""
    words = tuple(words)
    if not ids:
        return []
    folded: dict[uuid.UUID, list[str]] = defaultdict(list)
    for entry in CallHistory.objects.filter(conversation__in=[id for id, _ in ids]).defer("search_text"):
        folded[entry.conversation_id] += map(fold, (entry.title, entry.summary, *entry.facts))
    left: dict[uuid.UUID, int] = defaultdict(lambda: SAID_LIMIT_CHARACTERS)
    for turn in _turns_of([id for id, _ in ids]):
        said = turn.said[: left[turn.conversation_id]]
        left[turn.conversation_id] -= len(said)
        folded[turn.conversation_id].append(fold(said))
    return [(id, history) for id, history in ids if occurs(words, "\n".join(folded[id]))]


def of_conversations(ids: Iterable[uuid.UUID], words: Iterable[str]) -> dict[uuid.UUID, Hits]:
    """For each conversation the turns that have the most of the folded words."""
    words = tuple(words)
    ids = list(ids)
    having: dict[uuid.UUID, list[tuple[int, _Turn]]] = defaultdict(list)
    for turn in _turns_of(ids):
        folded = fold(turn.said)
        count = sum(word in folded for word in words)
        if count:
            having[turn.conversation_id].append((count, turn))
    return {id: _hits(having[id], words) for id in ids}


def _hits(having: list[tuple[int, _Turn]], words: tuple[str, ...]) -> Hits:
    best = sorted(having, key=lambda ranked: -ranked[0])[:MOST_SHOWN]
    shown = sorted(best, key=lambda ranked: ranked[1].number)
    return Hits(
        tuple(Hit(turn.number, turn.role, turn.at, passage(turn.said, words)) for _, turn in shown),
        len(having) - len(shown),
    )


class _Turn(NamedTuple):
    """Of a turn what a hit needs: a whole row of each of a thousand takes three times as long."""

    conversation_id: uuid.UUID
    number: int
    role: str
    at: datetime
    said: str


def _turns_of(ids: list[uuid.UUID]) -> Iterator[_Turn]:
    """Of these conversations what was said and heard, in order."""
    turns = Turn.objects.filter(conversation__in=ids, role__in=_SPOKEN, withdrawn=False).order_by(
        "conversation", "number"
    )
    for id, number, role, at, text, heard in turns.values_list(
        "conversation_id", "number", "role", "at", "text", "heard"
    ).iterator():
        yield _Turn(id, number, role, at, heard_part(text, heard))
