"""A busy process knows that it is: what it reads now may have come a while ago."""

from __future__ import annotations

import asyncio
import time

from sessions_app.live.loop_lag import LoopLag

BUSY_S = 0.15


async def settle() -> None:
    """Long enough for the measuring to have taken place."""
    await asyncio.sleep(0.05)


async def test_a_loop_that_was_busy_is_late_and_remembers_it_for_a_while() -> None:
    lag = LoopLag()
    lag.enter()
    await settle()
    before_ms = lag.recent_ms
    time.sleep(BUSY_S)  # noqa: ASYNC251 - this is what being busy is
    busy_ms = lag.recent_ms
    await settle()
    assert before_ms < busy_ms
    assert busy_ms > 1000 * (BUSY_S - 0.03)
    assert lag.recent_ms > 1000 * (BUSY_S - 0.03)
    lag.leave()


async def test_nobody_measures_when_nobody_wants_to_know() -> None:
    lag = LoopLag()
    lag.enter()
    lag.enter()
    lag.leave()
    time.sleep(BUSY_S)  # noqa: ASYNC251
    assert lag.recent_ms > 0
    lag.leave()
    assert lag.recent_ms == 0
    lag.leave()
    lag.enter()
    assert lag.recent_ms < 1000 * BUSY_S
    lag.leave()


def test_a_new_loop_is_measured_from_the_beginning() -> None:
    lag = LoopLag()

    async def begin() -> float:
        lag.enter()
        return lag.recent_ms

    for _ in range(2):
        assert asyncio.run(begin()) < 1000 * BUSY_S
