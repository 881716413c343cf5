"""Recordings whose name, title or summary has the words that the history is searched for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from sessions_app.recordings.pages import PAGE_SIZE
from sessions_app.recordings.service import recordings_of
from summarization.folding import fold
from summarization.passages import Piece, has_hit, marked, passage
from summarization.search_words import occurs

MOST_LOOKED_AT = 1_000
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A recording. `page`: of the list of files on which it stands; `excerpt`: of its title or summary."""

    id: UUID
    name: tuple[Piece, ...]
    excerpt: tuple[Piece, ...]
    created_at: datetime
    page: int


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The newest first. `more`: how many others there are."""

    shown: tuple[FoundFile, ...] = ()
    more: int = 0


def find_files(
    user: User, words: tuple[str, ...], since: datetime | None = None, before: datetime | None = None
) -> FoundFiles:
    """Of the newest of a user's recordings those that have all folded words, and came at some time in between."""
    columns = ("pk", "name", "created_at", "work__title", "work__summary")
    found = []
    for place, (id, name, created_at, title, summary) in enumerate(
        recordings_of(user).values_list(*columns)[:MOST_LOOKED_AT]
    ):
        is_in_time = (since is None or created_at >= since) and (before is None or created_at < before)
        if is_in_time and occurs(words, fold(f"{name} \n {title or ''} \n {summary or ''}")):
            found.append((id, name, created_at, place // PAGE_SIZE + 1, title or "", summary or ""))
    shown = tuple(
        FoundFile(id, marked(name, words), _excerpt(title, summary, words), created_at, page)
        for id, name, created_at, page, title, summary in found[:MOST_SHOWN]
    )
    return FoundFiles(shown, len(found) - len(shown))


def _excerpt(title: str, summary: str, words: tuple[str, ...]) -> tuple[Piece, ...]:
    told = summary if has_hit(summary, words) and not has_hit(title, words) else title or summary
    return passage(told, words)
