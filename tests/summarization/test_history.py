"""A call is in the history at once; its summary follows, whatever it takes."""

from __future__ import annotations

import datetime
import threading
import uuid

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from energy.levels import Mode
from sessions_app.models import Conversation
from sessions_app.services import NotYours
from summarization import services
from summarization.attempts import TRIES_BEFORE_FAILED, TRIES_BY_ITSELF
from summarization.models import CallHistory, SummaryState
from summarization.summarizer import Refused, Unavailable
from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer
from tests.summarization.lost_workers import let_claims_run_out
from tests.summarization.talk import Talk, past_call, spoken, turns

pytestmark = pytest.mark.django_db

BUSY = Unavailable("the quota of first-model is used up for now")
DAY = datetime.timedelta(days=1)


def entry_of(talk: Talk) -> CallHistory:
    return CallHistory.objects.get(conversation_id=talk.id)


def entered(user: User, count: int = 40) -> Talk:
    talk = past_call(user, turns(count))
    services.write_call_history(talk.id)
    return talk


# -- at hang-up --------------------------------------------------------------------------------------------------------


def test_a_call_is_in_the_history_at_once_and_its_summary_is_pending(alice: User) -> None:
    entry = entry_of(entered(alice))
    assert entry.state == SummaryState.PENDING
    assert entry.title.startswith("Turn 0")
    assert "Turn 39" in entry.search_text
    assert entry.until_turn == 39


def test_a_short_call_is_its_own_summary(alice: User) -> None:
    entry = entry_of(entered(alice, 2))
    assert entry.state == SummaryState.READY
    assert entry.summary.startswith("User: Turn 0")
    assert not entry.model
    assert entry.summarised_at


def test_entering_twice_changes_nothing(alice: User) -> None:
    talk = entered(alice)
    before = CallHistory.objects.values().get()
    services.write_call_history(talk.id)
    after = CallHistory.objects.values().get()
    assert before | {"due_at": None} == after | {"due_at": None}


@pytest.mark.parametrize("said", [(), (spoken(0, "  "),)])
def test_a_call_without_a_word_is_not_entered(alice: User, said: tuple[()]) -> None:
    services.write_call_history(past_call(alice, said).id)
    assert not CallHistory.objects.exists()


def test_a_call_that_goes_on_is_not_entered(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(4))
    services.write_call_history(talk.id)
    services.write_call_history(uuid.uuid4())
    assert not CallHistory.objects.exists()


def test_a_call_that_was_left_is_entered_and_its_summary_waits_for_the_page(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(40))
    talk.leave()
    services.write_call_history(talk.id)
    due_at = entry_of(talk).due_at
    assert due_at
    assert due_at > timezone.now()
    talk.come_back()
    talk.say(turns(2, first=40))
    talk.hang_up()
    Conversation.objects.get(pk=talk.id).live_sessions.update(ended_at=timezone.now())
    services.write_call_history(talk.id)
    entry = entry_of(talk)
    assert entry.until_turn == 41
    assert "Turn 41" in entry.search_text
    assert entry.due_at
    assert entry.due_at <= timezone.now()


def test_a_call_that_was_left_and_hung_up_later_is_summarised_now(alice: User) -> None:
    talk = Talk(alice)
    talk.say(turns(40))
    talk.leave()
    services.write_call_history(talk.id)
    talk.hang_up()
    services.write_call_history(talk.id)
    due_at = entry_of(talk).due_at
    assert due_at
    assert due_at <= timezone.now()


def test_a_text_chat_is_entered_as_well(alice: User) -> None:
    talk = Talk(alice, Mode.TEXT)
    talk.say(turns(3))
    talk.hang_up()
    services.write_call_history(talk.id)
    assert entry_of(talk).state == SummaryState.READY


# -- the summary -------------------------------------------------------------------------------------------------------


def test_the_summary_comes(alice: User, service: SummarizationService) -> None:
    talk = entered(alice)
    services.write_summary(talk.id, service)
    entry = entry_of(talk)
    assert (entry.state, entry.title, entry.model) == (SummaryState.READY, "What was talked about", "first-model")
    assert "The user said 20 things." in entry.search_text
    assert entry.facts
    assert entry.claimed_until is None


def test_what_is_ready_is_not_written_again(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    services.write_summary(talk.id, service)
    services.write_summary(talk.id, service)
    assert len(summarizer.asked) == 1


def test_a_title_that_the_user_gave_is_kept(alice: User, service: SummarizationService) -> None:
    talk = entered(alice)
    services.rename(alice, talk.id, " About Ada\x00 ")
    services.write_summary(talk.id, service)
    entry = entry_of(talk)
    assert entry.title == "About Ada"
    assert "About Ada" in entry.search_text


def test_while_the_model_is_away_the_summary_waits_and_then_it_comes_by_itself(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        talk = entered(alice)
        summarizer.break_down(BUSY)
        services.write_summary(talk.id, service)
        entry = entry_of(talk)
        assert (entry.state, entry.reason) == (SummaryState.PENDING, BUSY.reason)
        services.write_summary(talk.id, service)  # too early: nobody is asked
        assert entry_of(talk).attempts == 1
        for _ in range(TRIES_BEFORE_FAILED):
            clock.move_to(entry_of(talk).due_at or timezone.now())
            services.write_summary(talk.id, service)
        entry = entry_of(talk)
        assert (entry.state, entry.reason) == (SummaryState.FAILED, BUSY.reason)
        summarizer.recover()
        clock.move_to(entry.due_at or timezone.now())
        services.write_summary(talk.id, service)
        entry = entry_of(talk)
        assert (entry.state, entry.reason) == (SummaryState.READY, "")


@pytest.mark.parametrize("answer", ["", "no JSON", '{"title": "", "summary": ""}'])
def test_garbage_is_a_failure_and_never_an_empty_summary(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer, answer: str
) -> None:
    summarizer.break_down(answer)
    talk = entered(alice)
    services.write_summary(talk.id, service)
    entry = entry_of(talk)
    assert entry.state == SummaryState.PENDING
    assert "cannot be used" in entry.reason
    assert not entry.summary


def test_a_refusal_is_final_until_somebody_asks_again(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summarizer.break_down(Refused("the API key does not allow the use of first-model"))
    talk = entered(alice)
    services.write_summary(talk.id, service)
    entry = entry_of(talk)
    assert (entry.state, entry.due_at) == (SummaryState.FAILED, None)
    assert services.request_missing(dry_run=True) == 1
    summarizer.recover()
    assert services.request_missing() == 1
    services.write_summary(talk.id, service)
    assert entry_of(talk).state == SummaryState.READY
    assert services.request_missing() == 0


def test_a_summary_is_not_tried_for_ever(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    summarizer.break_down(BUSY)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        talk = entered(alice)
        while (due_at := entry_of(talk).due_at) is not None:
            clock.move_to(due_at)
            services.write_summary(talk.id, service)
    assert entry_of(talk).attempts == TRIES_BY_ITSELF


def test_an_error_of_our_own_is_a_failure_like_any_other(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer, caplog: pytest.LogCaptureFixture
) -> None:
    summarizer.while_thinking = lambda: uuid.UUID("no id at all")
    talk = entered(alice)
    services.write_summary(talk.id, service)
    assert "went wrong" in entry_of(talk).reason
    assert "badly formed" in caplog.text


def test_a_worker_that_died_is_forgotten_after_a_while(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    summarizer.while_thinking = die
    with pytest.raises(Killed):
        services.write_summary(talk.id, service)
    summarizer.while_thinking = lambda: None
    services.write_summary(talk.id, service)
    assert entry_of(talk).state == SummaryState.PENDING
    let_claims_run_out()
    services.write_summary(talk.id, service)
    assert entry_of(talk).state == SummaryState.READY


def test_a_worker_that_comes_back_too_late_changes_nothing(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    other = SummarizationService(FakeSummarizer("the-other"))

    def lose_the_claim() -> None:
        let_claims_run_out()
        services.write_summary(talk.id, other)

    summarizer.while_thinking = lose_the_claim
    services.write_summary(talk.id, service)
    assert entry_of(talk).model == "the-other"


def test_what_is_said_while_the_model_thinks_is_not_left_out(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)

    def go_on() -> None:
        talk.say(turns(2, first=40))
        services.write_call_history(talk.id)
        summarizer.while_thinking = lambda: None

    summarizer.while_thinking = go_on
    services.write_summary(talk.id, service)
    assert entry_of(talk).state == SummaryState.PENDING
    services.write_summary(talk.id, service)
    assert entry_of(talk).state == SummaryState.READY
    assert "Turn 40" in summarizer.asked[-1][1].text


def test_a_conversation_that_is_deleted_meanwhile_stays_deleted(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    summarizer.while_thinking = lambda: services.delete_conversation(alice, talk.id)
    services.write_summary(talk.id, service)
    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_do_the_work_once(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    together = threading.Barrier(6)

    def work() -> None:
        try:
            together.wait()
            services.write_summary(talk.id, service)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(summarizer.asked) == 1
    assert entry_of(talk).state == SummaryState.READY


@pytest.mark.django_db(transaction=True)
def test_many_hang_ups_at_once_make_one_entry(alice: User) -> None:
    talk = past_call(alice, turns(40))
    together = threading.Barrier(4)
    failures: list[Exception] = []

    def enter() -> None:
        try:
            together.wait()
            services.write_call_history(talk.id)
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert CallHistory.objects.count() == 1


# -- whose they are ----------------------------------------------------------------------------------------------------


def test_a_stranger_can_neither_rename_nor_delete(alice: User, bob: User) -> None:
    talk = entered(alice)
    with pytest.raises(NotYours):
        services.rename(bob, talk.id, "Mine")
    with pytest.raises(NotYours):
        services.delete_conversation(bob, talk.id)
    assert services.delete_all(bob) == 0
    assert entry_of(talk).title != "Mine"


def test_deleting_takes_everything_with_it(alice: User) -> None:
    talk = entered(alice)
    services.delete_conversation(alice, talk.id)
    assert not CallHistory.objects.exists()
    assert not Conversation.objects.exists()


def test_deleting_all_leaves_what_is_going_on(alice: User, bob: User) -> None:
    entered(alice)
    entered(alice, 2)
    hers = Talk(alice)
    his = entered(bob)
    assert services.delete_all(alice) == 2
    assert set(Conversation.objects.values_list("pk", flat=True)) == {hers.id, his.id}
