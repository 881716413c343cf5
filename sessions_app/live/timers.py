"""Named timers of one live session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Name = TypeVar("Name")


class Timers(Generic[Name]):
    """At most one of each name; starting one anew replaces it."""

    def __init__(self, on_fired: Callable[[Name], None]) -> None:
        self._on_fired = on_fired
        self._handles: dict[Name, asyncio.TimerHandle] = {}

    def start(self, name: Name, ms: int) -> None:
        self.stop(name)
        self._handles[name] = asyncio.get_running_loop().call_later(ms / 1000, self._fire, name)

    def stop(self, name: Name) -> None:
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.cancel()

    def stop_all(self) -> None:
        for name in tuple(self._handles):
            self.stop(name)

    def _fire(self, name: Name) -> None:
        self._handles.pop(name, None)
        self._on_fired(name)
