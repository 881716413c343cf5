"""Tasks have one owner, which forgets none of them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sessions_app.live.task_owner import TaskOwner


async def test_what_a_task_raises_is_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    owner = TaskOwner()

    async def fail() -> None:
        raise RuntimeError("out of paper")

    with caplog.at_level(logging.ERROR):
        owner.start(fail(), "printing")
        await owner.wait()
        await asyncio.sleep(0)
    assert "printing" in caplog.text
    assert "out of paper" in caplog.text


async def test_waiting_ends_with_the_last_task_and_leaves_out_the_one_that_waits() -> None:
    owner = TaskOwner()
    ended: list[str] = []

    async def work(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append(name)

    async def wait_for_the_others() -> None:
        await owner.wait()
        ended.append("waiting")

    owner.start(work("short", 1), "short")
    waiting = owner.start(wait_for_the_others(), "waiting")
    owner.start(work("long", 2), "long")
    await waiting
    assert ended == ["short", "long", "waiting"]


async def test_cancelling_ends_all_tasks_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    owner = TaskOwner()
    tasks = [owner.start(asyncio.sleep(3_600), f"sleep-{number}") for number in range(3)]
    await asyncio.sleep(0)
    await owner.cancel()
    assert all(task.cancelled() for task in tasks)
    assert caplog.text == ""
