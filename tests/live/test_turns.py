"""Who has the word."""

from __future__ import annotations

import itertools

import pytest

from sessions_app.live.machine.turns import TurnMachine, TurnState

LISTENING, GENERATING, SPEAKING = TurnState.LISTENING, TurnState.GENERATING, TurnState.SPEAKING


def turn_in(state: TurnState) -> TurnMachine:
    turn = TurnMachine()
    if state is not LISTENING:
        turn.reply_began()
    if state is SPEAKING:
        turn.generation_completed()
    return turn


@pytest.mark.parametrize(
    ("state", "after", "is_first"),
    [(LISTENING, GENERATING, True), (GENERATING, GENERATING, False), (SPEAKING, SPEAKING, False)],
)
def test_the_first_output_begins_a_reply_and_later_output_does_not(
    state: TurnState, after: TurnState, is_first: bool
) -> None:
    turn = turn_in(state)
    assert turn.reply_began() is is_first
    assert turn.state is after


@pytest.mark.parametrize(
    ("state", "after", "was_there"),
    [(LISTENING, LISTENING, False), (GENERATING, SPEAKING, True), (SPEAKING, SPEAKING, False)],
)
def test_a_reply_is_produced_once_and_only_if_there_is_one(state: TurnState, after: TurnState, was_there: bool) -> None:
    turn = turn_in(state)
    assert turn.generation_completed() is was_there
    assert turn.state is after


@pytest.mark.parametrize("state", TurnState)
def test_the_end_of_a_turn_says_where_it_stood(state: TurnState) -> None:
    turn = turn_in(state)
    assert turn.ended() is state
    assert turn.state is LISTENING


@pytest.mark.parametrize("signals", list(itertools.product(("reply_began", "generation_completed", "ended"), repeat=5)))
def test_signals_in_any_order_leave_a_state_that_the_next_turn_can_begin_from(signals: tuple[str, ...]) -> None:
    turn = TurnMachine()
    for signal in signals:
        getattr(turn, signal)()
    turn.ended()
    assert turn.reply_began()
    assert turn.generation_completed()
    assert turn.ended() is SPEAKING
