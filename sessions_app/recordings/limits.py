"""What a user may upload and keep, and what is said beyond that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

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
        raise OverLimit(Reason.SWITCHED_OFF, _("This server takes no recordings."))
    if size_bytes <= 0:
        raise OverLimit(Reason.EMPTY, _("This file is empty."))
    if size_bytes > limits.file_bytes:
        raise OverLimit(
            Reason.TOO_LARGE,
            _("This file has %(size)s. This server takes up to %(most)s of one.")
            % {"size": size_words(size_bytes), "most": size_words(limits.file_bytes)},
        )
    if holdings.uploads >= limits.uploads_at_once:
        raise OverLimit(
            Reason.TOO_MANY_UPLOADS,
            _("%(count)s of your files are on their way already. Wait for one, or cancel it.")
            % {"count": limits.uploads_at_once},
        )
    if holdings.recordings + holdings.uploads >= limits.user_count:
        raise OverLimit(
            Reason.QUOTA_COUNT,
            _("You have %(count)s recordings, which is as many as fit. Delete some first.")
            % {"count": limits.user_count},
        )
    if holdings.size_bytes + size_bytes > limits.user_bytes:
        raise OverLimit(Reason.QUOTA_BYTES, _left_words(size_bytes, holdings, limits))


def _left_words(size_bytes: int, holdings: Holdings, limits: Limits) -> str:
    left = limits.user_bytes - holdings.size_bytes
    sizes = {"size": size_words(size_bytes), "all": size_words(limits.user_bytes), "left": size_words(left)}
    if left <= 0:
        return _("This file has %(size)s, and of your %(all)s none is left. Delete some recordings first.") % sizes
    return _("This file has %(size)s, and of your %(all)s %(left)s are left. Delete some recordings first.") % sizes
