"""What a page sends, in order; also while nobody has time for it, so that it is noticed at once when the page goes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

AHEAD_LIMIT_BYTES = 4_000_000
"""Two minutes of speech. A page of ours says nothing between its `start` and the answer."""

AHEAD_LIMIT_EVENTS = 5_000

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]


class Inbox:
    """Gives the events of one socket.

    Args:
        receive: as ASGI has it.
        when_gone: called when the socket has gone while it was read ahead; that it has is an event as ever.
        when_flooded: called when more comes than is kept for later; nothing is kept any more.
    """

    def __init__(self, receive: Receive, when_gone: Callable[[], None], when_flooded: Callable[[], None]) -> None:
        self._receive = receive
        self._when_gone = when_gone
        self._when_flooded = when_flooded
        self._kept: deque[Event] = deque()

    async def next(self) -> Event:
        return self._kept.popleft() if self._kept else await self._receive()

    @asynccontextmanager
    async def reading_ahead(self) -> AsyncIterator[None]:
        """Read what comes meanwhile, to be given by `next` afterwards."""
        reading = asyncio.create_task(self._read_ahead(), name="page-read-ahead")
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _read_ahead(self) -> None:
        size_bytes = 0
        is_flooded = False
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                self._kept.append(event)
                self._when_gone()
                return
            size_bytes += len(event.get("bytes") or event.get("text") or "")
            if is_flooded:
                continue
            self._kept.append(event)
            if size_bytes > AHEAD_LIMIT_BYTES or len(self._kept) > AHEAD_LIMIT_EVENTS:
                is_flooded = True
                self._kept.clear()
                self._when_flooded()
