"""What was said to pages while they were away, for those that come back after their session was closed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from energy.levels import Mode
from sessions_app.live.downlink import Downlink

KEPT_S = 600

PAGES_OF_A_USER = 2
"""The last page lives of a user in one mode: whoever loads pages one after the other must not fill the memory."""

PAGES_IN_ALL = 500
LIMIT_BYTES = 64_000_000
"""At most a minute of sound a page is 3 MB."""

Key = tuple[int, Mode, uuid.UUID]


@dataclass(frozen=True, slots=True)
class _Kept:
    downlink: Downlink
    size_bytes: int
    until_s: float


class UnheardSound:
    """Keeps so much and no more: beyond it the oldest goes. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._kept: dict[Key, _Kept] = {}
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def keep(self, key: Key, downlink: Downlink, now_s: float) -> None:
        """The session of a page life is closed."""
        self._forget(key)
        for other in [other for other, kept in self._kept.items() if kept.until_s <= now_s]:
            self._forget(other)
        if not downlink.kept_bytes:
            return
        self._kept[key] = _Kept(downlink, downlink.kept_bytes, now_s + KEPT_S)
        self._size_bytes += downlink.kept_bytes
        of_user = [other for other in self._kept if other[:2] == key[:2]]
        for other in of_user[:-PAGES_OF_A_USER]:
            self._forget(other)
        while len(self._kept) > PAGES_IN_ALL or self._size_bytes > LIMIT_BYTES:
            self._forget(next(iter(self._kept)))

    def take(self, key: Key, now_s: float) -> Downlink | None:
        """The page life is back; None when there is nothing for it."""
        kept = self._forget(key)
        return None if kept is None or kept.until_s <= now_s else kept.downlink

    def _forget(self, key: Key) -> _Kept | None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size_bytes -= kept.size_bytes
        return kept
