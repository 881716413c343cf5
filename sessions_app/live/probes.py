"""How far the provider has read, when it or the network stands still, or is busy.

What was sent a round trip ago has been read, usually. While somebody stands still it waits in buffers, and what the
provider says when things move again, a handle above all, knows nothing of it; the same is true while it works through
all that a new connection was sent at once. Pings are answered in their turn: as long as one is due, what was sent after
the last one that was answered may not have been read.
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

SLOW_MS = 1_000
"""Some providers take far longer than a round trip to answer a ping: that says nothing about their reading."""


class Pings:
    """The pings of one connection, one at a time, in ms of any clock: pure.

    Args:
        now_ms: when the connection began; nothing that it is sent counts as read until the first question is answered.
    """

    def __init__(self, now_ms: float) -> None:
        self._read_until_ms = now_ms
        self._waiting_since_ms: float | None = None
        self._delays_ms: deque[float] = deque(maxlen=DELAYS_KEPT)
        self._is_in_doubt = True
        self._is_asked = False
        self._waits_for_question = False

    def ask(self) -> None:
        """A lot was sent at once: whether it has been read is in doubt until the next ping is answered."""
        self._is_in_doubt = self._is_asked = True

    def sent(self, now_ms: float) -> None:
        self._waiting_since_ms = now_ms
        self._waits_for_question, self._is_asked = self._is_asked, False

    def answered(self, now_ms: float) -> None:
        if self._waiting_since_ms is None:
            return
        self._delays_ms.append(now_ms - self._waiting_since_ms)
        self._read_until_ms, self._waiting_since_ms = self._waiting_since_ms, None
        if self._waits_for_question and not self._is_asked:
            self._is_in_doubt = False

    def unread_ms(self, now_ms: float) -> float:
        """For how long the provider may not have read what it was sent; 0 where its pings do not tell."""
        if self._pings_tell(now_ms) and (self._is_in_doubt or self._is_overdue(now_ms)):
            return now_ms - self._read_until_ms
        return max((delay_ms for delay_ms in self._delays_ms if delay_ms < SLOW_MS), default=0.0)

    def _pings_tell(self, now_ms: float) -> bool:
        """Whether this provider answers pings as they come. Gemini may take 30 s for them, and reads all the same."""
        if self._delays_ms:
            return median(self._delays_ms) < SLOW_MS
        return self._waiting_since_ms is None or now_ms - self._waiting_since_ms < SLOW_MS

    def _is_overdue(self, now_ms: float) -> bool:
        if self._waiting_since_ms is None or not self._delays_ms:
            return False
        return now_ms - self._waiting_since_ms > 2 * median(self._delays_ms) + OVERDUE_AFTER_MS


class Probes:
    """Pings a connection for as long as it lives, from `start` on."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._pings = Pings(_now_ms())
        self._is_asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def unread_ms(self) -> float:
        """For how long the provider may not have read what it was sent."""
        return self._pings.unread_ms(_now_ms())

    def start(self) -> None:
        self._task = asyncio.create_task(self._probe(), name="live-probe")

    def ask(self) -> None:
        """Ping now: a lot was sent at once."""
        self._pings.ask()
        self._is_asked.set()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _probe(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._is_asked.clear()
                self._pings.sent(_now_ms())
                await (await self._connection.ping())
                self._pings.answered(_now_ms())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_asked.wait(), EVERY_S)


def _now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000
