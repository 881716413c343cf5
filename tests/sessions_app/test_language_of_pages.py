"""Two pages of one process are told the same things, each in its own language."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from energy.levels import Mode
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.wire import TYPED_LIMIT_CHARACTERS
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.transcript import TurnCode
from sessions_app.models import Turn
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Message, Socket
from tests.sessions_app.talking import ask, exchange
from tests.translations.pseudo import is_turned, read

pytestmark = pytest.mark.django_db(transaction=True)

QUOTA = Failure(1011, "You exceeded your current quota, please check your plan and billing details.", Phase.LIVE)


async def both(one: Any, other: Any) -> tuple[Message, Message]:
    first, second = await asyncio.gather(one, other)
    return first, second


def assert_told_in_both(turned: Message, english: Message) -> None:
    assert is_turned(turned["text"])
    assert not is_turned(english["text"])
    assert read(turned["text"]) == english["text"]


async def test_toasts_errors_notices_and_lines_of_our_own_are_in_the_language_of_each_page(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User, pseudo_language: str
) -> None:
    """Nothing of it is known to who says it, and rows are in English."""
    turned = Socket(registry, Mode.CALL, alice, language=pseudo_language)
    english = Socket(registry, Mode.CALL, bob)
    async with turned, english:
        for page in (turned, english):
            await page.start()
            await exchange(page, upstream, "m-1", "Good morning.", "Good morning to you.")
        for connection in upstream.connections:
            connection.drop(QUOTA)
        notices = await both(
            turned.wait_for("toast", code="energy.lower"), english.wait_for("toast", code="energy.lower")
        )
        assert_told_in_both(*notices)
        assert "The quota of the best model is used up." in notices[1]["text"]

        for page in (turned, english):
            page._seen = 0
        lines = await both(
            turned.wait_for("turn", code=TurnCode.ENERGY_LOWER), english.wait_for("turn", code=TurnCode.ENERGY_LOWER)
        )
        assert_told_in_both(*lines)

        for page in (turned, english):
            await page.send(type="text", id="m-2", text="x" * (TYPED_LIMIT_CHARACTERS + 1))
        errors = await both(turned.wait_for("error", id="m-2"), english.wait_for("error", id="m-2"))
        assert is_turned(errors[0]["text"])
        assert errors[1]["text"] == "A message has at most 32,000 characters."

    kept = await ask(lambda: list(Turn.objects.filter(code=TurnCode.ENERGY_LOWER).values_list("text", flat=True)))
    assert set(kept) == {lines[1]["text"]}


async def test_a_page_that_comes_back_in_another_language_has_its_lines_in_that(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, pseudo_language: str
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start()
        await exchange(page, upstream, "m-1", "Good morning.", "Good morning to you.")
        upstream.connection.drop(QUOTA)
        line = await page.wait_for("turn", code=TurnCode.ENERGY_LOWER)
        assert not is_turned(line["text"])
    async with Socket(registry, Mode.CALL, alice, language=pseudo_language) as page:
        again = await page.start(**{"continue": ready["conversation"]})
        (told,) = [turn for turn in again["transcript"] if turn.get("code") == TurnCode.ENERGY_LOWER]
        assert_told_in_both(told, line)
        assert "Good morning." in [turn["text"] for turn in again["transcript"]]


async def test_who_is_not_logged_in_is_told_so_in_the_language_of_the_page(
    registry: SessionRegistry, pseudo_language: str
) -> None:
    async with Socket(registry, Mode.TEXT, AnonymousUser(), language=pseudo_language) as page:
        assert is_turned((await page.wait_for("error", code="auth.login"))["text"])
