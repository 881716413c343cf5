"""Who may talk when the project allows so many live sessions at once: pure.

First come, first served. A slot that nobody has spoken for in a while belongs to a worker that died and a page that has
gone: it neither counts nor waits.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from energy.levels import Mode

SEEN_EVERY_S = 10
"""How often a worker says which of its sessions and waiting pages are still there."""

GONE_AFTER = datetime.timedelta(seconds=3 * SEEN_EVERY_S)


@dataclass(frozen=True, slots=True)
class Slot:
    """`number` orders those who asked; `granted_at` is empty while it waits."""

    holder: uuid.UUID
    number: int
    granted_at: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class Granted:
    """May talk."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`place` in the queue, 1 for the next."""

    place: int


def holder_of(user_id: int, mode: Mode, page_id: uuid.UUID) -> uuid.UUID:
    """The holder that a page life is. Pages name themselves, so one must not be able to be that of somebody else."""
    return uuid.uuid5(page_id, f"{user_id} {mode}")


def decide(slots: Iterable[Slot], holder: uuid.UUID, budget: int) -> Granted | Waiting:
    """What `holder`, which has one of the slots, may do.

    Args:
        slots: of all who are still there.
        budget: sessions at once; 0 for as many as come.
    """
    present = sorted(slots, key=lambda slot: slot.number)
    waiting = [slot for slot in present if slot.granted_at is None]
    place = _place_of(holder, waiting)
    if place is None:
        return Granted()
    talking = len(present) - len(waiting)
    if not budget or place <= budget - talking:
        return Granted()
    return Waiting(place)


def _place_of(holder: uuid.UUID, waiting: Sequence[Slot]) -> int | None:
    return next((place for place, slot in enumerate(waiting, start=1) if slot.holder == holder), None)
