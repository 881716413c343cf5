"""Until when a recording is here: pure. What does it is `cleanup`, and whoever deletes conversations."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

UNUSED_FOR = datetime.timedelta(days=1)
"""One that was meant for a conversation, and is in none, stays for so long."""


class End(StrEnum):
    """What a recording goes with."""

    USER = "user"
    """Only when its user deletes it."""

    CONVERSATIONS = "conversations"
    """With the last conversation that has it, which nothing ends but its user."""

    DAYS = "days"
    """So many days after it came, or after the last word in its conversations."""

    UNUSED = "unused"
    """Soon, because no conversation has it."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Until when. `at`: when that is known; later where its conversations go on."""

    end: End
    at: datetime.datetime | None = None


def keeping(created_at: datetime.datetime, is_kept: bool, last_word_at: datetime.datetime | None, days: int) -> Keeping:
    """Until when a recording is here.

    Args:
        created_at: when it came.
        is_kept: whether it stays when its conversations go.
        last_word_at: in those that have it; None where there are none.
        days: after which conversations go, and recordings that are in none; 0 for never.
    """
    of_days = datetime.timedelta(days=days)
    if last_word_at is None and not is_kept:
        soon = created_at + UNUSED_FOR
        return Keeping(End.UNUSED, min(soon, created_at + of_days) if days else soon)
    if not days:
        return Keeping(End.USER if is_kept else End.CONVERSATIONS)
    if last_word_at is None:
        return Keeping(End.DAYS, created_at + of_days)
    return Keeping(End.DAYS, max(last_word_at, created_at) + of_days if is_kept else last_word_at + of_days)
