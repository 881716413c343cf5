"""A new call that goes on from an earlier one: what each of its sessions is told of that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy.levels import Mode
from sessions_app.live.context import (
    CONTEXT_BUDGET_TOKENS,
    EARLIER_CALL_LIMIT_TOKENS,
    TURNS_KEPT_AT_LEAST,
    Context,
    EarlierCall,
    Recap,
    context_of,
    instruction_with,
)
from sessions_app.live.machine.events import Action
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.page import Assistant
from sessions_app.live.tokens import estimate_tokens
from sessions_app.live.transcript import Role, TurnCode
from tests.fakes.energy import NEWEST, OLDER
from tests.fakes.upstream import CUT
from tests.live.stage import INSTRUCTION, Stage, a_turn
from tests.live.test_swaps import QUOTA

ENDED_AT = datetime(2026, 11, 27, 9, 12, tzinfo=UTC)
EARLIER = EarlierCall("call-0", "A trip", ENDED_AT, timedelta(hours=3), "They planned a trip to Rome.")
BEGUN = Recap("", -1, EARLIER)
LINE = replace(a_turn(0, "This call goes on from an earlier one.", Role.SYSTEM), code=TurnCode.GOES_ON)
DEAD_HANDLE = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)


async def a_call_that_goes_on(handle: str | None = None) -> Stage:
    """With a turn of its own behind it."""
    stage = await Stage(Mode.CALL, turns=(LINE,), recap=BEGUN).open()
    stage.store.recap = BEGUN
    await stage.exchange("1", "My code word is plum.", "Noted.", handle)
    await stage.wait(20)
    return stage


def instructions(stage: Stage) -> list[str]:
    return [attempt.setup.instruction for attempt in stage.upstream.attempts]


# -- the words ---------------------------------------------------------------------------------------------------------


def test_the_model_knows_that_it_was_another_call_and_that_it_is_over() -> None:
    text = instruction_with(Context(earlier_call=EARLIER), INSTRUCTION, turns_in_history=True)
    assert text.startswith(
        f"{INSTRUCTION}\n\nYou talked with the same person in an earlier call, which ended 3 hours before"
    )
    assert "never act as if it had not ended" in text
    assert text.endswith(EARLIER.notes)
    assert "middle of a conversation" not in text


def test_what_was_said_in_the_call_itself_comes_after_that_and_is_told_apart() -> None:
    text = instruction_with(Context((a_turn(1, "Plum."),), "They met.", EARLIER), INSTRUCTION, turns_in_history=False)
    places = [text.index(part) for part in (EARLIER.notes, "You are in the middle", "They met.", "User: Plum.")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(0), "a moment"),
        (timedelta(seconds=70), "a moment"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(minutes=120), "2 hours"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=6, hours=5), "6 days"),
    ],
)
def test_how_long_ago_it_was_is_said_in_the_unit_that_fits(gap: timedelta, words: str) -> None:
    told = instruction_with(Context(earlier_call=replace(EARLIER, gap=gap)), "", turns_in_history=True)
    assert f"which ended {words} before" in told


def test_notes_and_turns_share_the_budget_of_the_context() -> None:
    notes = "word " * int(EARLIER_CALL_LIMIT_TOKENS * 0.8)
    turns = tuple(a_turn(number, "word " * 100) for number in range(100))
    context = context_of(turns, Recap("", -1, replace(EARLIER, notes=notes)))
    assert len(context.turns) > TURNS_KEPT_AT_LEAST
    spent = sum(estimate_tokens(turn.text) + 1 for turn in context.turns) + estimate_tokens(notes)
    assert CONTEXT_BUDGET_TOKENS * 0.9 < spent <= CONTEXT_BUDGET_TOKENS


# -- the sessions ------------------------------------------------------------------------------------------------------


async def test_a_new_call_is_new_and_its_first_session_knows_the_earlier_one() -> None:
    stage = await Stage(Mode.CALL, turns=(LINE,), recap=BEGUN).open()
    (ready,) = stage.page.readies
    assert (ready.action, ready.turns, ready.summary, ready.earlier_call) == (Action.NEW, (LINE,), "", EARLIER)
    assert EARLIER.notes in instructions(stage)[0]
    assert stage.upstream.attempts[0].setup.history == ()
    assert stage.page.toasts == []


async def test_a_rebuilt_session_knows_both_calls() -> None:
    stage = await a_call_that_goes_on("h-1")
    stage.upstream.script(DEAD_HANDLE)
    stage.connection.drop(CUT)
    await stage.wait(3)
    assert stage.page.readies[-1].action is Action.REBUILT
    setup = stage.upstream.attempts[-1].setup
    assert EARLIER.notes in setup.instruction
    assert [turn.text for turn in setup.history] == ["My code word is plum.", "Noted."]


async def test_the_next_model_of_the_ladder_knows_it_too() -> None:
    stage = await a_call_that_goes_on()
    stage.connection.drop(QUOTA)
    await stage.wait(3)
    assert [attempt.setup.model for attempt in stage.upstream.attempts] == [NEWEST, OLDER]
    assert all(EARLIER.notes in text for text in instructions(stage))


async def test_a_resume_keeps_the_instruction_that_its_session_was_begun_with() -> None:
    stage = await a_call_that_goes_on("h-1")
    stage.connection.drop(CUT)
    await stage.wait(3)
    assert stage.upstream.attempts[-1].setup.handle == "h-1"
    first, resumed = instructions(stage)
    assert resumed == first


async def test_so_does_a_resume_in_another_process() -> None:
    told = instruction_with(Context(earlier_call=EARLIER), INSTRUCTION, turns_in_history=True)
    turns = (LINE, a_turn(1, "Plum."), a_turn(2, "Noted.", Role.MODEL))
    stage = await Stage(
        Mode.CALL, turns=turns, recap=BEGUN, handle="h", handle_model=NEWEST, covered_turn=2, same_page=True
    ).open()
    assert (stage.upstream.attempts[0].setup.handle, instructions(stage)) == ("h", [told])


async def test_other_settings_change_nothing_about_it() -> None:
    stage = await a_call_that_goes_on("h-1")
    stage.manager.use(Assistant("Be brief.", "Puck"))
    await stage.wait(5)
    assert stage.upstream.attempts[-1].setup.voice == "Puck"
    assert instructions(stage)[-1].startswith("Be brief.\n\nYou talked with the same person in an earlier call")


async def test_a_call_that_was_deleted_meanwhile_is_not_told_of_any_more() -> None:
    stage = await a_call_that_goes_on()
    stage.store.recap = None
    await stage.exchange("2", "And a dog.", "Noted.")
    await stage.wait(20)
    stage.connection.drop(CUT)
    await stage.wait(3)
    assert EARLIER.notes not in instructions(stage)[-1]
    assert stage.page.readies[-1].earlier_call is None
