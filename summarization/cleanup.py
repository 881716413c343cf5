"""What is looked after from time to time. Every cleanup may run at any time, twice, and on two machines at once."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from sessions_app import cleanup, kept_sound
from sessions_app.auth_tokens import service as tokens
from sessions_app.live.transcript import Role
from sessions_app.models import Conversation, RecordingWork, Turn, UserSettings
from sessions_app.recordings import cleanup as recordings
from summarization import claims, rolling, services
from summarization import recordings as recording_works
from summarization.models import CallHistory, RollingSummary

BATCH = 200
"""Conversations deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class CleanedUp:
    """How many there were: live sessions closed, calls ended, entries made in the history."""

    sessions: int = 0
    calls: int = 0
    histories: int = 0

    def __bool__(self) -> bool:
        return bool(self.sessions or self.calls or self.histories)

    def __str__(self) -> str:
        return f"{self.sessions} live sessions closed, {self.calls} calls ended, {self.histories} conversations entered"


def close_stale_sessions(silent_after: datetime.timedelta = cleanup.SILENT_AFTER, dry_run: bool = False) -> CleanedUp:
    """Close live sessions that nobody holds, end calls that nobody can come back to, and enter both in the history."""
    lost = cleanup.lost_sessions(silent_after)
    if dry_run:
        abandoned = {session.conversation_id for session in lost}
        waiting = _unentered(also=abandoned)
        return CleanedUp(len(lost), cleanup.left_calls().count(), waiting.count())
    sessions = sum(cleanup.close_session(session) for session in lost)
    cleanup.forget_lost_workers()
    kept_sound.prune()
    tokens.prune()
    calls = sum(cleanup.end_call(id) for id in cleanup.left_calls().values_list("pk", flat=True))
    unentered = list(_unentered().values_list("pk", flat=True))
    for conversation_id in unentered:
        services.write_call_history(conversation_id)
    return CleanedUp(sessions, calls, len(unentered))


def take_back_lost() -> int:
    """Free what dead workers had in hand, for others to take; give up what has cost too many. Gives their number."""
    lost = sum(map(claims.take_back_lost, (CallHistory, RollingSummary, RecordingWork)))
    if lost:
        recording_works.give_up_deadly()
        services.give_up_deadly()
        rolling.give_up_deadly()
    return lost


def prune_history(days: int, dry_run: bool = False) -> int:
    """Delete the conversations that nobody has said a word in for so many days; gives their number. 0 keeps all."""
    return _prune(Conversation.objects.all(), days, dry_run) if days else 0


def prune_as_wished(dry_run: bool = False) -> int:
    """The same for the users who want it sooner than the operator; gives the number."""
    return sum(
        _prune(Conversation.objects.filter(user__in=owners), days, dry_run) for days, owners in _owners_by_wish()
    )


def prune_recordings(days: int, dry_run: bool = False) -> int:
    """Delete the recordings that came so many days ago, or as many as their user wishes, and that no conversation has
    attached; gives their number. Those of a conversation go with it. 0 keeps those of users without a wish."""
    count = recordings.prune_older_than(days, dry_run=dry_run) if days else 0
    return count + sum(recordings.prune_older_than(wished, owners, dry_run) for wished, owners in _owners_by_wish())


def _owners_by_wish() -> Iterator[tuple[int, QuerySet[UserSettings, Any]]]:
    """Each number of days that users have chosen, with a query of the keys of these users."""
    if "history_days" in settings.USER_SETTINGS_LOCKED:
        return
    wishes = UserSettings.objects.filter(history_days__gt=0)
    for days in wishes.values_list("history_days", flat=True).distinct():
        yield days or 0, wishes.filter(history_days=days).values("user")


def _prune(whose: QuerySet[Conversation], days: int, dry_run: bool) -> int:
    said_before = timezone.now() - datetime.timedelta(days=days)
    old = services.idle_conversations().filter(pk__in=whose.values("pk"), last_activity_at__lt=said_before)
    if dry_run:
        return old.count()
    count = 0
    while (deleted := _delete_some(old)) is not None:
        count += deleted
    return count


def _unentered(also: Iterable[uuid.UUID] = ()) -> QuerySet[Conversation]:
    """Conversations, over or left (or among `also`), with words that the history does not know of."""
    unknown = Turn.objects.filter(conversation=OuterRef("pk"), number__gt=OuterRef("entered_until"))
    said = unknown.exclude(role=Role.SYSTEM).exclude(text__regex=r"^\s*$")
    idle = services.idle_conversations() | Conversation.objects.filter(pk__in=also)
    return idle.annotate(entered_until=Coalesce("history__until_turn", -1)).filter(Exists(said)).order_by()


@transaction.atomic
def _delete_some(old: QuerySet[Conversation]) -> int | None:
    """Delete a batch, leaving out what another cleanup is deleting at the moment; None when nothing is left."""
    ids = list(old.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not ids:
        return None
    _, deleted = Conversation.objects.filter(pk__in=ids).delete()
    return deleted.get(Conversation._meta.label, 0)
