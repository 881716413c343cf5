"""When a copy of a recording at the provider is used, made, renewed and let go: pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

INLINE_REQUEST_BYTES = 20_000_000
"""A request has to stay below it as a whole. The provider takes more by now, though not of every model:
https://ai.google.dev/gemini-api/docs/audio and /files, read on 27 November 2026."""

PROMPT_ROOM_BYTES = 1_000_000
"""For all that stands beside the sound in a request."""

INLINE_BYTES = (INLINE_REQUEST_BYTES - PROMPT_ROOM_BYTES) * 3 // 4
"""14.25 MB: what is larger than that is uploaded, for base64 makes four bytes of three."""

PROJECT_BYTES = 18_000_000_000
"""The provider keeps 20 GB of a project; beyond this the oldest unused go first."""

LITTLE_LEFT = datetime.timedelta(minutes=5)
"""A file that has no longer than this is not used any more: an answer takes its time."""

RENEW_BEFORE = datetime.timedelta(hours=2)
IN_USE_FOR = datetime.timedelta(hours=2)
"""After the last question about it."""

AGAIN_AFTER = datetime.timedelta(minutes=10)
"""What could not be processed is left alone for so long: asking again in the next second would upload it again."""


class State(StrEnum):
    """What there is of a file. `UPLOADING` also where nobody is at it at the moment."""

    UPLOADING = "uploading"
    PROCESSING = "processing"
    ACTIVE = "active"
    FAILED = "failed"
    DELETED = "deleted"


class Step(StrEnum):
    """What whoever needs a file does next."""

    USE = "use"
    WAIT = "wait"
    LOOK = "look"
    UPLOAD = "upload"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file. `changed_at`: since when it is in its state. `is_claimed`: somebody is at it."""

    state: State
    changed_at: datetime.datetime
    expires_at: datetime.datetime | None = None
    is_claimed: bool = False


def next_step(known: Known, now: datetime.datetime) -> Step:
    """For somebody who needs the file now."""
    has_expired = known.expires_at is None or known.expires_at - now <= LITTLE_LEFT
    if known.state is State.ACTIVE and not has_expired:
        return Step.USE  # also while somebody renews it
    if known.is_claimed:
        return Step.WAIT
    if known.state is State.PROCESSING and not has_expired:
        return Step.LOOK
    if known.state is State.FAILED and now - known.changed_at < AGAIN_AFTER:
        return Step.GIVE_UP
    return Step.UPLOAD


def is_due_for_renewal(
    expires_at: datetime.datetime, used_at: datetime.datetime | None, now: datetime.datetime
) -> bool:
    """Whether a file that is there has to be uploaded again, before somebody who asks about it waits for that."""
    return used_at is not None and now - used_at <= IN_USE_FOR and expires_at - now < RENEW_BEFORE


def which_go_along(sizes_bytes: Sequence[int]) -> list[bool]:
    """Which recordings of one request go along with it: the smallest, as many as fit. The others are uploaded."""
    along = [False] * len(sizes_bytes)
    room_bytes = INLINE_BYTES
    for place in sorted(range(len(sizes_bytes)), key=lambda place: sizes_bytes[place]):
        room_bytes -= sizes_bytes[place]
        along[place] = room_bytes >= 0
    return along


def who_goes(
    held: Iterable[tuple[str, int, datetime.datetime]], coming_bytes: int, limit_bytes: int = PROJECT_BYTES
) -> list[str]:
    """Which files have to go for one of `coming_bytes`, the oldest unused first.

    Args:
        held: of each file its key, its bytes, and when it was used last.
    """
    oldest_first = sorted(held, key=lambda file: file[2])
    over_bytes = sum(size for _, size, _ in oldest_first) + coming_bytes - limit_bytes
    going: list[str] = []
    for key, size_bytes, _ in oldest_first:
        if over_bytes <= 0:
            break
        going.append(key)
        over_bytes -= size_bytes
    return going
