"""A page asks that its new call go on from an earlier one: over sockets, with the rows as they are."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.models import Conversation
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask, exchange
from tests.sessions_app.test_hand_over import answer_release, ticket_of
from tests.sessions_app.test_user_settings import save

pytestmark = pytest.mark.django_db(transaction=True)

CODE_WORD = "My code word is plum."


async def an_ended_call(registry: SessionRegistry, upstream: FakeUpstream, user: User, mode: Mode = Mode.CALL) -> str:
    """In which the code word was told; gives its id."""
    async with Socket(registry, mode, user) as page:
        ready = await page.start()
        await exchange(page, upstream, "m-1", CODE_WORD, "Noted.")
        await page.send(type="hangup")
        await page.wait_closed()
    conversation: str = ready["conversation"]
    return conversation


def knows(upstream: FakeUpstream) -> bool:
    """Whether the newest set-up tells of the code word."""
    return CODE_WORD in upstream.attempts[-1].setup.instruction


def lines_of(ready: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(turn["role"], turn.get("code")) for turn in ready["transcript"]]


async def test_a_call_that_goes_on_knows_the_earlier_one_and_its_page_is_told_which_that_is(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    earlier = await an_ended_call(registry, upstream, alice)
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start(goes_on_from=earlier)
        assert knows(upstream)
        assert (ready["action"], lines_of(ready)) == ("new", [("system", "call.goes_on")])
        assert ready["goes_on_from"]["conversation"] == earlier
        assert ready["goes_on_from"]["title"] == CODE_WORD
        assert ready["goes_on_from"]["ended_at"].endswith("+00:00")
        assert ready["conversation"] != earlier
        assert page.of_type("toast") == []


async def test_the_new_call_of_the_same_page_may_go_on_from_the_one_that_it_hung_up(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        earlier = (await page.start())["conversation"]
        await exchange(page, upstream, "m-1", CODE_WORD, "Noted.")
        await page.send(type="hangup")
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        ready = await page.start(fresh=True, goes_on_from=earlier)
        assert ready["goes_on_from"]["conversation"] == earlier
        assert knows(upstream)


async def test_unasked_a_call_begins_with_nothing(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    await an_ended_call(registry, upstream, alice)
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start()
        assert (ready["transcript"], ready["goes_on_from"], knows(upstream)) == ([], None, False)


@pytest.mark.parametrize("what", ["unknown", "of bob", "of a text chat", "no id", "a list"])
async def test_what_is_no_call_of_the_user_costs_nothing_and_is_said(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User, what: str
) -> None:
    chosen: Any = {"unknown": str(uuid.uuid4()), "no id": "../etc", "a list": [1]}.get(what)
    if what == "of bob":
        chosen = await an_ended_call(registry, upstream, bob)
    if what == "of a text chat":
        chosen = await an_ended_call(registry, upstream, alice, Mode.TEXT)
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start(goes_on_from=chosen)
        assert (lines_of(ready), ready["goes_on_from"]) == ([("system", "call.begins_anew")], None)
        assert not knows(upstream)
        assert [toast["code"] for toast in page.of_type("toast")] == ["begins_anew"]
        await exchange(page, upstream, "m-1", "Hello", "Hello.")


@pytest.mark.parametrize("who", ["user", "operator"])
async def test_who_never_wants_it_never_has_it_whatever_an_old_page_asks_for(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, settings: Settings, who: str
) -> None:
    earlier = await an_ended_call(registry, upstream, alice)
    if who == "user":
        await database_sync_to_async(save)(alice, new_call="never")
    else:
        await database_sync_to_async(save)(alice, new_call="always")
        settings.USER_SETTINGS_DEFAULTS, settings.USER_SETTINGS_LOCKED = ["new_call=never"], ["new_call"]
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start(goes_on_from=earlier)
        assert lines_of(ready) == [("system", "call.begins_anew")]
        assert not knows(upstream)


async def test_another_worker_begins_its_session_with_it_and_no_line_is_said_twice(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    earlier = await an_ended_call(registry, upstream, alice)
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start(goes_on_from=earlier)
        await exchange(page, upstream, "m-1", "Hello", "Hello.")
        await registry.drain()
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        ready = await page.start(goes_on_from=earlier)
        assert (ready["action"], lines_of(ready)[0], len(ready["transcript"])) == (
            "rebuilt",
            ("system", "call.goes_on"),
            3,
        )
        assert ready["goes_on_from"]["conversation"] == earlier
        assert knows(upstream)


async def test_on_another_device_the_call_still_knows_what_it_goes_on_from(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    earlier = await an_ended_call(registry, upstream, alice)
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start(goes_on_from=earlier)
        await exchange(first, upstream, "1", "Hello", "Hello.")
        ticket = await ticket_of(alice)
        releasing = asyncio.create_task(answer_release(first))
        ready = await second.start(take=ticket)
        await releasing
        assert ready["goes_on_from"]["conversation"] == earlier


async def test_a_socket_that_drops_before_its_ready_begins_one_call_and_not_two(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    earlier = await an_ended_call(registry, upstream, alice)
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.send(type="start", page_id=str(page_id), goes_on_from=earlier)
        await page.wait_for("state")
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        ready = await page.start(goes_on_from=earlier)
        assert lines_of(ready) == [("system", "call.goes_on")]
    assert await ask(lambda: Conversation.objects.filter(goes_on_from__pk=earlier).count()) == 1


async def test_that_a_call_begins_without_it_is_told_once_and_stays_in_its_transcript(
    registry: SessionRegistry, other: SessionRegistry, alice: User
) -> None:
    page_id, unknown = uuid.uuid4(), str(uuid.uuid4())
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start(goes_on_from=unknown)
        await registry.drain()
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        ready = await page.start(goes_on_from=unknown)
        await page.take_all()
        assert lines_of(ready) == [("system", "call.begins_anew")]
        assert "begins_anew" not in [toast["code"] for toast in page.of_type("toast")]
