"""One call of a tool: noted, bounded, and over as soon as whoever asks has no right to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from config.logs import facts_of
from config.mcp import calls as calls_module
from config.mcp.calls import (
    ASKS_AT_ONCE_OF_A_USER,
    Calls,
    Failed,
    GivenUp,
    Refused,
    RightEnded,
    Tell,
    TookTooLong,
)
from sessions_app import tool_calls
from sessions_app.accounts import access_keys
from sessions_app.auth_tokens.callers import Caller
from sessions_app.models import AccessKey, ToolCall
from sessions_app.throttle import MCP_QUESTIONS, Limit, Rule, Scope, TooManyTries
from tests.services.processes import PATIENCE_S, eventually

pytestmark = pytest.mark.django_db(transaction=True)

QUICKLY_S = 0.02


class Held:
    """A tool that lasts until it is let go, and says whether it was given up."""

    def __init__(self) -> None:
        self.has_begun, self._go = threading.Event(), threading.Event()
        self.was_given_up = threading.Event()

    def __call__(self, tell: Tell) -> str:
        self.has_begun.set()
        try:
            while not self._go.wait(QUICKLY_S / 4):
                tell("Listening")
        except GivenUp:
            self.was_given_up.set()
            raise
        return "done"

    def let_go(self) -> None:
        self._go.set()


@pytest.fixture
def held() -> Iterator[Held]:
    tool = Held()
    yield tool
    tool.let_go()


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    running = Calls("http", recheck_every_s=QUICKLY_S)
    yield running
    running.close()


@pytest.fixture
def caller(alice: User) -> Caller:
    return Caller(alice, access_keys.make(alice, "laptop", AccessKey.Use.MCP).row)


Reported = list[tuple[float, str]]


async def call(
    calls: Calls,
    caller: Caller,
    work: Callable[[Tell], str],
    reported: Reported | None = None,
    *,
    asks: Rule | None = None,
) -> str:
    async def report(seconds: float, words: str) -> None:
        if reported is not None:
            reported.append((seconds, words))

    return await calls.run("a_tool", caller, work, report, asks)


@sync_to_async
def noted() -> list[tuple[str, str, str, str, str]]:
    rows = ToolCall.objects.order_by("id")
    return [(row.user.get_username(), row.key_name, row.transport, row.tool, row.outcome) for row in rows]


async def test_a_call_is_noted_with_who_asked_by_which_key_and_what_came_of_it(
    calls: Calls, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    assert await call(calls, caller, lambda tell: "a secret answer") == "a secret answer"
    assert await noted() == [("alice", "laptop", "http", "a_tool", "done")]
    row = await ToolCall.objects.aget()
    assert row.access_key_id == (caller.key and caller.key.pk)
    assert row.duration_ms is not None
    (logged,) = (facts_of(record) for record in caplog.records if record.message == "a call by MCP")
    assert logged.keys() == {"user", "access_key", "tool", "outcome", "duration_ms"}
    assert (logged["user"], logged["tool"], logged["outcome"]) == (caller.user.pk, "a_tool", "done")
    assert "secret" not in caplog.text


async def test_what_cannot_be_done_is_told_as_it_is_and_what_went_wrong_here_is_not(
    calls: Calls, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(tell: Tell) -> str:
        raise Refused("There is no such thing.")

    def fail(tell: Tell) -> str:
        raise ZeroDivisionError("of secrets")

    with pytest.raises(Refused, match="There is no such thing"):
        await call(calls, caller, refuse)
    with pytest.raises(Failed, match="Something went wrong here"):
        await call(calls, caller, fail)
    assert [row[-1] for row in await noted()] == ["refused", "failed"]
    assert any(record.exc_info for record in caplog.records)


async def test_a_call_ends_within_moments_when_its_key_is_revoked(calls: Calls, caller: Caller, held: Held) -> None:
    asked = asyncio.create_task(call(calls, caller, held))
    await asyncio.to_thread(held.has_begun.wait)
    assert caller.key is not None
    await sync_to_async(access_keys.revoke)(caller.user, caller.key.pk)
    with pytest.raises(RightEnded):
        await asked
    assert await asyncio.to_thread(held.was_given_up.wait, PATIENCE_S)
    assert [row[-1] for row in await noted()] == ["right ended"]


@pytest.mark.parametrize("has_key", [True, False])
async def test_and_when_its_account_is_closed(calls: Calls, caller: Caller, held: Held, has_key: bool) -> None:
    asked = asyncio.create_task(call(calls, caller if has_key else Caller(caller.user, None), held))
    await asyncio.to_thread(held.has_begun.wait)
    await sync_to_async(User.objects.filter(pk=caller.user.pk).update)(is_active=False)
    with pytest.raises(RightEnded):
        await asked


async def test_a_call_that_lasts_too_long_is_given_up(caller: Caller, held: Held) -> None:
    calls = Calls("http", limit_s=2 * QUICKLY_S, recheck_every_s=QUICKLY_S)
    with pytest.raises(TookTooLong):
        await call(calls, caller, held)
    assert await asyncio.to_thread(held.was_given_up.wait, PATIENCE_S)
    assert [row[-1] for row in await noted()] == ["too long"]
    calls.close()


async def test_a_call_whose_program_goes_is_given_up_and_noted(calls: Calls, caller: Caller, held: Held) -> None:
    asked = asyncio.create_task(call(calls, caller, held))
    await asyncio.to_thread(held.has_begun.wait)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await asyncio.to_thread(held.was_given_up.wait, PATIENCE_S)
    assert [row[-1] for row in await noted()] == ["left"]


async def test_who_waits_is_told_at_once_that_the_server_restarts(calls: Calls, caller: Caller, held: Held) -> None:
    asked = asyncio.create_task(call(calls, caller, held))
    await asyncio.to_thread(held.has_begun.wait)
    calls.leave()
    with pytest.raises(Refused, match="The server restarts"):
        await asked
    assert await asyncio.to_thread(held.was_given_up.wait, PATIENCE_S)
    with pytest.raises(Refused, match="The server restarts"):
        await call(calls, caller, held)
    assert [row[-1] for row in await noted()] == ["left"]


async def test_a_database_that_fails_is_a_failure_of_ours(
    calls: Calls, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*facts: object) -> int:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(tool_calls, "begin", fail)
    with pytest.raises(Failed, match="Something went wrong here"):
        await call(calls, caller, lambda tell: "")


async def test_progress_is_told_with_the_time_that_has_passed(calls: Calls, caller: Caller, held: Held) -> None:
    reported: Reported = []
    asked = asyncio.create_task(call(calls, caller, held, reported))
    await eventually(lambda: len(reported) >= 3)
    held.let_go()
    await asked
    assert {words for _, words in reported} == {"Listening"}
    assert [seconds for seconds, _ in reported] == sorted({seconds for seconds, _ in reported})


async def test_a_user_asks_few_questions_at_once_and_reads_meanwhile(calls: Calls, caller: Caller) -> None:
    questions = [Held() for _ in range(ASKS_AT_ONCE_OF_A_USER)]
    asking = [asyncio.create_task(call(calls, caller, question, asks=MCP_QUESTIONS)) for question in questions]
    for question in questions:
        await asyncio.to_thread(question.has_begun.wait, PATIENCE_S)
    with pytest.raises(Refused, match="being answered already"):
        await call(calls, caller, lambda tell: "", asks=MCP_QUESTIONS)
    assert await call(calls, caller, lambda tell: "read") == "read"
    for question in questions:
        question.let_go()
    assert await asyncio.gather(*asking) == ["done"] * ASKS_AT_ONCE_OF_A_USER
    assert await call(calls, caller, lambda tell: "again", asks=MCP_QUESTIONS) == "again"


async def test_who_asks_too_often_waits_and_what_is_refused_for_that_is_no_row(
    calls: Calls, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        calls_module, "MCP_CALLS", Rule("MCP call", "Too many calls.", {Scope.ACCOUNT: Limit(3, 3600, 60)})
    )
    once = Rule("MCP question", "Too many questions.", {Scope.ACCOUNT: Limit(1, 3600, 60)})
    await call(calls, caller, lambda tell: "", asks=once)
    with pytest.raises(TooManyTries, match="Too many questions"):
        await call(calls, caller, lambda tell: "", asks=once)
    await call(calls, caller, lambda tell: "")
    with pytest.raises(TooManyTries, match="Too many calls"):
        await call(calls, caller, lambda tell: "")
    assert [row[-1] for row in await noted()] == ["done", "refused", "done"]


def test_calls_are_forgotten_after_ninety_days(caller: Caller, db: None) -> None:
    old, new = (tool_calls.begin(caller, "http", "a_tool") for _ in range(2))
    ToolCall.objects.filter(pk=old).update(at=timezone.now() - tool_calls.KEPT_FOR)
    assert tool_calls.prune() == 1
    assert list(ToolCall.objects.values_list("pk", flat=True)) == [new]


def test_a_key_that_is_revoked_leaves_its_name(caller: Caller, db: None) -> None:
    tool_calls.begin(caller, "http", "a_tool")
    assert caller.key is not None
    access_keys.revoke(caller.user, caller.key.pk)
    row = ToolCall.objects.get()
    assert (row.access_key, row.key_name) == (None, "laptop")
