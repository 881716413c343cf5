"""How far the provider has read, when it or the network stands still, or is busy, or was sent a lot at once.

What was sent a round trip ago has been read, usually. Three things are not usual:
* somebody stands still: what was sent waits in buffers, and what the provider says when things move again, a handle
  above all, knows nothing of it. A ping that is overdue tells. When things move again, what was sent meanwhile is read
  at once, however long ago that was: it has been taken in a margin after a ping is answered that was sent behind it.
* a burst: all that was said while there was no connection is sent at once, and takes its time to be worked through.
  A ping is sent after it, and answered after it.
* our own process is late: what it reads now may have come before what it sent meanwhile.

Nor does what has been read count at once: a provider may answer pings in a layer before the one that listens, and take
in what it is sent some time later. How much later nothing shows from here, so there is a margin, which belongs to the
model; a few frames that come twice are better than one that never comes.

Where nothing was sent for a while, and a ping that was sent long after the last of it has been answered, nothing is in
doubt: nobody needs a ping then, and a thousand sessions in which nobody speaks would send two thousand a second. They
rest until something is sent again, or somebody asks whether the provider is alive.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from math import inf
from statistics import median

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sessions_app.live.providers.loop_lag import LoopLag

EVERY_S = 0.5
"""A standstill shorter than this may go unnoticed."""

OVERDUE_AFTER_MS = 100
"""Beyond twice what is usual: the answer to a ping waits for a busy event loop, too."""

DELAYS_KEPT = 5

REST_AFTER_MS = 10_000
"""Longer than any margin, and than the watch waits that asks whether the provider is alive (`WATCH_MS`)."""

SLOW_MS = 1_000
"""Some providers take far longer than a round trip to answer a ping: that says nothing about their reading."""

ANSWERS_KEPT = 8
"""So many answered pings, 4 s of them, are enough to find one that is older than any margin."""


class Pings:
    """The pings of one connection, one at a time, in ms of any clock: pure."""

    def __init__(self, now_ms: float) -> None:
        self._answers_ms: deque[tuple[float, float]] = deque([(now_ms, now_ms)], maxlen=ANSWERS_KEPT)
        self._waiting_since_ms: float | None = None
        self._delays_ms: deque[float] = deque(maxlen=DELAYS_KEPT)
        self._burst_from_ms: float | None = None
        self._alive_until_ms: float | None = None
        self._moves_since_ms: float | None = None
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
        stood_still = self._pings_tell(now_ms) and self._is_overdue(now_ms)
        alive_until_ms = self.answered_ms
        self._delays_ms.append(now_ms - self._waiting_since_ms)
        self._answers_ms.append((self._waiting_since_ms, now_ms))
        self._waiting_since_ms = None
        if self._waits_for_question and not (self._is_asked or self._is_bursting):
            self._burst_from_ms = None
            self._moves_since_ms = self._moves_since_ms or now_ms
        if stood_still:
            if self._moves_since_ms is None or now_ms - self._moves_since_ms < SLOW_MS:
                alive_until_ms = min(alive_until_ms, self._alive_until_ms or alive_until_ms)
            self._alive_until_ms, self._moves_since_ms = alive_until_ms, None
            self._is_asked = True  # what was sent meanwhile is worked through now: the next ping is sent behind it

    @property
    def is_asking(self) -> bool:
        """Whether the next ping is a question, which need not wait."""
        return self._is_asked

    def may_rest(self, wanted_ms: float) -> bool:
        """Whether all that was sent until `wanted_ms`, when they were last wanted, has been taken in for sure."""
        is_in_doubt = self._is_bursting or self._is_asked or self._burst_from_ms is not None
        return not is_in_doubt and self._answers_ms[-1][0] >= wanted_ms + REST_AFTER_MS

    @property
    def answered_ms(self) -> float:
        """When the last ping was answered; at first, the beginning."""
        return self._answers_ms[-1][1]

    def unread_ms(self, now_ms: float, round_trip_ms: float, margin_ms: float, lag_ms: float = 0.0) -> float:
        """For how long the provider may not have taken in what it was sent.

        Args:
            now_ms: when something that it says is read.
            round_trip_ms: of the connection, the longest that was measured.
            margin_ms: between reading and taking in.
            lag_ms: how late this process reads.
        """
        heard_ms = now_ms - lag_ms
        delay_ms = max((delay_ms for delay_ms in self._delays_ms if delay_ms < SLOW_MS), default=0.0)
        if self._pings_tell(now_ms):
            heard_ms = min(heard_ms, *self._standstills_ms(now_ms, heard_ms - margin_ms))
        usually_ms = heard_ms - max(round_trip_ms, delay_ms) - margin_ms
        if self._pings_tell(now_ms) and self._burst_from_ms is not None:
            usually_ms = min(usually_ms, self._burst_from_ms)
        return now_ms - max(usually_ms, self._shown_until_ms(heard_ms - max(round_trip_ms, margin_ms)))

    def _standstills_ms(self, now_ms: float, taken_in_ms: float) -> Iterator[float]:
        """When the other end was last known to move, before a standstill: one that lasts, or one that is over, while
        what was sent into it may not be taken in. What was read until `taken_in_ms` has been."""
        if self._is_overdue(now_ms):
            yield self.answered_ms
        is_worked_through = self._moves_since_ms is not None and self._moves_since_ms <= taken_in_ms
        if self._alive_until_ms is not None and not is_worked_through:
            yield self._alive_until_ms
        yield inf

    def _shown_until_ms(self, moment_ms: float) -> float:
        """What was sent by then was read before a ping was answered by that moment, and has been taken in since."""
        shown = (sent_ms for sent_ms, answered_ms in self._answers_ms if answered_ms <= moment_ms)
        return max(shown, default=-inf)

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
        margin_ms: between reading and taking in, a property of the model.
    """

    def __init__(self, connection: ClientConnection, lag: LoopLag, margin_ms: float) -> None:
        self._connection = connection
        self._lag = lag
        self._margin_ms = margin_ms
        self._pings = Pings(_now_ms())
        self._pause: asyncio.Future[None] | None = None
        self._is_resting = False
        self._is_wanted = True
        self._wanted_ms = self._woken_ms = _now_ms()
        self._task: asyncio.Task[None] | None = None

    def keep_on(self) -> None:
        """Something is sent, or somebody asks for signs of life: pings tell something again."""
        self._is_wanted = True
        if self._is_resting:
            self._is_resting = False
            self._woken_ms = _now_ms()
            self._end_pause()

    def unread_ms(self, round_trip_ms: float) -> float:
        """For how long the provider may not have taken in what it was sent."""
        return self._pings.unread_ms(_now_ms(), round_trip_ms, self._margin_ms, self._lag.recent_ms)

    @property
    def loop_lag_ms(self) -> float:
        return self._lag.recent_ms

    @property
    def lifeless_ms(self) -> float:
        """Since the last ping was answered, or the first was sent, of all or after a rest."""
        return _now_ms() - max(self._pings.answered_ms, self._woken_ms)

    def start(self) -> None:
        self._lag.enter()
        self._task = asyncio.create_task(self._probe(), name="live-probe")

    def burst_began(self) -> None:
        self.keep_on()
        self._pings.burst_began(_now_ms())

    def ask(self) -> None:
        """Ping now: a burst is over."""
        self.keep_on()
        self._pings.ask()
        self._end_pause()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._lag.leave()

    async def _probe(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._pings.sent(_now_ms())
                await (await self._connection.ping())
                self._pings.answered(_now_ms())
                if self._is_wanted:
                    self._wanted_ms, self._is_wanted = _now_ms(), False
                if not self._pings.is_asking:
                    self._is_resting = self._pings.may_rest(self._wanted_ms)
                    await self._wait()

    async def _wait(self) -> None:
        """Until the next ping is due, or somebody asks."""
        loop = asyncio.get_running_loop()
        self._pause = loop.create_future()
        due = None if self._is_resting else loop.call_later(EVERY_S, self._end_pause)
        try:
            await self._pause
        finally:
            self._pause = None
            if due is not None:
                due.cancel()

    def _end_pause(self) -> None:
        if self._pause is not None and not self._pause.done():
            self._pause.set_result(None)


def _now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000
