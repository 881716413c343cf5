"""The clock by which things expire: the machine's, and as far ahead of it as somebody has moved it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time


class Clock:
    """Tells the time. Moving it on lets tests see the end of what lasts for hours."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._was_moved = asyncio.Event()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead_s

    def monotonic(self) -> float:
        """Seconds since some moment; never set by the machine."""
        return time.monotonic() + self._ahead_s

    def now(self) -> dt.datetime:
        """The same as `time`, in UTC."""
        return dt.datetime.fromtimestamp(self.time(), dt.UTC)

    def forward(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead_s += seconds
        self._was_moved.set()

    async def until(self, moment: float) -> None:
        """Wait for a time in seconds since 1970, or until somebody lets it pass."""
        while (left_s := moment - self.time()) > 0:
            self._was_moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._was_moved.wait(), left_s)

    def reset(self) -> None:
        """Go by the machine's time again."""
        self._ahead_s = 0.0


def stamp(moment: float) -> str:
    """Seconds since 1970 as the API writes times: `2026-11-27T10:00:00.000000Z`."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
