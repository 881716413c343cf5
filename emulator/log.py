"""The emulator's record of what happened, numbered and bounded, for `/api/log` and for stderr."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Any

LIMIT = 20_000

_logger = logging.getLogger("emulator")


class EventLog:
    """A ring of the last entries; each has a number that never repeats."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=limit)
        self._last = 0

    def add(self, kind: str, *, connection: str = "", session: str = "", **facts: Any) -> None:
        """Append one entry; `facts` are the fields of its kind."""
        self._last += 1
        entry = {
            "n": self._last,
            "at": round(time.time(), 3),
            "connection": connection,
            "session": session,
            "kind": kind,
            **facts,
        }
        self._entries.append(entry)
        _logger.info("%s %s %s %s", connection or "-", session or "-", kind, facts or "")

    def after(self, number: int) -> tuple[list[dict[str, Any]], int]:
        """Return the entries with a number above `number`, and the number to ask with next time."""
        fresh: list[dict[str, Any]] = []
        for entry in reversed(self._entries):
            if entry["n"] <= number:
                break
            fresh.append(entry)
        fresh.reverse()
        return fresh, self._last

    def clear(self) -> None:
        """Forget the entries; numbers go on, so a reader's position stays valid."""
        self._entries.clear()
