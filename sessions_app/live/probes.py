"""How far the provider has read, when it or the network stands still.

What was sent a round trip ago has been read, usually. While somebody stands still it waits in buffers, and what the
provider says when things move again, a handle above all, knows nothing of it. Pings are answered in their turn: one
whose answer is overdue shows that what was sent after the last one that was answered may not have been read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from statistics import median

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

EVERY_S = 0.5
"""A standstill shorter than this may go unnoticed."""

OVERDUE_AFTER_MS = 100
"""Beyond twice what is usual: the answer to a ping waits for a busy event loop, too."""

DELAYS_KEPT = 5


class Pings:
    """The pings of one connection, one at a time, in ms of any clock: pure."""

    def __init__(self) -> None:
        self._read_until_ms = 0.0
        self._waiting_since_ms: float | None = None
        self._delays_ms: deque[float] = deque(maxlen=DELAYS_KEPT)

    def sent(self, now_ms: float) -> None:
        self._waiting_since_ms = now_ms

    def answered(self, now_ms: float) -> None:
        if self._waiting_since_ms is None:
            return
        self._delays_ms.append(now_ms - self._waiting_since_ms)
        self._read_until_ms, self._waiting_since_ms = self._waiting_since_ms, None

    def unread_ms(self, now_ms: float) -> float:
        """For how long the provider may not have read what it was sent; 0 when nothing speaks for a standstill.

        Some providers are slow to answer pings, so what is overdue depends on what is usual.
        """
        if self._waiting_since_ms is None or not self._delays_ms:
            return 0.0
        overdue_ms = now_ms - self._waiting_since_ms - 2 * median(self._delays_ms) - OVERDUE_AFTER_MS
        return now_ms - self._read_until_ms if overdue_ms > 0 else 0.0


class Probes:
    """Pings a connection for as long as it lives, from `start` on."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._pings = Pings()
        self._task: asyncio.Task[None] | None = None

    @property
    def unread_ms(self) -> float:
        return self._pings.unread_ms(_now_ms())

    def start(self) -> None:
        self._task = asyncio.create_task(self._probe(), name="live-probe")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _probe(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._pings.sent(_now_ms())
                await (await self._connection.ping())
                self._pings.answered(_now_ms())
                await asyncio.sleep(EVERY_S)


def _now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000
