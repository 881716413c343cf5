"""A call goes on in another page of its user: the line is not cut, and nothing that was said is lost."""

from __future__ import annotations

import asyncio
import datetime
import uuid

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from energy.levels import Mode
from energy.models import LiveSlot
from energy.queue import SEEN_EVERY_S, holder_of
from sessions_app import hand_over
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.hand_over import NothingToHandOver, TicketInvalid
from sessions_app.models import Conversation, ResumptionHandle
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask, exchange, open_lines

pytestmark = pytest.mark.django_db(transaction=True)


async def ticket_of(user: User) -> str:
    return await ask(lambda: hand_over.make_ticket(user, Mode.CALL))


def heard_by(upstream: FakeUpstream) -> list[str | bytes]:
    """What the present connection was sent: messages, and of each frame the first byte."""
    sent = upstream.connection.sent
    return [item[:1] if isinstance(item, bytes) else item for item in sent if isinstance(item, str | bytes)]


async def answer_release(page: Socket, down: int = -1) -> None:
    """As a page does: it sends what it has, and says so."""
    await page.wait_for("release")
    await page.send(type="released", down=down)


async def test_a_call_goes_on_in_the_other_page_over_the_same_line(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        before = await first.start()
        await exchange(first, upstream, "1", "my code word is PLUM", "noted", "handle-1")
        for number in range(3):
            await first.send_frame(number)
        releasing = asyncio.create_task(answer_release(first, down=0))
        after = await second.start(take=await ticket_of(alice))
        await releasing
        assert (after["action"], after["conversation"]) == ("attached", before["conversation"])
        assert [turn["text"] for turn in after["transcript"]] == ["my code word is PLUM", "noted"]
        assert after["next"] == 3
        assert await first.wait_closed() == 4409
        assert [toast["code"] for toast in first.of_type("toast")] == ["moved"]
        assert second.audio == [], "the first page has played it"
        for number in range(3, 6):
            await second.send_frame(number, bytes([number]) * 1_280)
        await asyncio.sleep(0.2)
        assert len(upstream.connections) == 1
        assert heard_by(upstream)[-3:] == [b"\3", b"\4", b"\5"]
        assert await ask(lambda: ResumptionHandle.objects.get().page_id) == uuid.UUID(second.page_id)


async def test_the_place_in_the_budget_goes_with_the_call_and_is_given_back_with_it(
    registry: SessionRegistry, alice: User, settings: Settings
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        await second.start(take=await ticket_of(alice))
        await asyncio.sleep(2 * SEEN_EVERY_S)
        holder = holder_of(alice.pk, Mode.CALL, uuid.UUID(second.page_id))
        assert [slot.holder for slot in await ask(lambda: list(LiveSlot.objects.all()))] == [holder]
        await second.send(type="hangup")
        await second.wait_closed()
        await asyncio.sleep(1)
        assert await ask(LiveSlot.objects.count) == 0


async def test_what_the_first_page_still_had_to_say_comes_before_the_second_is_heard(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        await second.send(type="start", page_id=second.page_id, take=await ticket_of(alice))
        await first.wait_for("release")
        await first.send_frame(0, b"\7" * 1_280)
        await first.send(type="text", id="last", text="one more thing")
        await first.send(type="released", down=-1)
        ready = await second.wait_for("ready")
        assert ready["next"] == 1
        await asyncio.sleep(0.2)
        assert heard_by(upstream) == [
            b"\7",
            "one more thing",
        ]


async def test_a_first_page_that_does_not_answer_is_waited_for_a_second(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    loop = asyncio.get_running_loop()
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        asked_at = loop.time()
        assert (await second.start(take=await ticket_of(alice)))["action"] == "attached"
        assert loop.time() - asked_at < 2
        assert await first.wait_closed() == 4409
        assert open_lines(upstream) == 1


async def test_a_call_whose_page_is_away_is_taken_over_with_the_sound_it_missed(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as first:
        await first.start()
        await exchange(first, upstream, "1", "Hello", "Hello", "handle-1")
    async with Socket(registry, Mode.CALL, alice) as second:
        assert (await second.start(take=await ticket_of(alice)))["action"] == "attached"
        assert [number for number, _ in second.audio] == [0]


async def test_a_page_at_another_worker_takes_it_over_with_what_no_handle_covers(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User, settings: Settings
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    async with Socket(registry, Mode.CALL, alice) as first, Socket(other, Mode.CALL, alice) as second:
        before = await first.start()
        await exchange(first, upstream, "1", "my code word is PLUM", "noted", "handle-1")
        for number in range(3):
            await first.send_frame(number, bytes([number + 1]) * 1_280)
        await first.send(type="text", id="2", text="and then?")
        await asyncio.sleep(0.2)
        releasing = asyncio.create_task(answer_release(first, down=0))
        after = await second.start(take=await ticket_of(alice))
        await releasing
        assert (after["action"], after["conversation"]) == ("resumed", before["conversation"])
        assert after["next"] == 3
        assert await first.wait_closed() == 4409
        await second.send_frame(3, b"\4" * 1_280)
        await asyncio.sleep(0.2)
        assert upstream.connection.setup.handle == "handle-1"
        assert heard_by(upstream) == [
            b"\1",
            b"\2",
            b"\3",
            "and then?",
            b"\4",
        ]
        assert open_lines(upstream) == 1
        assert await ask(LiveSlot.objects.count) == 1


async def test_a_worker_that_leaves_while_a_call_is_taken_over_leaves_it_to_the_page_that_takes_it(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    """The ticket is used, the first page is asked for what it has: neither of them is to be without the call."""
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        before = await first.start()
        await exchange(first, upstream, "1", "my code word is PLUM", "noted", "handle-1")
        for number in range(3):
            await first.send_frame(number)
        ticket = await ticket_of(alice)
        await second.send(type="start", page_id=second.page_id, last_down=-1, take=ticket)
        await first.wait_for("release")
        await registry.drain()
        assert await second.wait_closed() == 4012
    async with Socket(other, Mode.CALL, alice, uuid.UUID(second.page_id)) as again:
        after = await again.start(take=ticket)
        assert (after["action"], after["conversation"]) == ("resumed", before["conversation"])
        assert [turn["text"] for turn in after["transcript"]] == ["my code word is PLUM", "noted"]
        assert upstream.connection.setup.handle == "handle-1"
        assert open_lines(upstream) == 1


async def test_a_page_that_took_a_call_over_comes_back_without_a_ticket_of_its_own(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    """The ticket is used up, and the page may not know yet that it was."""
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice) as first:
        await first.start()
        ticket = await ticket_of(alice)
        async with Socket(registry, Mode.CALL, alice, page_id) as second:
            await second.start(take=ticket)
        async with Socket(registry, Mode.CALL, alice, page_id) as second:
            assert (await second.start(take=ticket))["action"] == "attached"
            assert open_lines(upstream) == 1


async def test_a_ticket_works_once(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        ticket = await ticket_of(alice)
        await second.start(take=ticket)
        async with Socket(registry, Mode.CALL, alice) as third:
            await third.send(type="start", page_id=third.page_id, take=ticket)
            assert await third.wait_closed() == 4403
            assert third.error_codes == ["hand_over.invalid"]
        await second.send(type="ping", t=1)
        assert await second.wait_for("pong")


async def test_nobody_else_can_use_it(registry: SessionRegistry, alice: User, bob: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, bob) as thief:
        await first.start()
        await thief.send(type="start", page_id=thief.page_id, take=await ticket_of(alice))
        assert await thief.wait_closed() == 4403
        assert await ask(lambda: Conversation.objects.filter(user=bob).count()) == 0


@pytest.mark.parametrize("ticket", ["", "nonsense", "eyJhIjoxfQ:x:y", "a" * 400])
async def test_no_ticket_is_made_up(registry: SessionRegistry, alice: User, ticket: str) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        if not ticket:
            assert (await page.start(take=ticket))["action"] == "new"
            return
        await page.send(type="start", page_id=page.page_id, take=ticket)
        assert await page.wait_closed() == 4403


async def test_after_two_minutes_it_is_void(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as first:
        await first.start()
        ticket = await ticket_of(alice)
        later = timezone.now() + datetime.timedelta(seconds=hand_over.VALID_S + 1)
        with time_machine.travel(later), pytest.raises(TicketInvalid):
            await ask(lambda: hand_over.use_ticket(alice, Mode.CALL, uuid.uuid4(), ticket))


async def test_a_newer_ticket_takes_the_place_of_an_older_one(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        old, new = await ticket_of(alice), await ticket_of(alice)
        await second.send(type="start", page_id=second.page_id, take=old)
        assert await second.wait_closed() == 4403
        async with Socket(registry, Mode.CALL, alice) as third:
            assert (await third.start(take=new))["action"] == "attached"


async def test_a_call_that_is_over_is_taken_over_by_nobody(registry: SessionRegistry, alice: User) -> None:
    with pytest.raises(NothingToHandOver):
        await ticket_of(alice)
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        ticket = await ticket_of(alice)
        await first.send(type="hangup")
        await first.wait_closed()
        await second.send(type="start", page_id=second.page_id, take=ticket)
        assert await second.wait_closed() == 4403
    with pytest.raises(NothingToHandOver):
        await ticket_of(alice)
