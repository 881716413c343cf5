"""The concurrency budget of the project: the rows of `queue`'s rules. Plain sync functions for all workers."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection

from django.conf import settings
from django.db import connection, transaction

from energy.levels import Mode
from energy.models import LiveSlot
from energy.queue import GONE_AFTER, Granted, Slot, Waiting, decide

QUEUE_LOCK = 0x686F6C64
"""Of PostgreSQL's advisory locks; whoever asks for a place holds it for that moment."""


@transaction.atomic
def ask(holder: uuid.UUID, user_id: int, mode: Mode, owner: str, now: datetime.datetime) -> Granted | Waiting:
    """Ask for a live session's place, again and again while it has to wait. A page that has a place keeps it.

    Args:
        holder: of the page life, see `queue.holder_of`; it has one place at most.
        owner: the worker that speaks for it from now on.
    """
    _one_at_a_time()
    LiveSlot.objects.filter(seen_at__lt=now - GONE_AFTER).exclude(holder=holder).delete()
    row, _ = LiveSlot.objects.get_or_create(
        holder=holder, defaults={"user_id": user_id, "mode": mode, "owner": owner, "asked_at": now, "seen_at": now}
    )
    answer = decide(map(_slot_of, LiveSlot.objects.all()), holder, settings.LIVE_SESSIONS_MAX)
    row.owner, row.seen_at = owner, now
    if row.granted_at is None and isinstance(answer, Granted):
        row.granted_at = now
    row.save(update_fields=["owner", "seen_at", "granted_at"])
    return answer


def seen(holders: Collection[uuid.UUID], now: datetime.datetime) -> int:
    """These are still there: one write for all of a worker's, every `SEEN_EVERY_S`. Gives how many are known.

    Fewer than were named means that some counted as gone, after the worker could not say so in time: ask anew.
    """
    return LiveSlot.objects.filter(holder__in=holders).update(seen_at=now) if holders else 0


def leave(holder: uuid.UUID, owner: str) -> None:
    """The live session ended, or the page waits no longer. A place that another worker speaks for now stays."""
    LiveSlot.objects.filter(holder=holder, owner=owner).delete()


def move(before: uuid.UUID, holder: uuid.UUID) -> None:
    """A place, or one in the queue, is another page life's from now on."""
    LiveSlot.objects.filter(holder=before).update(holder=holder)


def _slot_of(row: LiveSlot) -> Slot:
    return Slot(row.holder, row.pk, row.granted_at)


def _one_at_a_time() -> None:
    """Let no two transactions decide at once. On SQLite they cannot: each takes the one lock when it begins."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK])
