"""How late an event loop does what is due.

A busy process reads late what has arrived, and has sent other things in between. Who wants to know what the sender of a
message had read of them must allow for that.
"""

from __future__ import annotations

import asyncio
from collections import deque

TICK_S = 0.02
REMEMBERED_S = 0.2
"""What was read late was read by then."""


class LoopLag:
    """Measures the running loop for as long as somebody wants to know; one loop at a time."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._users = 0
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._late: deque[tuple[float, float]] = deque()

    def enter(self) -> None:
        """Begin to measure, unless that has begun."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._users = loop, 0
            self._late.clear()
        self._users += 1
        if self._users == 1:
            self._wait(loop)

    def leave(self) -> None:
        """One less who wants to know; the last one ends the measuring."""
        if self._loop is not asyncio.get_running_loop() or not self._users:
            return
        self._users -= 1
        if not self._users and self._timer is not None:
            self._timer.cancel()

    @property
    def recent_ms(self) -> float:
        """The latest that anything was of late, what is overdue now included."""
        if self._loop is None or not self._users:
            return 0.0
        now_s = self._loop.time()
        self._forget_before(now_s - REMEMBERED_S)
        return 1000 * max([now_s - self._due_s, 0.0, *(late_s for _, late_s in self._late)])

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due_s = loop.time() + TICK_S
        self._timer = loop.call_at(self._due_s, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        self._late.append((now_s, now_s - self._due_s))
        self._forget_before(now_s - REMEMBERED_S)
        self._wait(loop)

    def _forget_before(self, limit_s: float) -> None:
        while self._late and self._late[0][0] < limit_s:
            self._late.popleft()
