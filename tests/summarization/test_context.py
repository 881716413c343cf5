"""What a session without memory is given of a stored conversation."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from sessions_app.live.context import CONTEXT_BUDGET_TOKENS, TURNS_KEPT_AT_LEAST, Context
from sessions_app.live.transcript import Role, Turn
from summarization.models import RollingSummary
from tests.summarization.talk import Talk, spoken, turns

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(alice: User) -> Talk:
    return Talk(alice)


def context(talk: Talk, said: tuple[Turn, ...], until_turn: int = -1, recap: str = "They talked.") -> Context:
    """The context when this was said and a recap covers it until a turn."""
    talk.say(said)
    if until_turn >= 0:
        RollingSummary.objects.create(conversation_id=talk.id, text=recap, until_turn=until_turn)
    return talk.context


def numbers(context: Context) -> list[int]:
    return [turn.number for turn in context.turns]


def test_every_turn_since_the_recap_is_there(talk: Talk) -> None:
    given = context(talk, turns(40), until_turn=20)
    assert given.summary == "They talked."
    assert numbers(given) == list(range(21, 40))


@pytest.mark.parametrize("until_turn", [37, 39, 99])
def test_the_last_eight_are_there_even_when_the_recap_covers_them(talk: Talk, until_turn: int) -> None:
    assert numbers(context(talk, turns(40), until_turn)) == list(range(32, 40))


def test_a_short_conversation_is_there_as_a_whole(talk: Talk) -> None:
    assert numbers(context(talk, turns(5), until_turn=2)) == list(range(5))


def test_our_own_lines_are_neither_counted_nor_given(talk: Talk) -> None:
    said = (*turns(12), spoken(12, "The line was gone for 3 s.", Role.SYSTEM))
    assert numbers(context(talk, said, until_turn=11)) == list(range(4, 12))


def test_a_summary_that_is_late_costs_the_oldest_turns_only_beyond_the_budget(talk: Talk) -> None:
    given = context(talk, tuple(spoken(number, "word " * 400) for number in range(40)))
    assert TURNS_KEPT_AT_LEAST <= len(given.turns) < 40
    assert given.turns[-1].number == 39
    assert sum(len(turn.text) // 4 for turn in given.turns) <= CONTEXT_BUDGET_TOKENS


def test_a_conversation_that_has_just_begun_has_no_context(talk: Talk) -> None:
    assert not context(talk, ())
