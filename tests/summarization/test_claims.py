"""Who is at a row: short claims that are renewed, and what becomes of those who do not renew them."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from summarization import attempts, claims, rolling, services
from summarization.attempts import CLAIM_VALID, CLAIMS_LOST_BEFORE_FAILED
from summarization.claims import Claim
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer
from tests.services.processes import wait_until
from tests.summarization.lost_workers import let_claims_run_out
from tests.summarization.side_by_side import side_by_side
from tests.summarization.talk import Talk, past_call, turns

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
SOON_S = 60
OFTEN_S = 0.01


class Killed(BaseException):
    """What nothing in the work catches."""


def entered(user: User) -> Talk:
    talk = past_call(user, turns(40))
    services.write_call_history(talk.id)
    return talk


def going_on(user: User) -> Talk:
    """A conversation that wants a rolling summary."""
    talk = Talk(user)
    talk.say(turns(6))
    rolling.request_rolling_summary_if_due(talk.id)
    return talk


def taken(talk: Talk, now: datetime | None = None) -> Claim[CallHistory]:
    claim = claims.take(CallHistory.objects.all(), talk.id, now)
    assert claim is not None
    return claim


def renewing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("claim-")]


@pytest.fixture(autouse=True)
def _nobody_renews_afterwards() -> Iterator[None]:
    yield
    assert not renewing_threads()


# -- the rules ---------------------------------------------------------------------------------------------------------


def test_a_dead_worker_is_taken_over_from_within_a_minute(settings: Settings) -> None:
    """The claim runs out, a cleanup comes by, and there are ten seconds for a message to reach somebody."""
    assert CLAIM_VALID.total_seconds() + settings.DUE_EVERY_S + 10 <= 60


def test_a_claim_outlives_two_renewals_that_fail() -> None:
    assert CLAIM_VALID.total_seconds() > 3 * attempts.RENEW_EVERY_S


def test_a_row_is_claimed_once_and_says_by_whom(alice: User) -> None:
    talk = entered(alice)
    claim = taken(talk)
    assert claims.take(CallHistory.objects.all(), talk.id) is None
    row = claim.rows.get()
    assert row.claimed_by.endswith(f":{os.getpid()}")
    assert row.attempts == 1


def test_a_claim_that_is_renewed_goes_on_and_one_that_is_not_ends(alice: User) -> None:
    talk, start = entered(alice), timezone.now()
    claim = taken(talk, start)
    assert claims.take_back_lost(CallHistory, start + CLAIM_VALID - SECOND) == 0
    assert claim.renew(start + 20 * SECOND)
    assert claims.take_back_lost(CallHistory, start + CLAIM_VALID + SECOND) == 0
    assert claims.take_back_lost(CallHistory, start + 20 * SECOND + CLAIM_VALID) == 1
    assert not claim.renew()
    assert CallHistory.objects.values_list("claimed_by", "claimed_until", "claims_lost").get() == ("", None, 1)


def test_the_clock_of_claims_is_that_of_the_database(alice: User) -> None:
    claim = taken(entered(alice))
    until = claim.rows.get().claimed_until
    assert until
    assert abs(until - timezone.now() - CLAIM_VALID) < 10 * SECOND
    assert claims.take_back_lost(CallHistory) == 0


def test_a_claim_that_ran_out_is_nobodys_until_it_was_counted(alice: User) -> None:
    talk = entered(alice)
    claim = taken(talk, timezone.now() - 2 * CLAIM_VALID)
    assert claims.take(CallHistory.objects.all(), talk.id) is None
    assert claim.renew()
    assert claims.take_back_lost(CallHistory) == 0


def test_what_a_version_before_has_claimed_is_left_to_it_until_its_claim_has_run_out(alice: User) -> None:
    talk, now = entered(alice), timezone.now()
    CallHistory.objects.update(claimed_until=now + 600 * SECOND, attempts=1)
    assert claims.take(CallHistory.objects.all(), talk.id) is None
    assert claims.take_back_lost(CallHistory, now + 599 * SECOND) == 0
    assert claims.take_back_lost(CallHistory, now + 600 * SECOND) == 1
    assert claims.take(CallHistory.objects.all(), talk.id)


# -- renewing ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_renewed_while_the_work_goes_on(alice: User) -> None:
    claim = taken(entered(alice), timezone.now() - 2 * CLAIM_VALID)
    with claims.kept(claim, OFTEN_S):
        wait_until(lambda: claim.rows.filter(claimed_until__gt=timezone.now()).exists(), SOON_S, "a renewal")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [RuntimeError, Killed, SoftTimeLimitExceeded])
def test_renewing_ends_with_the_work_in_whatever_way(alice: User, end: type[BaseException]) -> None:
    claim = taken(entered(alice))

    def work() -> None:
        with claims.kept(claim, OFTEN_S):
            assert renewing_threads()
            raise end

    with pytest.raises(end):
        work()
    assert not renewing_threads()


@pytest.mark.django_db(transaction=True)
def test_renewing_ends_when_the_claim_was_taken_back(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    claim = taken(entered(alice))
    let_claims_run_out()
    with claims.kept(claim, OFTEN_S):
        wait_until(lambda: not renewing_threads(), SOON_S, "the end of renewing")
    assert "is lost" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_hangs_for_ever_does_not_hold_its_claim_for_ever(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attempts, "LONGEST_WORK_S", 0)
    with claims.kept(taken(entered(alice)), OFTEN_S):
        wait_until(lambda: not renewing_threads(), SOON_S, "the end of renewing")
    assert "for too long" in caplog.text


def test_a_database_that_was_away_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    renewed = threading.Event()

    class Interrupted(Claim[CallHistory]):
        def renew(self, now: object = None) -> bool:
            if "could not be renewed" not in caplog.text:
                raise OperationalError
            renewed.set()
            return True

    monkeypatch.setattr(claims, "RENEWAL_RETRY_S", OFTEN_S)
    with claims.kept(Interrupted(CallHistory, uuid.uuid4(), uuid.uuid4()), OFTEN_S):
        assert renewed.wait(SOON_S)


# -- the fence ---------------------------------------------------------------------------------------------------------


def test_who_was_suspended_and_wakes_does_not_write_over_the_newer_summary(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    other = SummarizationService(FakeSummarizer("the-other"))

    def sleep_on() -> None:
        let_claims_run_out()
        services.write_summary(talk.id, other)

    summarizer.while_thinking = sleep_on
    services.write_summary(talk.id, service)
    entry = CallHistory.objects.get()
    assert (entry.state, entry.model, entry.attempts, entry.claims_lost) == (SummaryState.READY, "the-other", 2, 0)


def test_the_late_failure_of_a_suspended_worker_does_not_count(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)

    def sleep_on() -> None:
        let_claims_run_out()
        taken(talk)
        raise RuntimeError

    summarizer.while_thinking = sleep_on
    services.write_summary(talk.id, service)
    entry = CallHistory.objects.get()
    assert (entry.state, entry.reason) == (SummaryState.PENDING, "")
    assert entry.claimed_until


def test_a_rolling_summary_is_fenced_like_any_other(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = going_on(alice)
    newer: list[str] = []

    def sleep_on() -> None:
        let_claims_run_out()
        rolling.write_rolling_summary(talk.id, SummarizationService(FakeSummarizer()))
        newer.append(RollingSummary.objects.get().text)
        RollingSummary.objects.update(text="the newer one")

    summarizer.while_thinking = sleep_on
    rolling.write_rolling_summary(talk.id, service)
    assert newer[0]
    assert RollingSummary.objects.get().text == "the newer one"


# -- what kills its workers --------------------------------------------------------------------------------------------


def lose_workers(write: Callable[[], object], summarizer: FakeSummarizer, count: int) -> None:
    """So many workers begin, and die of it."""

    def die() -> None:
        raise Killed

    summarizer.while_thinking = die
    for _ in range(count):
        with pytest.raises(Killed):
            write()
        assert let_claims_run_out() == 1
    summarizer.while_thinking = lambda: None


def test_a_summary_that_kills_its_workers_is_given_up_and_says_why(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    lose_workers(lambda: services.write_summary(talk.id, service), summarizer, CLAIMS_LOST_BEFORE_FAILED)
    entry = CallHistory.objects.get()
    assert (entry.state, entry.due_at) == (SummaryState.FAILED, None)
    assert entry.reason == "the process that wrote it ended in the middle, 3 times in a row"
    assert services.enqueue_due() == 0
    services.write_summary(talk.id, service)
    assert len(summarizer.asked) == CLAIMS_LOST_BEFORE_FAILED


def test_who_asks_again_for_what_killed_workers_gets_one_more_try(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)
    lose_workers(lambda: services.write_summary(talk.id, service), summarizer, CLAIMS_LOST_BEFORE_FAILED)
    services.request_summary(talk.id)
    lose_workers(lambda: services.write_summary(talk.id, service), summarizer, 1)
    assert CallHistory.objects.get().state == SummaryState.FAILED
    services.request_summary(talk.id)
    services.write_summary(talk.id, service)
    entry = CallHistory.objects.get()
    assert (entry.state, entry.claims_lost) == (SummaryState.READY, 0)


def test_a_few_lost_workers_are_forgotten_once_somebody_comes_to_an_end(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = going_on(alice)
    lose_workers(lambda: rolling.write_rolling_summary(talk.id, service), summarizer, CLAIMS_LOST_BEFORE_FAILED - 1)
    rolling.write_rolling_summary(talk.id, service)
    row = RollingSummary.objects.get()
    assert row.text
    assert row.claims_lost == 0


def test_a_conversation_whose_rolling_summary_kills_workers_goes_on_without_one(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = going_on(alice)
    lose_workers(lambda: rolling.write_rolling_summary(talk.id, service), summarizer, CLAIMS_LOST_BEFORE_FAILED)
    talk.say(turns(6, first=6))
    rolling.request_rolling_summary_if_due(talk.id)
    assert RollingSummary.objects.get().requested_at is None
    assert services.enqueue_due() == 0
    assert len(talk.context.turns) == 12

    rolling.allow_again(RollingSummary.objects.all())
    rolling.request_rolling_summary_if_due(talk.id)
    rolling.write_rolling_summary(talk.id, service)
    assert RollingSummary.objects.get().until_turn == 11


def test_work_that_takes_too_long_has_failed_for_now(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    talk = entered(alice)

    def be_broken_off() -> None:
        raise SoftTimeLimitExceeded

    summarizer.while_thinking = be_broken_off
    services.write_summary(talk.id, service)
    entry = CallHistory.objects.get()
    assert (entry.state, entry.reason, entry.claims_lost) == (SummaryState.PENDING, "it took too long", 0)


# -- many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_cleanups_side_by_side_count_a_lost_worker_once(alice: User) -> None:
    past = timezone.now() - 2 * CLAIM_VALID
    for _ in range(4):
        taken(entered(alice), past)
    counts = side_by_side(lambda: claims.take_back_lost(CallHistory))
    assert sum(counts) == 4
    assert set(CallHistory.objects.values_list("claims_lost", flat=True)) == {1}


def test_so_many_claims_are_taken_back_at_a_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "LOST_AT_ONCE", 2)
    past = timezone.now() - 2 * CLAIM_VALID
    for _ in range(3):
        taken(entered(alice), past)
    assert [claims.take_back_lost(CallHistory) for _ in range(3)] == [2, 1, 0]
