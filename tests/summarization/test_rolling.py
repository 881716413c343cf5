"""The rolling summary of a conversation that goes on, and the recap a new session is given."""

from __future__ import annotations

import json

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sessions_app.live.context import Recap
from sessions_app.live.tokens import estimate_tokens
from sessions_app.live.transcript import TurnStatus
from summarization import rolling, services
from summarization.attempts import TRIES_BEFORE_FAILED
from summarization.memory import SummarisedMemory
from summarization.models import RollingSummary
from summarization.prompts import RECAP_LIMIT_TOKENS
from summarization.summarizer import Unavailable
from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer
from tests.summarization.talk import Talk, past_call, spoken, turns

pytestmark = pytest.mark.django_db

FACTS = {2: "My dog is called Rex.", 11: "My train leaves at nine.", 23: "My code word is PLUM-42.", 35: "I am Ada."}


def talk_on(talk: Talk, count: int, service: SummarizationService, first: int = 0) -> None:
    """Turn by turn, as it happens: each is stored, and whatever is due is written."""
    for turn in turns(count, {n: text for n, text in FACTS.items() if n < first + count}, first)[:count]:
        talk.say((turn,))
        rolling.request_rolling_summary_if_due(talk.id)
        rolling.write_rolling_summary(talk.id, service)


def wanted(talk: Talk) -> int | None:
    row = RollingSummary.objects.filter(conversation_id=talk.id, requested_at__isnull=False).first()
    return row.wanted_until_turn if row else None


def test_a_summary_is_wanted_after_six_turns(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(5))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) is None
    talk.say((spoken(5, "Yes."),))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) == 5


def test_a_summary_is_wanted_after_1500_tokens(alice: User) -> None:
    talk = Talk(alice)
    talk.say((spoken(0, "x" * 5_990),))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) is None
    talk.say((spoken(1, "x" * 20),))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) == 1


def test_a_turn_that_is_still_growing_is_not_covered(alice: User) -> None:
    talk = Talk(alice)
    talk.say((*turns(6), spoken(6, "And", status=TurnStatus.PARTIAL)))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) == 5


def test_one_is_wanted_at_a_time(alice: User, service: SummarizationService, summarizer: FakeSummarizer) -> None:
    talk = Talk(alice)
    talk.say(turns(6))
    rolling.request_rolling_summary_if_due(talk.id)
    talk.say(turns(3, first=6))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) == 5
    rolling.write_rolling_summary(talk.id, service)
    rolling.write_rolling_summary(talk.id, service)
    assert rolling.latest_recap(talk.id) == Recap(RollingSummary.objects.get().text, 5)
    assert wanted(talk) is None
    assert len(summarizer.asked) == 1


def test_forty_turns_later_every_fact_is_known(alice: User, service: SummarizationService) -> None:
    talk = Talk(alice)
    talk_on(talk, 40, service)
    recap = rolling.latest_recap(talk.id)
    assert recap is not None
    assert recap.until_turn >= 33
    context = talk.context
    known = context.summary + " ".join(turn.text for turn in context.turns)
    assert all(fact in known for fact in FACTS.values())
    assert len(context.turns) >= 8
    assert context.turns[-1].number == 39


def test_a_model_that_is_away_is_not_waited_for(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summarizer.break_down(Unavailable("busy"))
    talk = Talk(alice)
    talk_on(talk, 40, service)
    assert rolling.latest_recap(talk.id) is None
    assert len(talk.context.turns) == 40


def test_when_the_model_is_back_the_summary_comes(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summarizer.break_down(Unavailable("busy"))
    talk = Talk(alice)
    talk.say(turns(6))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        rolling.request_rolling_summary_if_due(talk.id)
        rolling.write_rolling_summary(talk.id, service)
        summarizer.recover()
        rolling.write_rolling_summary(talk.id, service)
        assert rolling.latest_recap(talk.id) is None
        clock.move_to(RollingSummary.objects.get().due_at or timezone.now())
        rolling.write_rolling_summary(talk.id, service)
    assert rolling.latest_recap(talk.id) is not None


def test_after_too_many_tries_the_next_turn_asks_anew(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summarizer.break_down(Unavailable("busy"))
    talk = Talk(alice)
    talk.say(turns(6))
    rolling.request_rolling_summary_if_due(talk.id)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(TRIES_BEFORE_FAILED):
            clock.move_to(RollingSummary.objects.get().due_at or timezone.now())
            rolling.write_rolling_summary(talk.id, service)
    assert wanted(talk) is None
    talk.say(turns(1, first=6))
    rolling.request_rolling_summary_if_due(talk.id)
    assert wanted(talk) == 6


def test_a_conversation_that_is_over_needs_none(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = Talk(alice)
    talk.say(turns(6))
    rolling.request_rolling_summary_if_due(talk.id)
    talk.hang_up()
    rolling.write_rolling_summary(talk.id, service)
    assert wanted(talk) is None
    assert not summarizer.asked


def test_a_continued_call_is_told_the_summary_of_the_earlier_one(alice: User, service: SummarizationService) -> None:
    first = past_call(alice, turns(40, FACTS))
    services.write_call_history(first.id)
    services.write_summary(first.id, service)
    second = Talk(alice, continues=first.id)
    recap = rolling.latest_recap(second.id)
    assert recap is not None
    assert recap.until_turn == 39
    assert all(fact in recap.text for fact in FACTS.values())
    context = second.context
    assert [turn.number for turn in context.turns] == list(range(32, 40))


def test_the_memory_goes_through_a_chain_of_continued_calls(alice: User, service: SummarizationService) -> None:
    first = past_call(alice, (spoken(0, "My dog is called Rex."),))
    services.write_call_history(first.id)
    second = Talk(alice, continues=first.id)
    second.say((spoken(1, "Good."), spoken(2, "My cat is called Tom.")))
    second.hang_up()
    services.write_call_history(second.id)
    third = Talk(alice, continues=second.id)
    talk_on(third, 12, service, first=3)
    recap = rolling.latest_recap(third.id)
    assert recap is not None
    assert "Rex" in recap.text
    assert "Tom" in recap.text


def test_asking_for_the_recap_of_a_long_chain_takes_no_more_queries_than_of_a_short_one(
    alice: User, service: SummarizationService, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    last: Talk | None = None
    for number in range(40):
        talk = Talk(alice, continues=last.id if last is not None else None)
        talk.say((spoken(number, f"Fact {number} is {'x' * number}."),))
        talk.hang_up()
        services.write_call_history(talk.id)
        last = talk
        if number not in (0, 9, 39):
            continue
        going_on = Talk(alice, continues=talk.id)
        going_on.say((spoken(number + 1, "Good."),))
        with django_assert_max_num_queries(7):
            recap = SummarisedMemory().condense(going_on.id)
        assert recap == SummarisedMemory().recap(going_on.id)
        assert recap is not None
        assert recap.until_turn == number
        assert [line for line in range(number + 1) if f"Fact {line} is" not in recap.text] == []


def test_the_recap_of_a_chain_that_grows_call_by_call_stays_within_its_limit(alice: User) -> None:
    """What was said last is kept, whole lines of it."""
    last: Talk | None = None
    for number in range(40):
        talk = Talk(alice, continues=last.id if last is not None else None)
        talk.say((spoken(number, f"Fact {number} is {'word ' * 150}."),))
        talk.hang_up()
        services.write_call_history(talk.id)
        last = talk
        recap = rolling.latest_recap(talk.id)
        assert recap is not None
        assert estimate_tokens(recap.text) <= RECAP_LIMIT_TOKENS
        assert recap.until_turn == number
        text = recap.text
    assert [line.split()[2] for line in text.splitlines()] == [str(number) for number in range(30, 40)]


def test_a_model_that_keeps_too_much_is_cut_to_the_limit(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    facts = [f"Fact {number} is this." for number in range(2_000)]
    summarizer.break_down(json.dumps({"summary": "They talked.", "facts": facts}))
    talk = Talk(alice)
    talk_on(talk, 6, service)
    recap = rolling.latest_recap(talk.id)
    assert recap is not None
    assert estimate_tokens(recap.text) <= RECAP_LIMIT_TOKENS
    assert recap.text.startswith("They talked.")
    assert recap.text.endswith("Fact 1999 is this.")


def test_a_summary_that_is_late_leaves_the_turns_of_the_earlier_call(alice: User) -> None:
    first = past_call(alice, turns(40, FACTS))
    services.write_call_history(first.id)
    second = Talk(alice, continues=first.id)
    assert rolling.latest_recap(second.id) is None
    assert len(second.context.turns) == 40


def test_a_long_inherited_recap_is_condensed_soon(alice: User) -> None:
    first = past_call(alice, tuple(spoken(n, f"{n} " + "x" * 150) for n in range(7)))
    services.write_call_history(first.id)
    second = Talk(alice, continues=first.id)
    recap = rolling.latest_recap(second.id)
    assert recap is not None
    second.say((spoken(7, "y" * 5_000),))
    rolling.request_rolling_summary_if_due(second.id)
    assert wanted(second) == 7


def test_a_chat_that_was_left_for_days_is_told_its_own_summary(alice: User, service: SummarizationService) -> None:
    talk = Talk(alice)
    talk.say(turns(40))
    talk.leave()
    services.write_call_history(talk.id)
    services.request_summary(talk.id)
    services.write_summary(talk.id, service)
    recap = rolling.latest_recap(talk.id)
    assert recap is not None
    assert recap.until_turn == 39
