"""What a user may upload and keep, and what is said beyond that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sessions_app.recordings.words import size_words


class Reason(StrEnum):
    """Codes of refusals that users' programs can rely on."""

    SWITCHED_OFF = "switched_off"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    QUOTA_BYTES = "quota_bytes"
    QUOTA_COUNT = "quota_count"
    TOO_MANY_UPLOADS = "too_many_uploads"


class OverLimit(Exception):
    """A sentence for the user, and its code."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows: whether anything, bytes of a file, bytes and number of a user's, uploads at once."""

    is_on: bool
    file_bytes: int
    user_bytes: int
    user_count: int
    uploads_at_once: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a user has: recordings and open uploads. The bytes are those of both, the announced ones of uploads."""

    recordings: int = 0
    uploads: int = 0
    size_bytes: int = 0


def check(size_bytes: int, holdings: Holdings, limits: Limits) -> None:
    """Whether a file of this size may come. Raises `OverLimit`."""
    if not limits.is_on:
        raise OverLimit(Reason.SWITCHED_OFF, "This server takes no recordings.")
    if size_bytes <= 0:
        raise OverLimit(Reason.EMPTY, "This file is empty.")
    if size_bytes > limits.file_bytes:
        raise OverLimit(
            Reason.TOO_LARGE,
            f"This file has {size_words(size_bytes)}. This server takes up to {size_words(limits.file_bytes)} of one.",
        )
    if holdings.uploads >= limits.uploads_at_once:
        raise OverLimit(
            Reason.TOO_MANY_UPLOADS,
            f"{limits.uploads_at_once} of your files are on their way already. Wait for one, or cancel it.",
        )
    if holdings.recordings + holdings.uploads >= limits.user_count:
        raise OverLimit(
            Reason.QUOTA_COUNT, f"You have {limits.user_count} recordings, which is as many as fit. Delete some first."
        )
    if holdings.size_bytes + size_bytes > limits.user_bytes:
        left = (
            size_words(limits.user_bytes - holdings.size_bytes) if holdings.size_bytes < limits.user_bytes else "none"
        )
        raise OverLimit(
            Reason.QUOTA_BYTES,
            f"This file has {size_words(size_bytes)}, and of your {size_words(limits.user_bytes)} {left} "
            f"{'are' if left != 'none' else 'is'} left. Delete some recordings first.",
        )
