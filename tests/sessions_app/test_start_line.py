"""Those who wait for their session: one at a time, the newest counts, and who has gone is not waited for."""

from __future__ import annotations

import asyncio
from typing import Any

from energy.levels import Mode
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.start_line import Overtaken, StartLine


class Told:
    """What a page was told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.page = SocketPage(Mode.TEXT, self.send)

    async def send(self, event: dict[str, Any]) -> None:
        self.events.append(event)

    @property
    def close_code(self) -> int | None:
        return next((event["code"] for event in self.events if event["type"] == "websocket.close"), None)


class Work:
    """What is done when it is one's turn: it takes until `done` is set."""

    def __init__(self, line: StartLine) -> None:
        self.line = line
        self.done = asyncio.Event()
        self.began: list[SocketPage] = []

    async def start(self, page: SocketPage) -> None:
        async with self.line.turn_to_start(1, Mode.TEXT, page):
            self.began.append(page)
            await self.done.wait()


async def outcome(task: asyncio.Task[None]) -> str:
    try:
        await task
    except Overtaken:
        return "overtaken"
    return "started"


async def settle() -> None:
    await asyncio.sleep(0.001)


async def test_of_three_hundred_starts_the_first_and_the_newest_get_a_session() -> None:
    """Each opened a session of its own before, two seconds each, and the next start waited for all of them."""
    work = Work(StartLine())
    told = [Told() for _ in range(300)]
    tasks = []
    for one in told:
        tasks.append(asyncio.create_task(work.start(one.page)))
        await settle()
    work.done.set()
    outcomes = [await outcome(task) for task in tasks]
    assert outcomes == ["started", *["overtaken"] * 298, "started"]
    assert work.began == [told[0].page, told[-1].page]
    assert {one.close_code for one in told[1:-1]} == {4409}
    assert len(work.line) == 0


async def test_a_page_that_goes_while_it_waits_is_not_waited_for() -> None:
    work = Work(StartLine())
    first, gone = Told(), Told()
    working = asyncio.create_task(work.start(first.page))
    await settle()
    waiting = asyncio.create_task(work.start(gone.page))
    await settle()
    gone.page.drop()
    assert await outcome(waiting) == "overtaken"
    work.done.set()
    assert await outcome(working) == "started"
    assert work.began == [first.page]
    assert len(work.line) == 0


async def test_a_page_that_is_being_closed_when_its_turn_comes_gets_no_session() -> None:
    work = Work(StartLine())
    closing = Told()
    closing.page.close(4401)
    assert await outcome(asyncio.create_task(work.start(closing.page))) == "overtaken"
    assert work.began == []
    assert len(work.line) == 0


async def test_whoever_is_cancelled_holds_up_nobody() -> None:
    work = Work(StartLine())
    first, second, third = Told(), Told(), Told()
    tasks = []
    for one in (first, second):
        tasks.append(asyncio.create_task(work.start(one.page)))
        await settle()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    work.done.set()
    await work.start(third.page)
    assert work.began == [first.page, third.page]
    assert len(work.line) == 0


async def test_users_and_modes_do_not_wait_for_each_other() -> None:
    line = StartLine()
    async with line.turn(1, Mode.TEXT), line.turn(1, Mode.CALL), line.turn(2, Mode.TEXT):
        assert len(line) == 3
    assert len(line) == 0
