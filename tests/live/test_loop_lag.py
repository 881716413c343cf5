"""A busy process knows that it is: what it reads now may have come a while ago."""

from __future__ import annotations

import asyncio

from sessions_app.live.providers.loop_lag import REMEMBERED_S, TICK_S, LoopLag
from tests.virtual_time import VirtualTimeLoop

BUSY_S = 0.15
BUSY_MS = 1000 * BUSY_S
TICK_MS = 1000 * TICK_S
"""It may have been busy since shortly before something was due."""


async def settle() -> None:
    """Long enough for the measuring to have taken place."""
    await asyncio.sleep(0.05)


def be_busy() -> None:
    """Keep the loop from doing what becomes due."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.jump(BUSY_S)


async def test_a_loop_that_was_busy_is_late_and_remembers_it_for_a_while() -> None:
    lag = LoopLag()
    lag.enter()
    await settle()
    assert lag.recent_ms < 1
    be_busy()
    assert BUSY_MS - TICK_MS <= lag.recent_ms <= BUSY_MS
    await settle()
    assert BUSY_MS - TICK_MS <= lag.recent_ms <= BUSY_MS
    await asyncio.sleep(REMEMBERED_S)
    assert lag.recent_ms < 1
    lag.leave()


async def test_nobody_measures_when_nobody_wants_to_know() -> None:
    lag = LoopLag()
    lag.enter()
    lag.enter()
    lag.leave()
    be_busy()
    assert lag.recent_ms > 0
    lag.leave()
    assert lag.recent_ms == 0
    lag.leave()
    be_busy()
    lag.enter()
    assert lag.recent_ms == 0
    lag.leave()


def test_a_new_loop_is_measured_from_the_beginning() -> None:
    lag = LoopLag()

    async def begin() -> float:
        lag.enter()
        at_first_ms = lag.recent_ms
        be_busy()
        assert lag.recent_ms > 0
        return at_first_ms

    for _ in range(2):
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            assert runner.run(begin()) == 0
