"""A live session of a conversation that is longer than it holds."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.live.machine.events import Action, State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.page import EarlierTurns
from sessions_app.live.transcript import Role
from sessions_app.live.turn_window import TURNS_AT_ONCE, TurnWindow
from tests.fakes.energy import NEWEST
from tests.live.stage import CONSUMED_S, Stage, a_turn

BAD_KEY = Failure(1007, "API key not valid. Please pass a valid API key.", Phase.SETUP)
NEWER = (a_turn(500, "And today?", id="typed-500"), a_turn(501, "Rain.", Role.MODEL))
RESUMED: dict[str, Any] = {"handle": "h", "handle_model": NEWEST, "covered_turn": 501, "same_page": True}


async def test_a_page_is_told_that_there_is_more_than_it_is_shown() -> None:
    stage = await Stage(turns=NEWER, earlier=EarlierTurns(exist=True)).open()
    (ready,) = stage.page.readies
    assert (ready.turns, ready.more) == (NEWER, True)


async def test_a_page_that_comes_back_is_shown_the_newest_turns_of_a_session_that_has_grown() -> None:
    stage = await Stage().open_quietly()
    for number in range(TURNS_AT_ONCE // 2 + 1):
        await stage.exchange(f"typed-{number}", "Hello", "Hello!")
    stage.manager.attach(stage.page)
    ready = stage.page.readies[-1]
    assert (ready.action, len(ready.turns), ready.more) == (Action.ATTACHED, TURNS_AT_ONCE, True)
    assert ready.turns[-1].text == "Hello!"


async def test_without_a_session_the_page_is_told_that_there_is_more_too() -> None:
    stage = Stage(turns=NEWER, earlier=EarlierTurns(exist=True))
    stage.upstream.script(BAD_KEY)
    await stage.open()
    assert stage.page.shows(State.FAILED)
    assert [text for _, text, _ in stage.page.lines] == ["And today?", "Rain."]
    assert stage.page.all_of("turns") == [TurnWindow(more=True)]


async def test_what_is_not_shown_is_part_of_the_context_as_far_as_it_fits() -> None:
    spoken = (a_turn(3, "My code word is PLUM-42."), a_turn(4, "Noted.", Role.MODEL))
    stage = await Stage(turns=NEWER, earlier=EarlierTurns(exist=True, spoken=spoken)).open()
    assert stage.upstream.attempts[0].setup.history == (*spoken, *NEWER)
    assert stage.page.readies[0].turns == NEWER


async def test_an_answered_message_of_long_ago_is_acknowledged_and_not_delivered_again() -> None:
    """The page had lost the acknowledgement, and somewhere else the conversation went on."""
    earlier = EarlierTurns(exist=True, typed={"typed-7": 7})
    stage = await Stage(turns=NEWER, earlier=earlier, **RESUMED).open_quietly()
    stage.manager.take_text("typed-7", "Hello")
    await stage.wait(CONSUMED_S)
    assert stage.connection.texts == []
    assert stage.page.acks == [(0, ("typed-7",))]
    assert stage.page.all_of("turn") == []


async def test_an_unanswered_message_of_long_ago_is_delivered_and_makes_no_second_turn() -> None:
    """So much was typed into a long outage that its first message is not among the turns that are held."""
    waiting = tuple(a_turn(number, "Are you there?", id=f"typed-{number}") for number in range(500, 503))
    earlier = EarlierTurns(exist=True, typed={"typed-2": 2, "typed-9": 9}, last_reply=3, last_whole_reply=3)
    stage = await Stage(turns=waiting, earlier=earlier, **RESUMED).open_quietly()
    stage.manager.take_text("typed-9", "Are you there?")
    stage.manager.take_text("typed-2", "Hello")
    await stage.wait(CONSUMED_S)
    assert stage.connection.texts == ["Are you there?"]
    assert stage.page.acks == [(0, ("typed-2",))]
    assert stage.store.turns == {}


@pytest.mark.parametrize(("covered_turn", "is_behind"), [(3, False), (2, True)])
async def test_the_last_reply_of_long_ago_says_whether_the_handle_is_behind(covered_turn: int, is_behind: bool) -> None:
    waiting = (a_turn(500, "Are you there?", id="typed-500"),)
    spoken = (a_turn(3, "Good night.", Role.MODEL),)
    earlier = EarlierTurns(exist=True, spoken=spoken, last_reply=3, last_whole_reply=3)
    opening = RESUMED | {"covered_turn": covered_turn}
    stage = await Stage(turns=waiting, earlier=earlier, **opening).open()
    assert stage.upstream.attempts[0].setup.handle == "h"
    assert stage.connection.past_turns == ([spoken] if is_behind else [])
