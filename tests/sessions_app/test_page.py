"""One socket of a page, as the driver sees it: never waited for, in order, and bounded."""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import pytest

from energy.levels import Mode
from sessions_app.gateway.page_socket import WAITING_LIMIT_BYTES, SocketPage
from sessions_app.gateway.unsent import Unsent
from sessions_app.live.backlog import Loss
from sessions_app.live.close_codes import HUNG_UP, MALFORMED, OUR_FAULT
from sessions_app.live.machine.events import State, TellState


class Line:
    """The server's end of a socket. `busy` holds back what is sent; `broken` makes sending raise."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.broken = False

    async def send(self, event: dict[str, Any]) -> None:
        await self.free.wait()
        if self.broken:
            raise RuntimeError("the socket is gone")
        self.events.append(event)

    @property
    def told(self) -> list[str]:
        return [json.loads(event["text"])["type"] if event.get("text") else event["type"] for event in self.events]


async def settle() -> None:
    await asyncio.sleep(0.001)


async def test_everything_is_told_in_order_and_nobody_waits() -> None:
    line = Line()
    page = SocketPage(Mode.CALL, line.send)
    line.free.clear()
    page.tell_state(TellState(State.LIVE))
    page.play(0, b"\1\2")
    page.tell_flush()
    page.tell_lost(Loss(40), "connection")
    await settle()
    assert line.events == []
    line.free.set()
    await settle()
    assert line.told == ["state", "websocket.send", "flush", "lost"]
    assert line.events[1]["bytes"] == b"\0\0\0\0\1\2"


async def test_nothing_is_told_after_the_close() -> None:
    line = Line()
    page = SocketPage(Mode.TEXT, line.send)
    page.tell_error("protocol.malformed", "No.", fatal=True)
    page.close(MALFORMED)
    page.tell_flush()
    page.close(OUR_FAULT)
    await settle()
    assert line.told == ["error", "websocket.close"]
    assert line.events[-1]["code"] == MALFORMED


async def test_the_end_of_the_conversation_closes_the_socket() -> None:
    line = Line()
    SocketPage(Mode.CALL, line.send).tell_state(TellState(State.ENDED, reason="hung-up"))
    await settle()
    assert line.events[-1] == {"type": "websocket.close", "code": HUNG_UP}


async def test_a_page_that_takes_nothing_any_more_is_closed() -> None:
    line = Line()
    page = SocketPage(Mode.CALL, line.send)
    line.free.clear()
    for number in range(WAITING_LIMIT_BYTES // 48_000 + 10):
        page.play(number, bytes(48_000))
    line.free.set()
    await settle()
    assert line.events[-1] == {"type": "websocket.close", "code": OUR_FAULT}
    assert len(line.events) < 5, "what it would not take is not sent any more"


async def test_many_slow_pages_together_have_a_bound_and_the_slowest_goes_first() -> None:
    """Each alone may have megabytes waiting; 180 of them would have filled the memory of the process."""
    unsent = Unsent(limit_bytes=500_000)
    lines = [Line() for _ in range(10)]
    pages = [SocketPage(Mode.CALL, line.send, unsent) for line in lines]
    for line in lines:
        line.free.clear()
    for number in range(10):
        for page in pages[:-1]:
            page.play(number, bytes(10_000))
    pages[-1].tell_flush()
    assert unsent.all_bytes <= 500_000
    for line in lines:
        line.free.set()
    await settle()
    closed = [line.events[-1] == {"type": "websocket.close", "code": OUR_FAULT} for line in lines]
    assert 0 < sum(closed) < 9
    assert not closed[-1]
    assert unsent.all_bytes == 0


async def test_a_page_that_takes_everything_is_never_closed_for_its_volume() -> None:
    line = Line()
    page = SocketPage(Mode.CALL, line.send)
    for number in range(2 * WAITING_LIMIT_BYTES // 48_000):
        page.play(number, bytes(48_000))
        await settle()
    assert {event["type"] for event in line.events} == {"websocket.send"}


async def test_a_socket_that_breaks_is_told_nothing_more() -> None:
    line = Line()
    page = SocketPage(Mode.CALL, line.send)
    line.broken = True
    page.tell_flush()
    await settle()
    line.broken = False
    page.tell_flush()
    await settle()
    assert line.events == []


async def test_a_socket_that_is_dropped_is_known_to_be_closed() -> None:
    line = Line()
    page = SocketPage(Mode.CALL, line.send)
    line.free.clear()
    page.tell_flush()
    await settle()
    page.drop()
    await asyncio.wait_for(page.closed.wait(), 1)
    line.free.set()
    await settle()
    assert line.events == []


async def test_the_moment_that_a_toast_names_is_told_as_a_number_too() -> None:
    line = Line()
    page = SocketPage(Mode.CALL, line.send)
    monday = datetime.datetime(2100, 3, 1, 7, tzinfo=datetime.UTC)
    page.tell_toast("energy.restored", text="The rest is away until Monday 07:00 UTC.", until=monday)
    page.tell_toast("energy.restored", text="The call is back at full energy.", until=monday)
    await settle()
    first, second = (json.loads(event["text"]) for event in line.events)
    assert first["until"] == {"at": round(monday.timestamp() * 1000), "words": "Monday 07:00 UTC"}
    assert "until" not in second


@pytest.mark.parametrize("mode", Mode)
async def test_toasts_are_told_with_their_words(mode: Mode) -> None:
    line = Line()
    page = SocketPage(mode, line.send)
    page.tell_toast("reconnected", 3_000)
    page.tell_toast("takeover")
    await settle()
    first, second = (json.loads(event["text"]) for event in line.events)
    assert first["code"] == f"{mode}.reconnected"
    assert "3 s" in first["text"]
    assert second["code"] == "takeover"
