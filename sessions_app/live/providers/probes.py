"""How far the provider has read, when it or the network stands still, or is busy, or was sent a lot at once.

What was sent a round trip ago has been read, usually. Three things are not usual:
* somebody stands still: what was sent waits in buffers, and what the provider says when things move again, a handle
  above all, knows nothing of it. A ping that is overdue tells.
* a burst: all that was said while there was no connection is sent at once, and takes its time to be worked through.
  A ping is sent after it, and answered after it.
* our own process is late: what it reads now may have come before what it sent meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from statistics import median

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sessions_app.live.providers.loop_lag import LoopLag

EVERY_S = 0.5
"""A standstill shorter than this may go unnoticed."""

OVERDUE_AFTER_MS = 100
"""Beyond twice what is usual: the answer to a ping waits for a busy event loop, too."""

DELAYS_KEPT = 5

SLOW_MS = 1_000
"""Some providers take far longer than a round trip to answer a ping: that says nothing about their reading."""

IN_BUFFERS_MS = 10
"""Beyond the round trip, for the time a frame lies in buffers."""

TAKEN_IN_AFTER_MS = 10
"""What was read before a ping is answered is taken in this soon after."""


class Pings:
    """The pings of one connection, one at a time, in ms of any clock: pure."""

    def __init__(self, now_ms: float) -> None:
        self._read_until_ms = self._read_before_ms = now_ms
        self.answered_ms = now_ms
        self._waiting_since_ms: float | None = None
        self._delays_ms: deque[float] = deque(maxlen=DELAYS_KEPT)
        self._burst_from_ms: float | None = None
        self._is_bursting = False
        self._is_asked = False
        self._waits_for_question = False

    def burst_began(self, now_ms: float) -> None:
        """From now on a lot is sent at once."""
        self._is_bursting = True
        if self._burst_from_ms is None:
            self._burst_from_ms = now_ms

    def ask(self) -> None:
        """The burst is over: the next ping asks whether it has been read."""
        self._is_bursting, self._is_asked = False, True

    def sent(self, now_ms: float) -> None:
        self._waiting_since_ms = now_ms
        self._waits_for_question, self._is_asked = self._is_asked, False

    def answered(self, now_ms: float) -> None:
        if self._waiting_since_ms is None:
            return
        self._delays_ms.append(now_ms - self._waiting_since_ms)
        self._read_before_ms, self._read_until_ms = self._read_until_ms, self._waiting_since_ms
        self.answered_ms, self._waiting_since_ms = now_ms, None
        if self._waits_for_question and not (self._is_asked or self._is_bursting):
            self._burst_from_ms = None

    def unread_ms(self, now_ms: float, round_trip_ms: float, lag_ms: float = 0.0) -> float:
        """For how long the provider may not have taken in what it was sent.

        Args:
            now_ms: when something that it says is read.
            round_trip_ms: of the connection.
            lag_ms: how late this process reads.
        """
        heard_ms = now_ms - lag_ms
        delay_ms = max((delay_ms for delay_ms in self._delays_ms if delay_ms < SLOW_MS), default=0.0)
        usually_ms = heard_ms - max(round_trip_ms, delay_ms) - IN_BUFFERS_MS
        if self._pings_tell(now_ms):
            if self._is_overdue(now_ms):
                usually_ms = min(usually_ms, self._read_until_ms)
            if self._burst_from_ms is not None:
                usually_ms = min(usually_ms, self._burst_from_ms)
        return now_ms - max(usually_ms, self._shown_until_ms(heard_ms))

    def _shown_until_ms(self, heard_ms: float) -> float:
        """What was sent by then was read before a ping was answered, and has been taken in since."""
        is_taken_in = heard_ms - self.answered_ms >= TAKEN_IN_AFTER_MS
        return self._read_until_ms if is_taken_in else self._read_before_ms

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
    """Pings a connection from `start` to `stop`.

    Args:
        lag: of the loop that sends and reads.
    """

    def __init__(self, connection: ClientConnection, lag: LoopLag) -> None:
        self._connection = connection
        self._lag = lag
        self._pings = Pings(_now_ms())
        self._is_asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def unread_ms(self, round_trip_ms: float) -> float:
        """For how long the provider may not have taken in what it was sent."""
        return self._pings.unread_ms(_now_ms(), round_trip_ms, self._lag.recent_ms)

    @property
    def lifeless_ms(self) -> float:
        """Since the last ping was answered, or the first was sent."""
        return _now_ms() - self._pings.answered_ms

    def start(self) -> None:
        self._lag.enter()
        self._task = asyncio.create_task(self._probe(), name="live-probe")

    def burst_began(self) -> None:
        self._pings.burst_began(_now_ms())

    def ask(self) -> None:
        """Ping now: a burst is over."""
        self._pings.ask()
        self._is_asked.set()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._lag.leave()

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
