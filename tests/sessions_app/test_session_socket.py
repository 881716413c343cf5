"""`/ws/session/`: what a line is like, told while somebody looks, and what is wished for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser, User

from energy.levels import Mode
from sessions_app.gateway import session_desk
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.session_socket import SessionConsumer
from sessions_app.models import Conversation, ResumptionHandle
from tests.fakes.upstream import CUT, FakeUpstream
from tests.sessions_app.page_socket import Message, Socket
from tests.sessions_app.talking import ask, exchange

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "handle-2f9A71c0Ee44b2aa9b"


def looking(registry: SessionRegistry, user: User | AnonymousUser) -> Socket:
    return Socket(registry, Mode.CALL, user, consumer=SessionConsumer)


async def a_chat(chat: Socket, upstream: FakeUpstream) -> Message:
    ready = await chat.start()
    await exchange(chat, upstream, "m-1", "My code word is plum.", "Noted.", handle=SECRET)
    return ready


async def next_report(page: Socket, mode: Mode = Mode.TEXT) -> dict[str, Any]:
    """What is told next, after a moment in which things may happen."""
    await asyncio.sleep(2)
    await page.take_all()
    told: dict[str, Any] = (await page.wait_for("session"))["modes"][mode]
    return told


async def wish(page: Socket, wish: str, mode: Mode = Mode.TEXT) -> str:
    await page.send(type="wish", mode=mode, wish=wish)
    return str((await page.wait_for("done", wish=wish))["result"])


async def test_a_session_is_told_as_it_is_and_without_its_handle_or_a_word_of_it(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, alice) as page:
        ready = await a_chat(chat, upstream)
        told = await next_report(page)
        assert (told["active"], told["state"], told["action"]) == (True, "live", "new")
        assert (told["session"], told["conversation"]) == (ready["session"], ready["conversation"])
        assert told["has_valid_resumption_data"]
        assert told["handle"]["covers_turn"] == 1
        assert (told["connections"], told["swaps"], told["lost"]) == (1, [], {"ms": 0, "messages": 0})
        assert (told["level"]["number"], told["model"]) == (told["level"]["top"], ready["model"])
        assert told["round_trip_ms"] == 40
        said = json.dumps(page.messages)
        assert SECRET not in said
        assert "plum" not in said


async def test_without_a_session_the_page_is_told_so(registry: SessionRegistry, alice: User) -> None:
    async with looking(registry, alice) as page:
        told = (await page.wait_for("session"))["modes"]
        assert {mode["state"] for mode in told.values()} == {"none"}


async def test_nobody_sees_the_session_of_somebody_else(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, bob) as page:
        await a_chat(chat, upstream)
        assert (await next_report(page))["state"] == "none"
        assert await wish(page, "disconnect") == "nothing"
        assert (await next_report(page))["state"] == "none"
        assert chat.of_type("state")[-1]["state"] == "live"


async def test_a_visitor_is_sent_away(registry: SessionRegistry) -> None:
    async with looking(registry, AnonymousUser()) as page:
        assert await page.wait_closed() == 4401


async def test_a_page_is_told_something_at_most_twice_a_second(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, alice) as page:
        await a_chat(chat, upstream)
        for _ in range(8):
            await wish(page, "refresh")
        await asyncio.sleep(10)
        await page.wait_for("session")
        began_s = asyncio.get_running_loop().time()
        count = len(page.of_type("session"))
        while asyncio.get_running_loop().time() - began_s < 10:
            await page.wait_for("session")
        assert len(page.of_type("session")) - count <= 20


async def test_when_the_page_goes_nothing_goes_on_for_it(registry: SessionRegistry, alice: User) -> None:
    async with looking(registry, alice) as page:
        await page.wait_for("session")
        assert [task for task in asyncio.all_tasks() if task.get_name() == "session-page"]
    await asyncio.sleep(1)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "session-page"]
    assert registry.open_pages == 0


async def test_a_refresh_takes_another_connection_and_the_swap_is_told(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, alice) as page:
        await a_chat(chat, upstream)
        await asyncio.sleep(5)
        assert await wish(page, "refresh") == "done"
        told = await next_report(page)
        assert [attempt.setup.handle for attempt in upstream.attempts] == [None, SECRET]
        assert (told["state"], told["action"], told["connections"]) == ("live", "resumed", 2)
        (swap,) = told["swaps"]
        assert (swap["cause"], swap["planned"], swap["action"]) == ("refresh", True, "resumed")


async def test_a_cut_is_told_with_its_gap(registry: SessionRegistry, upstream: FakeUpstream, alice: User) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, alice) as page:
        await a_chat(chat, upstream)
        upstream.connection.drop(CUT)
        await asyncio.sleep(3)
        told = await next_report(page)
        (swap,) = told["swaps"]
        assert (swap["cause"], swap["planned"]) == ("network", False)
        assert swap["gap_ms"] >= 0
        assert told["strip"]["gaps"] == told["swaps"]


async def test_a_handle_that_is_to_be_forgotten_is_gone_from_rows_and_page(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, alice) as page:
        await a_chat(chat, upstream)
        assert await wish(page, "forget") == "done"
        told = await next_report(page)
        assert (told["has_valid_resumption_data"], told["handle"], told["state"]) == (False, None, "live")
        assert await ask(ResumptionHandle.objects.count) == 0


async def test_a_handle_without_a_session_can_be_forgotten_too(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with looking(registry, alice) as page:
        async with Socket(registry, Mode.TEXT, alice) as chat:
            await a_chat(chat, upstream)
        await asyncio.sleep(40)
        told = await next_report(page)
        assert (told["state"], told["has_valid_resumption_data"]) == ("none", True)
        assert told["ended"]["reason"] == "page-gone"
        assert await wish(page, "forget") == "done"
        assert not (await next_report(page))["has_valid_resumption_data"]
        assert await wish(page, "forget") == "nothing"


async def test_a_session_that_is_ended_here_is_over_on_its_page(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as call, looking(registry, alice) as page:
        await call.start()
        assert await wish(page, "disconnect", Mode.CALL) == "done"
        assert await call.wait_closed() == 1000
        assert call.of_type("state")[-1]["state"] == "ended"


async def test_a_reset_begins_a_new_conversation_on_the_page_that_is_there(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(registry, alice) as page:
        before = await a_chat(chat, upstream)
        assert await wish(page, "reset") == "done"
        after = await chat.wait_for("ready", action="new")
        assert after["conversation"] != before["conversation"]
        await exchange(chat, upstream, "m-2", "Hello again", "Hello.", handle="handle-3")
        assert upstream.connection.texts == ["Hello again"]
        ended = await ask(lambda: Conversation.objects.get(pk=before["conversation"]))
        assert ended.end_reason == "reset"


async def test_a_session_that_another_worker_holds_is_asked_and_obeys_through_the_layer(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(other, alice) as page:
        await a_chat(chat, upstream)
        told = await next_report(page)
        assert (told["known"], told["state"], told["round_trip_ms"]) == (True, "live", 40)
        assert await wish(page, "refresh") == "done"
        assert (await next_report(page))["connections"] == 2
        assert await wish(page, "reset") == "done"
        await chat.wait_for("ready", action="new")


async def test_where_the_layer_is_away_the_rows_are_told_and_the_rest_is_unknown(
    registry: SessionRegistry,
    other: SessionRegistry,
    upstream: FakeUpstream,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, looking(other, alice) as page:
        await a_chat(chat, upstream)
        monkeypatch.setattr(session_desk, "get_channel_layer", lambda: None)
        told = await next_report(page)
        assert (told["known"], told["state"], told["round_trip_ms"]) == (False, "unknown", None)
        assert (told["connections"], told["has_valid_resumption_data"]) == (1, True)
        assert await wish(page, "refresh") == "unreachable"
    assert get_channel_layer() is not None


@pytest.mark.parametrize(
    "frame",
    [
        "nonsense",
        "[]",
        json.dumps({"type": "start"}),
        json.dumps({"type": "wish", "mode": "call", "wish": "conquer"}),
        json.dumps({"type": "wish", "mode": "fax", "wish": "refresh"}),
        json.dumps({"type": "wish", "mode": ["call"], "wish": {}}),
        json.dumps({"type": "ping", "padding": "x" * 2_000}),
    ],
)
async def test_what_is_no_wish_is_answered_and_the_third_ends_it(
    registry: SessionRegistry, alice: User, frame: str
) -> None:
    async with looking(registry, alice) as page:
        for _ in range(3):
            await page.send_raw(frame)
        assert await page.wait_closed() == 4400
        assert len(page.error_codes) == 3


async def test_a_flood_of_wishes_ends_the_socket(registry: SessionRegistry, alice: User) -> None:
    async with looking(registry, alice) as page:
        for _ in range(40):
            await page.send(type="ping")
        assert await page.wait_closed() == 4429
