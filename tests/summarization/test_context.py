"""What a session without memory is given: pure but for the recap's name."""

from __future__ import annotations

from sessions_app.live.context import CONTEXT_BUDGET_TOKENS, TURNS_KEPT_AT_LEAST
from sessions_app.live.transcript import Role
from summarization.context import select_context
from summarization.prompts import count_tokens
from summarization.services import Recap
from tests.summarization.talk import spoken, turns


def numbers(recap: Recap | None, count: int = 40) -> list[int]:
    return [turn.number for turn in select_context(turns(count), recap).turns]


def test_every_turn_since_the_recap_is_there() -> None:
    assert numbers(Recap("They talked.", 20)) == list(range(21, 40))


def test_the_last_eight_are_there_even_when_the_recap_covers_them() -> None:
    assert numbers(Recap("They talked.", 37)) == list(range(32, 40))
    assert numbers(Recap("They talked.", 99)) == list(range(32, 40))
    assert numbers(Recap("They talked.", 2), count=5) == list(range(5))


def test_our_own_lines_are_neither_counted_nor_given() -> None:
    said = (*turns(12), spoken(12, "The line was gone for 3 s.", Role.SYSTEM))
    assert [turn.number for turn in select_context(said, Recap("They talked.", 11)).turns] == list(range(4, 12))


def test_a_summary_that_is_late_costs_the_oldest_turns_only_beyond_the_budget() -> None:
    long = tuple(spoken(number, "word " * 400) for number in range(40))
    context = select_context(long, None)
    assert TURNS_KEPT_AT_LEAST <= len(context.turns) < 40
    assert context.turns[-1].number == 39
    assert sum(count_tokens(turn.text) for turn in context.turns) <= CONTEXT_BUDGET_TOKENS


def test_a_long_recap_leaves_less_room_for_turns_but_for_the_last_eight() -> None:
    long = tuple(spoken(number, "word " * 400) for number in range(40))
    recap = Recap("y" * 4 * CONTEXT_BUDGET_TOKENS, 0)
    assert [turn.number for turn in select_context(long, recap).turns] == list(range(32, 40))


def test_a_conversation_that_has_just_begun_has_no_context() -> None:
    assert not select_context((), None)
