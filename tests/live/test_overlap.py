"""Where the provider allows it a planned swap dials before it closes; where it counts what it took in, that counts."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import State, TellState
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import GoAway, HandleUpdate
from tests.fakes.upstream import Answer
from tests.live.stage import Stage, numbers

REFUSED_OVERLAP = Failure(1011, "Internal error encountered.", Phase.SETUP)


async def an_overlapping_call() -> Stage:
    stage = await Stage(Mode.CALL, overlaps=True).open()
    await stage.speak(3)
    await stage.offer("h-1")
    stage.page.told.clear()
    return stage


async def test_an_overlapping_swap_dials_while_the_old_connection_is_open_and_loses_nothing() -> None:
    stage = await an_overlapping_call()
    old = stage.connection
    old.close_takes_s = 3.0
    stage.upstream.script(Answer(after_s=0.2))
    await stage.hear(GoAway(50_000))
    went_away = stage.now_s
    spoken = await stage.speak(20)
    assert stage.upstream.attempts[1].at_s == pytest.approx(went_away, abs=0.01)
    assert stage.page.states == [State.HANDOVER, State.LIVE]
    assert numbers(stage.connection.audio) == spoken
    await stage.wait(4)
    assert old.is_closed


async def test_an_overlap_that_is_refused_is_tried_again_once_the_old_connection_has_gone() -> None:
    stage = await an_overlapping_call()
    old = stage.connection
    stage.upstream.script(REFUSED_OVERLAP)
    await stage.hear(GoAway(50_000))
    spoken = await stage.speak(30)
    assert old.is_closed
    assert stage.upstream.attempts[2].setup.handle == "h-1"
    assert numbers(stage.connection.audio) == spoken
    assert stage.page.states == [State.HANDOVER, State.LIVE]


async def test_hanging_up_in_the_middle_of_an_overlap_closes_both() -> None:
    stage = await an_overlapping_call()
    old = stage.connection
    stage.upstream.script(Answer(after_s=2.0))
    await stage.hear(GoAway(50_000))
    stage.manager.hang_up()
    await stage.wait(1)
    assert old.is_closed
    assert stage.manager.finished.is_set()


async def test_hanging_up_before_the_overlapping_dial_has_begun_closes_the_old_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await an_overlapping_call()
    old = stage.connection
    tell_state = stage.page.tell_state

    def hang_up_at_once(told: TellState) -> None:
        tell_state(told)
        if told.state is State.HANDOVER:
            stage.manager.hang_up()

    monkeypatch.setattr(stage.page, "tell_state", hang_up_at_once)
    await stage.hear(GoAway(50_000))
    await stage.wait(1)
    assert old.is_closed
    assert len(stage.upstream.attempts) == 1
    assert stage.manager.finished.is_set()


async def test_a_handle_that_says_what_it_consumed_covers_just_that() -> None:
    stage = await Stage(Mode.CALL).open()
    spoken = await stage.speak(10)
    await stage.wait(5)
    await stage.hear(HandleUpdate("h-1", consumed_index=4))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == spoken[4:]
