"""The fakes do what their interfaces promise."""

from __future__ import annotations

import asyncio

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import State, TellState
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.manager import Energy
from sessions_app.live.page import Page, Store
from sessions_app.live.providers.upstream import Connection, ReplyWords, Setup, Upstream, UpstreamFailed
from sessions_app.live.transcript import Role, Turn, TurnStatus
from tests.fakes.energy import NEWEST, OLDER, OLDEST, FakeEnergy
from tests.fakes.page import FakePage
from tests.fakes.store import FakeStore
from tests.fakes.upstream import CUT, REFUSED, Answer, AudioEnded, FakeConnection, FakeUpstream

SETUP = Setup("gemini-3.8-live", "You are kind.", "Kore")


def test_the_fakes_are_what_the_driver_needs() -> None:
    """Read by mypy: each fake can stand where its interface is asked for."""
    upstream: Upstream = FakeUpstream()
    connection: Connection = FakeConnection(SETUP)
    page: Page = FakePage()
    store: Store = FakeStore()
    energy: Energy = FakeEnergy()
    assert all((upstream, connection, page, store, energy))


async def test_a_script_is_played_and_then_the_provider_answers_as_otherwise() -> None:
    upstream = FakeUpstream()
    upstream.script(REFUSED, Answer(after_s=0.01))
    with pytest.raises(UpstreamFailed) as refused:
        await upstream.connect(SETUP)
    assert refused.value.failure is REFUSED
    assert await upstream.connect(SETUP) is upstream.connection
    await upstream.connect(SETUP)
    assert [attempt.connection is None for attempt in upstream.attempts] == [True, False, False]


async def test_a_set_up_that_takes_too_long_fails_by_itself() -> None:
    upstream = FakeUpstream()
    upstream.script(Answer(after_s=60))
    with pytest.raises(UpstreamFailed) as timed_out:
        await upstream.connect(Setup("gemini-3.8-live", "", "Kore", timeout_ms=10))
    assert timed_out.value.failure == Failure(0, "timed out", Phase.SETUP)


async def test_a_connection_says_what_it_is_fed_until_it_is_dropped() -> None:
    connection = FakeConnection(SETUP)
    connection.feed(ReplyWords("Hello"), ReplyWords(" there"))
    connection.drop()
    said = connection.messages()
    assert [await anext(said), await anext(said)] == [ReplyWords("Hello"), ReplyWords(" there")]
    with pytest.raises(UpstreamFailed) as dropped:
        await anext(said)
    assert dropped.value.failure is CUT


async def test_a_connection_keeps_what_it_is_sent_in_order_until_it_is_dropped() -> None:
    connection = FakeConnection(SETUP)
    assert connection.try_send_audio(b"\1\2")
    await connection.send_text("Hello")
    await connection.send_audio_end()
    assert connection.sent == [b"\1\2", "Hello", AudioEnded()]
    assert connection.audio == [b"\1\2"]
    assert connection.texts == ["Hello"]
    connection.drop()
    assert not connection.try_send_audio(b"\3\4")
    with pytest.raises(UpstreamFailed):
        await connection.send_text("Is anybody there?")


async def test_a_stalled_connection_takes_nothing_until_it_is_free_again() -> None:
    connection = FakeConnection(SETUP)
    connection.stall()
    sending = asyncio.create_task(connection.send_audio(b"\1\2"))
    await asyncio.sleep(0)
    assert not connection.try_send_audio(b"\3\4")
    assert connection.sent == []
    connection.unstall()
    await sending
    assert connection.sent == [b"\1\2"]


async def test_a_page_shows_the_newest_form_of_each_line() -> None:
    page = FakePage()
    page.tell_turn(Turn(1, Role.MODEL, "Hel", TurnStatus.PARTIAL, 0))
    page.tell_turn(Turn(0, Role.USER, "Hi", TurnStatus.COMPLETE, 0))
    page.tell_turn(Turn(1, Role.MODEL, "Hello", TurnStatus.COMPLETE, 0))
    page.tell_state(TellState(State.LIVE))
    assert page.lines == [("user", "Hi", "complete"), ("model", "Hello", "complete")]
    assert page.states == [State.LIVE]


async def test_a_page_does_not_hear_what_was_flushed() -> None:
    page = FakePage()
    page.play(0, b"old")
    page.tell_flush()
    page.play(1, b"new")
    assert page.heard == b"new"
    assert page.played == [(0, b"old"), (1, b"new")]


async def test_a_broken_store_raises_and_keeps_nothing() -> None:
    store = FakeStore()
    await store.save_handle("h-1", "gemini-3.8-live", "", 3, 4)
    store.is_broken = True
    with pytest.raises(OSError, match="not there"):
        await store.forget_handle()
    assert store.handle is not None
    assert store.tries == 2


async def test_the_energy_bar_begins_where_its_models_do() -> None:
    assert FakeEnergy().get_level(Mode.CALL).number == 3
    energy = FakeEnergy([OLDER, OLDEST])
    assert [energy.get_level(mode).model for mode in (Mode.CALL, Mode.TEXT)] == [OLDER, OLDER]
    for model, then in ((OLDER, OLDEST), (OLDEST, "")):
        news = await energy.handle_rate_limit_error(Mode.TEXT, CUT, model)
        assert news.change.level.model == then
    assert energy.get_level(Mode.TEXT).is_exhausted
    assert FakeEnergy([NEWEST]).get_level(Mode.TEXT).number == 1
