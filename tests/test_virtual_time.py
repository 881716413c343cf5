"""The clock that other tests rely on."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.virtual_time import VirtualTimeLoop


def run(coroutine: object) -> object:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)  # type: ignore[arg-type]


def test_a_long_wait_takes_no_time() -> None:
    async def wait() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(1_800)
        return loop.time() - before

    started = time.monotonic()
    assert run(wait()) == pytest.approx(1_800)
    assert time.monotonic() - started < 60


def test_timers_fire_in_order_each_at_its_time() -> None:
    async def wait() -> list[tuple[str, float]]:
        loop, fired = asyncio.get_running_loop(), list[tuple[str, float]]()
        before = loop.time()
        for name, delay_s in (("late", 60), ("soon", 0.25), ("middle", 8)):
            loop.call_later(delay_s, lambda this: fired.append((this, loop.time() - before)), name)
        await asyncio.sleep(61)
        return fired

    assert run(wait()) == [("soon", pytest.approx(0.25)), ("middle", pytest.approx(8)), ("late", pytest.approx(60))]


def test_the_clock_stands_still_while_there_is_work() -> None:
    async def work() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        for _ in range(1_000):
            await asyncio.sleep(0)
        return loop.time() - before

    assert run(work()) == 0


def test_the_clock_waits_for_threads() -> None:
    async def work() -> bool:
        timeout = asyncio.get_running_loop().create_task(asyncio.sleep(10))
        await asyncio.to_thread(time.sleep, 0.02)
        return timeout.done()

    assert run(work()) is False


def test_a_timeout_is_reached_by_those_who_wait_for_nothing() -> None:
    async def wait() -> None:
        async with asyncio.timeout(30):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(wait())


def test_waiting_for_ever_is_an_error_rather_than_a_hang() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="never happen"):
        run(wait())
