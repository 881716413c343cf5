"""What a session without memory is given of the past."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.context import (
    TURNS_KEPT_AT_LEAST,
    Context,
    Recap,
    as_text,
    context_of,
    instruction_with,
    select_turns,
)
from sessions_app.live.transcript import Role, Turn, TurnStatus

INSTRUCTION = "You are kind."


def turn(number: int, text: str, role: Role = Role.USER, status: TurnStatus = TurnStatus.COMPLETE) -> Turn:
    return Turn(number, role, text, status, at_ms=0)


def talk(count: int, text: str = "word " * 20) -> tuple[Turn, ...]:
    return tuple(turn(number, text, (Role.USER, Role.MODEL)[number % 2]) for number in range(count))


def test_a_short_conversation_goes_in_whole() -> None:
    assert select_turns(talk(30)) == talk(30)


def test_the_oldest_turns_are_dropped_first() -> None:
    turns = talk(100)
    kept = select_turns(turns, budget_tokens=300)
    assert 0 < len(kept) < 100
    assert kept == turns[-len(kept) :]


def test_the_last_turns_go_in_even_beyond_the_budget() -> None:
    turns = talk(20, text="word " * 5_000)
    assert select_turns(turns, budget_tokens=10) == turns[-TURNS_KEPT_AT_LEAST:]


def test_what_was_said_in_another_script_fills_the_budget_as_fast_as_it_fills_a_prompt() -> None:
    """Four characters to a token would keep four times the budget of Chinese."""
    turns = tuple(turn(number, "今天天气很好。我们出去走走吧。" * 10) for number in range(40))
    assert len(select_turns(turns, budget_tokens=1_600)) == 10
    recap = Recap("昨天下了一整天的雨。" * 590, until_turn=0)
    assert len(context_of(turns, recap).turns) == TURNS_KEPT_AT_LEAST


def test_our_own_lines_and_empty_ones_stay_out() -> None:
    turns = (turn(0, "Hello"), turn(1, "  ", Role.MODEL), turn(2, "The energy is low.", Role.SYSTEM), turn(3, "So?"))
    assert [one.number for one in select_turns(turns)] == [0, 3]


@given(
    st.lists(st.tuples(st.sampled_from(Role), st.text(max_size=400)), max_size=60),
    st.integers(0, 3_000),
)
def test_what_is_selected_is_the_end_of_what_was_said(lines: list[tuple[Role, str]], budget: int) -> None:
    turns = tuple(turn(number, text, role) for number, (role, text) in enumerate(lines))
    spoken = [one for one in turns if one.role is not Role.SYSTEM and one.text.strip()]
    kept = list(select_turns(turns, budget))
    assert kept == spoken[len(spoken) - len(kept) :]
    assert len(kept) >= min(len(spoken), TURNS_KEPT_AT_LEAST)


def test_without_history_the_turns_are_written_into_the_instruction() -> None:
    text = instruction_with(Context(talk(2, "PLUM-42")), INSTRUCTION, turns_in_history=False)
    assert text.startswith(INSTRUCTION)
    assert "Do not greet again" in text
    assert "User: PLUM-42\nYou: PLUM-42" in text


def test_with_history_the_instruction_does_not_repeat_the_turns() -> None:
    text = instruction_with(Context(talk(2, "PLUM-42"), "They met."), INSTRUCTION, turns_in_history=True)
    assert "PLUM-42" not in text
    assert "They met." in text
    assert "Do not greet again" in text


def test_what_was_cut_off_is_marked() -> None:
    turns = (turn(0, "Tell me."), turn(1, "Once upon", Role.MODEL, TurnStatus.INTERRUPTED))
    assert as_text(turns) == "User: Tell me.\nYou: Once upon [cut off]"


def test_an_empty_context_is_false() -> None:
    assert not Context()
    assert Context(summary="They met.")
    assert Context(talk(1))
