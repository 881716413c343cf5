"""The tools that read: conversations in a list, one of them, and those in which words occur."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import cast

from django.contrib.auth.models import User

from config.mcp import shapes
from config.mcp.calls import Refused, Tell
from config.mcp.pages import pages_of
from sessions_app import throttle_rows
from sessions_app.auth_tokens.callers import Caller
from sessions_app.models import Recording
from sessions_app.recordings.service import attached_to_each
from sessions_app.services import NotYours
from sessions_app.throttle import SEARCH, Scope
from summarization import history
from summarization.history import Entry, Filters
from summarization.record import WrittenSummary
from summarization.search_words import MOST_WORDS, has_too_many_words, words_of
from summarization.titles import untitled

ENTRIES_AT_MOST = 25
"""On a page."""


def list_conversations(caller: Caller, asked: shapes.ListConversations, tell: Tell) -> shapes.Conversations:
    return _found(caller.user, Filters(mode=asked.mode or ""), asked.page)


def search_history(caller: Caller, asked: shapes.SearchHistory, tell: Tell) -> shapes.Conversations:
    """Raises `Refused`, `TooManyTries`."""
    words = words_of(asked.words)
    if not words:
        raise Refused("Search for words: signs alone cannot be found.")
    if has_too_many_words(asked.words):
        raise Refused(f"Search for {MOST_WORDS} words at most.")
    throttle_rows.take(SEARCH, {Scope.ACCOUNT: str(caller.user.pk)}, caller.user)
    return _found(caller.user, Filters(words=words), asked.page)


def read_conversation(caller: Caller, asked: shapes.ReadConversation, tell: Tell) -> shapes.Conversation:
    """Raises `Refused`."""
    try:
        record = history.read(caller.user, asked.conversation)
    except NotYours:
        raise Refused(f"You have no conversation {asked.conversation}.") from None
    pages = pages_of(record.lines)
    _refuse_beyond(asked.page, len(pages))
    written = record.summary or WrittenSummary("")
    return shapes.Conversation(
        id=record.id,
        title=record.title,
        mode=_mode(record.mode),
        started_at=record.started_at,
        until=record.until,
        is_over=record.is_over,
        summary=written.text,
        facts=list(written.facts),
        open_points=list(written.open_points),
        recordings=recordings_in(attached_to_each([record.id])[record.id]),
        turns=[
            shapes.Turn(number=line.number, role=line.role, text=line.text, at=line.at, note=line.mark)
            for line in pages[asked.page - 1]
        ],
        page=asked.page,
        pages=len(pages),
    )


def recordings_in(rows: Iterable[Recording]) -> list[shapes.Recording]:
    return [shapes.Recording(id=row.pk, name=row.name, duration_ms=row.duration_ms) for row in rows]


def _found(user: User, filters: Filters, page: int) -> shapes.Conversations:
    found = history.find(user, filters)
    pages = max(1, -(-len(found) // ENTRIES_AT_MOST))
    _refuse_beyond(page, pages)
    entries = found[(page - 1) * ENTRIES_AT_MOST : page * ENTRIES_AT_MOST]
    attached = attached_to_each([entry.id for entry in entries])
    return shapes.Conversations(
        conversations=[_entry(entry, attached) for entry in entries], page=page, pages=pages, total=len(found)
    )


def _entry(entry: Entry, attached: Mapping[uuid.UUID, list[Recording]]) -> shapes.ConversationEntry:
    return shapes.ConversationEntry(
        id=entry.id,
        title=entry.title or untitled(),
        mode=_mode(entry.mode),
        started_at=entry.started_at,
        until=entry.until,
        is_over=entry.is_over,
        excerpt="".join(piece.text for piece in entry.excerpt),
        recordings=recordings_in(attached[entry.id]),
    )


def _refuse_beyond(page: int, pages: int) -> None:
    if page > pages:
        raise Refused(f"There {'is 1 page' if pages == 1 else f'are {pages} pages'}, and no page {page}.")


def _mode(value: str) -> shapes.Mode:
    return cast(shapes.Mode, value)
