"""Named timers of one live session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sessions_app.live.machine.events import Timer


class Timers:
    """At most one of each name; starting one anew replaces it."""

    def __init__(self, on_fired: Callable[[Timer], None]) -> None:
        self._on_fired = on_fired
        self._handles: dict[Timer, asyncio.TimerHandle] = {}

    def start(self, timer: Timer, ms: int) -> None:
        self.stop(timer)
        self._handles[timer] = asyncio.get_running_loop().call_later(ms / 1000, self._fire, timer)

    def stop(self, timer: Timer) -> None:
        handle = self._handles.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def stop_all(self) -> None:
        for timer in tuple(self._handles):
            self.stop(timer)

    def _fire(self, timer: Timer) -> None:
        self._handles.pop(timer, None)
        self._on_fired(timer)
