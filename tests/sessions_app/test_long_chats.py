"""A text chat of 20,000 turns opens, and a page that scrolls up is told what was said before."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from energy.levels import Mode
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.models import Conversation, Turn
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Message, Socket
from tests.sessions_app.talking import ask

pytestmark = pytest.mark.django_db(transaction=True)

LONG = 20_000
TEXT = "This is about what somebody says in one turn of a chat, and it is repeated a few times. " * 4
SOCKET_LIMIT_BYTES = 1024 * 1024


def say(talk: Conversation, count: int, page_id: str | None = None) -> None:
    Turn.objects.bulk_create(
        (
            Turn(
                conversation=talk,
                number=number,
                role="model" if number % 2 else "user",
                text=f"{number} {TEXT}",
                status="complete",
                page_id=page_id,
                client_id="" if number % 2 or page_id is None else f"typed-{number}",
                at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            for number in range(count)
        ),
        batch_size=1_000,
    )


def chat(user: User, count: int, page_id: str | None = None) -> Conversation:
    talk = Conversation.objects.create(user=user, mode=Mode.TEXT)
    say(talk, count, page_id)
    return talk


def numbers(turns: list[dict[str, Any]]) -> list[int]:
    return [turn["turn"] for turn in turns]


def size_bytes(message: Message) -> int:
    return len(json.dumps(message, ensure_ascii=False).encode())


async def older(page: Socket, before: int) -> Message:
    await page.send(type="older", before=before)
    return await page.wait_for("turns")


async def test_a_chat_of_20_000_turns_opens_with_the_newest_of_them(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    await ask(lambda: chat(alice, LONG))
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start()
        assert (ready["action"], ready["more"]) == ("rebuilt", True)
        assert numbers(ready["transcript"]) == list(range(LONG - 200, LONG))
        assert size_bytes(ready) < SOCKET_LIMIT_BYTES / 2
        assert upstream.connection.setup.history[-1].number == LONG - 1
        await page.send(type="text", id="typed-1", text="And now?")
        assert (await page.wait_for("turn", id="typed-1"))["turn"] == LONG


async def test_a_page_that_scrolls_up_comes_to_the_first_turn(registry: SessionRegistry, alice: User) -> None:
    await ask(lambda: chat(alice, 650))
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start()
        seen, more = numbers(ready["transcript"]), ready["more"]
        while more:
            answer = await older(page, seen[0])
            assert set(answer) == {"type", "turns", "more"}
            seen, more = numbers(answer["turns"]) + seen, answer["more"]
        assert seen == list(range(650))
        assert await older(page, 0) == {"type": "turns", "turns": [], "more": False}


async def test_a_short_chat_has_no_more(registry: SessionRegistry, alice: User) -> None:
    await ask(lambda: chat(alice, 200))
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start()
        assert (len(ready["transcript"]), ready["more"]) == (200, False)


async def test_nobody_elses_turns_are_told(registry: SessionRegistry, alice: User, bob: User) -> None:
    await ask(lambda: chat(alice, 300))
    await ask(lambda: chat(bob, 2))
    async with Socket(registry, Mode.TEXT, bob) as page:
        await page.start()
        assert numbers((await older(page, LONG))["turns"]) == [0, 1]


async def test_turns_of_the_conversation_that_a_call_continues_are_told_in_the_call(
    registry: SessionRegistry, alice: User
) -> None:
    talk = await ask(lambda: chat(alice, 300))
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start(**{"continue": str(talk.pk)})
        assert numbers(ready["transcript"]) == list(range(100, 300))
        assert numbers((await older(page, 100))["turns"]) == list(range(100))


async def test_after_a_reset_nothing_of_before_is_told(registry: SessionRegistry, alice: User) -> None:
    await ask(lambda: chat(alice, 300))
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(type="older", before=100)
        await page.send(type="reset")
        ready = await page.wait_for("ready")
        assert (ready["transcript"], ready["more"]) == ([], False)
        told = len(page.of_type("turns"))
        assert await older(page, 100) == {"type": "turns", "turns": [], "more": False}
        assert len(page.of_type("turns")) == told + 1


async def test_an_old_message_that_is_sent_again_is_acknowledged_and_not_delivered_twice(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    """The page lost its acknowledgement, another page went on with the chat, and it is taken back."""
    async with Socket(registry, Mode.TEXT, alice) as page:
        ready = await page.start()
        page_id = page.page_id
    await ask(lambda: say(Conversation.objects.get(pk=ready["conversation"]), 1_000, page_id))
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()  # another page: the live session of the first one ends
    async with Socket(registry, Mode.TEXT, alice, uuid.UUID(page_id)) as page:
        await page.start()
        await page.send(type="text", id="typed-2", text="2 " + TEXT)
        await page.wait_for("ack", ids=["typed-2"])
        await page.send(type="text", id="typed-new", text="New.")
        await page.wait_for("turn", id="typed-new")
        await asyncio.sleep(0.5)
        assert upstream.connection.texts == ["New."]
    assert await ask(lambda: Turn.objects.filter(client_id="typed-2").count()) == 1


@pytest.mark.parametrize("before", [None, "5", -1, 2**31, 1.5, True, [1]])
async def test_what_is_no_turns_number_is_refused_and_the_conversation_goes_on(
    before: Any, registry: SessionRegistry, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(type="older", before=before)
        error = await page.wait_for("error")
        assert (error["code"], error["fatal"]) == ("protocol.malformed", False)
        assert (await older(page, 5))["turns"] == []


async def test_before_the_start_there_is_nothing_to_ask_for(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.send(type="older", before=5)
        assert (await page.wait_for("error"))["code"] == "protocol.start_first"


async def test_who_asks_too_often_is_answered_like_any_flood(registry: SessionRegistry, alice: User) -> None:
    await ask(lambda: chat(alice, 300))
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        for number in range(300):
            await page.send(type="older", before=number)
        assert await page.wait_closed() == 4429
        assert len(page.of_type("turns")) <= 40


async def test_of_requests_that_come_together_the_last_is_answered(registry: SessionRegistry, alice: User) -> None:
    await ask(lambda: chat(alice, 300))
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        for before in (10, 20, 30):
            await page.send(type="older", before=before)
        while numbers((await page.wait_for("turns"))["turns"])[-1] != 29:
            pass
        assert 1 <= len(page.of_type("turns")) <= 3


async def test_a_database_that_cannot_be_asked_costs_the_answer_and_not_the_conversation(
    registry: SessionRegistry, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the database is not there")

    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
            patch.setattr("sessions_app.stored_turns.turns_before", fail)
            await page.send(type="older", before=5)
            error = await page.wait_for("error")
        assert (error["code"], error["fatal"]) == ("older.unavailable", False)
        assert (await older(page, 5))["turns"] == []
