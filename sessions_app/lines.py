"""Who holds the line of a user in a mode: workers and their heartbeats, and the numbers that fence others off.

A worker says once a second that it lives, by the clock of the database, for those of machines differ. It holds a line
by the number it was given when it took it. Whoever takes the line next gets a higher one; what the former holder still
writes is refused from that moment on, in the same transaction that would have written it. So a worker that was
suspended, cut off or merely slow does no harm when it wakes, and nobody has to be sure that it is dead.

The rows are the truth. What goes through the channel layer only makes it quick.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from energy.levels import Mode
from sessions_app.models import Line, LiveSession, Worker
from sessions_app.process_names import own_name

BEAT_EVERY_S = 1.0
DEAD_AFTER = datetime.timedelta(seconds=3)
"""A worker that was not seen for so long is not asked for what it holds."""

LOST_AFTER = datetime.timedelta(seconds=30)
"""Cleanups give up what a worker holds when they have missed its heartbeat for so long, twice: after an outage of the
database all heartbeats are old, and none of the workers is dead."""

Result = TypeVar("Result")


class Fenced(Exception):
    """Somebody else holds the line now. `page_id`: the page life it was taken for, None where it is nobody's."""

    def __init__(self, page_id: uuid.UUID | None) -> None:
        super().__init__("the line is held elsewhere")
        self.page_id = page_id


@dataclass(frozen=True, slots=True)
class Owner:
    """A worker as it names itself: anew at each start."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    name: str = field(default_factory=own_name)


@dataclass(frozen=True, slots=True)
class Hold:
    """A line and the number it is held by."""

    line: int
    fence: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page life waits elsewhere for a line that is held. `hands_on`: to go on with the same conversation."""

    hold: Hold
    page_id: uuid.UUID
    hands_on: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A line that was held is not any more. `page_id`: the page life it was taken for, None where it is nobody's."""

    hold: Hold
    page_id: uuid.UUID | None


News = Wanted | Taken


@transaction.atomic
def beat(owner: Owner, holds: Collection[Hold]) -> list[News]:
    """Say that the worker lives, and look what became of the lines that it holds: one write and one query for all."""
    if not Worker.objects.filter(pk=owner.id).update(seen_at=Now()):
        _enter(owner)
    if not holds:
        return []
    rows = {line.pk: line for line in Line.objects.filter(pk__in=[hold.line for hold in holds])}
    news: list[News] = []
    for hold in holds:
        line = rows.get(hold.line)
        if line is None:
            continue  # it has gone with its user, whose pages are closed for that
        if line.fence != hold.fence:
            news.append(Taken(hold, line.page_id))
        elif line.wanted_by is not None:
            news.append(Wanted(hold, line.wanted_by, line.hands_on))
    return news


def take(user: User, mode: Mode, page_id: uuid.UUID, owner: Owner) -> Hold:
    """Take the line, whoever holds it. To be called within a transaction, before anything of the conversation is read:
    what the former holder writes is either there by then, or refused.

    The live session of a former holder that has not let go is ended: its connection may still stand.
    """
    Line.objects.get_or_create(user=user, mode=mode)
    line = Line.objects.select_for_update().get(user=user, mode=mode)
    if line.live_session_id is not None:
        LiveSession.objects.filter(pk=line.live_session_id, ended_at=None).update(
            ended_at=timezone.now(), end_reason=LiveSession.OWNER_LOST
        )
    _enter(owner)
    line.fence += 1
    line.worker_id, line.page_id = owner.id, page_id
    line.live_session, line.wanted_by, line.hands_on = None, None, False
    line.save()
    return Hold(line.pk, line.fence)


def note_session(hold: Hold, session_id: uuid.UUID) -> None:
    """The live session that goes over the line."""
    _held(hold).update(live_session=session_id)


@transaction.atomic(savepoint=False)
def as_holder(hold: Hold, job: Callable[[], Result]) -> Result:
    """Do something that only the holder of the line may. Raises `Fenced` when somebody else holds it, with nothing
    done; nobody else takes it meanwhile. A line goes with its user, and then the rows refuse whatever is written."""
    locked = Line.objects.select_for_update().filter(pk=hold.line)
    for fence, page_id in locked.values_list("fence", "page_id"):  # each write asks this: a row is cheaper than a model
        if fence != hold.fence:
            raise Fenced(page_id)
    return job()


def lock_all(user_id: int) -> None:
    """Within a transaction: nobody writes as the holder of a line of this user until it is over.

    Whoever deletes what holders write does this first, as holders do; with another order each would wait for the other.
    """
    list(Line.objects.select_for_update().filter(user=user_id).order_by("pk").values_list("pk", flat=True))


def is_held(hold: Hold) -> bool:
    """Whether the line is still held by this number, or has gone with its user."""
    return not Line.objects.filter(pk=hold.line).exclude(fence=hold.fence).exists()


def move(user: User, mode: Mode, before: uuid.UUID, page_id: uuid.UUID) -> None:
    """The line goes on for another page life of the same user, whoever holds it."""
    Line.objects.filter(user=user, mode=mode, page_id=before).update(page_id=page_id, wanted_by=None, hands_on=False)


def release(hold: Hold) -> None:
    """Give the line back, unless somebody else has taken it already."""
    _held(hold).update(worker=None, live_session=None, wanted_by=None, hands_on=False)


def want(user_id: int, mode: Mode, page_id: uuid.UUID, owner: Owner, hands_on: bool = False) -> bool:
    """Ask the holder to let go, for a page life that has come to another worker.

    False when nobody has to be asked: nobody holds the line, we do, or the worker that does is dead.
    """
    elsewhere = Line.objects.exclude(worker=owner.id).filter(worker__in=living_workers(), user=user_id, mode=mode)
    return bool(elsewhere.update(wanted_by=page_id, hands_on=hands_on))


def leave(owner: Owner) -> None:
    """The worker takes no sessions any more; it lives until it is gone."""
    Worker.objects.filter(pk=owner.id).update(leaving_at=timezone.now())


def retire(owner: Owner) -> None:
    """The worker has let go of everything and ends."""
    Worker.objects.filter(pk=owner.id).delete()


def living_workers() -> QuerySet[Worker]:
    """Workers whose heartbeat is heard."""
    return Worker.objects.filter(seen_at__gt=Now() - DEAD_AFTER)


def lost_workers() -> QuerySet[Worker]:
    """Workers whose heartbeat was missed by two cleanups, and not heard in between."""
    return Worker.objects.filter(missed_at__lt=Now() - LOST_AFTER, seen_at__lt=F("missed_at"))


def note_missed() -> None:
    """Note which heartbeats are missed since when."""
    missed = Q(seen_at__lt=Now() - LOST_AFTER)
    heard_since = Q(missed_at=None) | Q(missed_at__lt=F("seen_at"))
    Worker.objects.filter(missed & heard_since).update(missed_at=Now())


@transaction.atomic
def fence_off(session_id: uuid.UUID) -> None:
    """Nobody holds the line of a live session that is given up for lost."""
    Line.objects.filter(live_session=session_id).update(
        fence=F("fence") + 1, worker=None, live_session=None, page_id=None, wanted_by=None, hands_on=False
    )


def _enter(owner: Owner) -> None:
    Worker.objects.get_or_create(id=owner.id, defaults={"name": owner.name})


def _held(hold: Hold) -> QuerySet[Line]:
    return Line.objects.filter(pk=hold.line, fence=hold.fence)
