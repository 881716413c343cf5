"""Rows of conversations for tests of the history, as the services would have written them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from energy.levels import Mode
from sessions_app import lines
from sessions_app.lines import Owner
from sessions_app.models import Conversation, LiveSession, SessionEvent
from sessions_app.services import own_turns_of
from sessions_app.usage import save_usage
from summarization import search_entries
from summarization.models import CallHistory
from summarization.prompts import spoken

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.get_default_timezone())


@transaction.atomic
def converse(
    user: User,
    *said: str,
    title: str = "",
    mode: str = "call",
    started_at: datetime = NOON,
    is_over: bool = True,
    is_open: bool | None = None,
    model: str = "gemini-3.8-live",
    continues: Conversation | None = None,
    events: tuple[tuple[int, str, dict[str, Any]], ...] = (),
    reports: tuple[dict[str, Any], ...] = (),
    **history: Any,
) -> Conversation:
    """A conversation of ten minutes: what user and model said in turn. Unless a page has it open, it has its entry.

    `is_open`: in a page; unless told otherwise it is when it is not over. `events`: seconds since the beginning, kind
    and data. `reports`: of usage, turn by turn. All at once: a server that runs writes the entries that it misses.
    """
    is_open = not is_over if is_open is None else is_open
    ended_at = started_at + timedelta(minutes=10)
    conversation = Conversation.objects.create(
        user=user,
        mode=mode,
        status="ended" if is_over else "active",
        started_at=started_at,
        last_activity_at=ended_at,
        ended_at=ended_at if is_over else None,
        continues=continues,
    )
    session = LiveSession.objects.create(
        conversation=conversation,
        page_id=uuid.uuid4(),
        model=model,
        owner="host:1",
        started_at=started_at,
        ended_at=None if is_open else ended_at,
    )
    for number, text in enumerate(said):
        conversation.turns.create(
            number=number,
            role="user" if number % 2 == 0 else "model",
            text=text,
            status="complete",
            at=started_at + timedelta(seconds=number),
        )
    for seconds, kind, data in events:
        SessionEvent.objects.create(
            conversation=conversation,
            live_session=session,
            kind=kind,
            data=data,
            at=started_at + timedelta(seconds=seconds),
        )
    for number, report in enumerate(reports):
        save_usage(str(conversation.pk), str(session.pk), 1, number, model, report)
    if not is_open:
        written = {"until_turn": len(said) - 1, "search_text": "\n".join([title, *said])}
        fields = {"state": "ready", "summary": "They talked.", "model": "gemini-3.8-flash"} | written | history
        entry = CallHistory.objects.create(conversation=conversation, title=title or said[0], **fields)
        search_entries.write(entry, spoken(own_turns_of(conversation)))
    return conversation


@transaction.atomic
def call_that_goes_on(user: User, model: str) -> LiveSession:
    """A call that a worker holds for a page."""
    page_id = uuid.uuid4()
    hold = lines.take(user, Mode.CALL, page_id, Owner())
    conversation = Conversation.objects.create(user=user, mode=Mode.CALL)
    session = LiveSession.objects.create(conversation=conversation, page_id=page_id, model=model, owner="host:1")
    lines.note_session(hold, session.pk)
    return session
