"""Closing what nobody closed: live sessions whose worker is gone, and calls that no page can come back to.

Only rows are changed here, each by one conditional update, so cleanups may run at any time and side by side.
"""

from __future__ import annotations

import datetime
import uuid

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from energy.levels import Mode
from sessions_app import asked_conversations, lines, process_names, services
from sessions_app.models import Conversation, Line, LiveSession, ResumptionHandle, SessionEvent, Worker

SILENT_AFTER = datetime.timedelta(hours=2)
"""A live session that goes on shows a sign of life several times an hour: its connections are replaced."""

LEFT = Conversation.PAGE_LEFT


def lost_sessions(silent_after: datetime.timedelta = SILENT_AFTER) -> list[LiveSession]:
    """Open live sessions whose worker has ended or lost its heartbeat, or that have been silent for so long."""
    silent_since = timezone.now() - silent_after
    signs = SessionEvent.objects.filter(live_session=OuterRef("pk"), at__gt=silent_since)
    held_by_lost = Line.objects.filter(live_session=OuterRef("pk"), worker__in=lines.lost_workers())
    sessions = LiveSession.objects.filter(ended_at__isnull=True).annotate(
        has_news=Exists(signs), has_lost_worker=Exists(held_by_lost)
    )
    return [
        session
        for session in sessions.select_related("conversation")
        if session.has_lost_worker
        or process_names.has_ended(session.owner, session.started_at)
        or not (
            session.has_news
            or session.started_at > silent_since
            or session.conversation.last_activity_at > silent_since
        )
    ]


@transaction.atomic
def close_session(session: LiveSession) -> bool:
    """Close a lost session as of its last sign of life; False when somebody else has closed it.

    Its conversation goes on, and so does its handle: the page may come back. What was broken off is ended, unless the
    conversation goes on elsewhere already; a question of a program is said to have no answer. A worker that held it and
    wakes again finds itself fenced.
    """
    lines.fence_off(session.pk)
    last = SessionEvent.objects.filter(live_session=session).aggregate(last=Max("at"))["last"]
    last_sign = max(filter(None, (session.started_at, session.conversation.last_activity_at, last)))
    closed = LiveSession.objects.filter(pk=session.pk, ended_at=None).update(
        ended_at=last_sign, end_reason=LiveSession.OWNER_LOST
    )
    if not LiveSession.objects.filter(conversation=session.conversation, ended_at=None).exists():
        services.end_broken_off(session.conversation.turns.all())
    if closed:
        asked_conversations.end_lost(session)
    return bool(closed)


def forget_lost_workers() -> int:
    """Delete the rows of workers that are gone, and note whose heartbeats are missed for the next time; gives their
    number. To be called when their live sessions have been closed."""
    here = [worker.pk for worker in Worker.objects.all() if process_names.has_ended(worker.name, worker.started_at)]
    gone = Worker.objects.filter(pk__in=here) | lines.lost_workers()
    _, deleted = Worker.objects.filter(pk__in=list(gone.values_list("pk", flat=True))).delete()
    lines.note_missed()
    return deleted.get(Worker._meta.label, 0)


def left_calls() -> QuerySet[Conversation]:
    """Calls that go on by their status only: no live session is open, and no handle would be honoured any more.

    Within that time the page that was left may come back, and then finds its call.
    """
    honoured_since = timezone.now() - datetime.timedelta(hours=settings.HANDLE_VALID_HOURS)
    sessions = LiveSession.objects.filter(conversation=OuterRef("pk"))
    held = sessions.filter(ended_at__isnull=True) | sessions.filter(ended_at__gt=honoured_since)
    return Conversation.objects.filter(
        ~Exists(held), mode=Mode.CALL, status=Conversation.Status.ACTIVE, last_activity_at__lte=honoured_since
    )


@transaction.atomic
def end_call(conversation_id: uuid.UUID) -> bool:
    """End a call that was left, as of its last word; False when somebody else has ended it."""
    call = left_calls().filter(pk=conversation_id).first()
    if call is None:
        return False
    ended = Conversation.objects.filter(pk=call.pk, status=Conversation.Status.ACTIVE).update(
        status=Conversation.Status.ENDED, ended_at=call.last_activity_at, end_reason=LEFT
    )
    ResumptionHandle.objects.filter(live_session__conversation=call).delete()
    return bool(ended)


def clear_ended_sessions() -> None:
    """Delete the sessions of browsers that have expired."""
    SessionStore.clear_expired()
