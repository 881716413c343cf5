"""The rules of the quota ledger: pure."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.quota import (
    LEASE,
    PROBATION,
    TRUST,
    Access,
    LimitKind,
    ModelState,
    Refusal,
    access_of,
    after_refusal,
    after_success,
    claimed,
    limit_of,
    resets_at,
)

UTC = datetime.UTC
NOON = datetime.datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
"""In Los Angeles."""

ALICE, BOB = uuid.UUID(int=1), uuid.UUID(int=2)
UNHEARD_OF = ModelState()
QUOTA_TEXT = "You exceeded your current quota, please check your plan and billing details. For more information on"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
TOKENS_PER_MINUTE = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
METRIC = "generativelanguage.googleapis.com/generate_requests_per_model_per_day"


def minutes(count: float) -> datetime.timedelta:
    return datetime.timedelta(minutes=count)


def spent(kind: LimitKind = LimitKind.UNKNOWN, now: datetime.datetime = NOON) -> ModelState:
    return after_refusal(UNHEARD_OF, kind, now)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Refusal(QUOTA_TEXT), LimitKind.UNKNOWN),
        (Refusal("Resource has been exhausted (e.g. check quota)"), LimitKind.UNKNOWN),
        (Refusal("Resource exhausted. Please try again later."), LimitKind.UNKNOWN),
        (Refusal(""), LimitKind.UNKNOWN),
        (Refusal("Too many concurrent sessions"), LimitKind.CONCURRENCY),
        (Refusal("Quota exceeded: requests per minute"), LimitKind.MINUTE),
        (Refusal("Quota exceeded: requests per day"), LimitKind.DAY),
        (Refusal(QUOTA_TEXT, quotas=(PER_DAY,)), LimitKind.DAY),
        (Refusal(QUOTA_TEXT, quotas=(METRIC,)), LimitKind.DAY),
        (Refusal(QUOTA_TEXT, quotas=(PER_DAY,), retry_after_ms=34_500), LimitKind.DAY),
        (Refusal(QUOTA_TEXT, quotas=(TOKENS_PER_MINUTE, PER_MINUTE, PER_DAY)), LimitKind.DAY),
        (Refusal(QUOTA_TEXT, quotas=(PER_MINUTE,)), LimitKind.MINUTE),
        (Refusal(QUOTA_TEXT, quotas=(TOKENS_PER_MINUTE,)), LimitKind.MINUTE),
        (Refusal(QUOTA_TEXT, retry_after_ms=20_000), LimitKind.MINUTE),
        (Refusal(QUOTA_TEXT, retry_after_ms=6 * 3_600_000), LimitKind.DAY),
    ],
)
def test_the_limits_are_told_apart_by_what_the_provider_says(refusal: Refusal, kind: LimitKind) -> None:
    assert limit_of(refusal) is kind


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        # Winter: UTC-8. Summer: UTC-7.
        ("2026-11-20T20:00+00:00", "2026-11-21T08:00+00:00"),
        ("2026-07-01T06:59:59+00:00", "2026-07-01T07:00+00:00"),
        ("2026-07-01T07:00+00:00", "2026-07-02T07:00+00:00"),
        # 8 March 2026 has 23 hours there.
        ("2026-03-08T07:59+00:00", "2026-03-08T08:00+00:00"),
        ("2026-03-08T08:00+00:00", "2026-03-09T07:00+00:00"),
        ("2026-03-08T12:00+00:00", "2026-03-09T07:00+00:00"),
        # 1 November 2026 has 25.
        ("2026-11-01T07:00+00:00", "2026-11-02T08:00+00:00"),
        ("2026-11-01T08:30+00:00", "2026-11-02T08:00+00:00"),
        ("2026-11-01T09:30+00:00", "2026-11-02T08:00+00:00"),
        ("2026-12-31T23:30+00:00", "2027-01-01T08:00+00:00"),
    ],
)
def test_a_days_quota_is_back_at_midnight_pacific(now: str, reset: str) -> None:
    parse = datetime.datetime.fromisoformat
    assert resets_at(LimitKind.DAY, parse(now)) == parse(reset)
    assert resets_at(LimitKind.DAY, parse(now), retry_after_ms=34_000) == parse(reset)


def test_a_long_wait_that_is_asked_for_is_kept_also_for_a_day() -> None:
    assert resets_at(LimitKind.DAY, NOON, retry_after_ms=2 * 3_600_000) == NOON + minutes(120)
    assert resets_at(LimitKind.DAY, NOON, retry_after_ms=10**18) == NOON + minutes(25 * 60)


def test_short_waits_are_those_asked_for_or_double_up_to_five_minutes() -> None:
    assert resets_at(LimitKind.MINUTE, NOON, retry_after_ms=20_000) == NOON + minutes(1 / 3)
    waits = [resets_at(LimitKind.MINUTE, NOON, refusals=count) - NOON for count in range(1, 6)]
    assert [wait.total_seconds() for wait in waits] == [65, 130, 260, 300, 300]
    waits = [resets_at(LimitKind.CONCURRENCY, NOON, refusals=count) - NOON for count in (1, 2, 999)]
    assert [wait.total_seconds() for wait in waits] == [20, 40, 300]
    assert resets_at(LimitKind.MISSING, NOON, retry_after_ms=1) == NOON + minutes(60)


def test_a_model_nobody_has_heard_of_is_scouted_by_one_while_others_wait() -> None:
    assert access_of(UNHEARD_OF, ALICE, NOON) is Access.SCOUT
    scouted = claimed(UNHEARD_OF, ALICE, NOON)
    assert access_of(scouted, BOB, NOON) is Access.WAIT
    assert access_of(scouted, ALICE, NOON) is Access.SCOUT
    well = after_success(scouted, ALICE, NOON)
    assert access_of(well, BOB, NOON) is Access.OPEN
    assert access_of(well, BOB, NOON + TRUST) is Access.SCOUT


def test_a_scout_that_died_keeps_nobody_waiting_for_long() -> None:
    assert access_of(claimed(UNHEARD_OF, ALICE, NOON), BOB, NOON + LEASE) is Access.SCOUT


def test_a_spent_model_is_nobodys_until_its_reset_and_then_one_probes_it() -> None:
    state = spent(LimitKind.DAY)
    assert state.resets_at is not None
    assert access_of(state, ALICE, state.resets_at - minutes(1)) is Access.SPENT
    assert access_of(state, ALICE, state.resets_at) is Access.PROBE
    probed = claimed(state, ALICE, state.resets_at)
    assert access_of(probed, BOB, state.resets_at) is Access.SPENT
    assert access_of(probed, ALICE, state.resets_at) is Access.PROBE
    assert access_of(probed, BOB, state.resets_at + LEASE) is Access.PROBE
    assert access_of(after_success(probed, ALICE, state.resets_at), BOB, state.resets_at) is Access.OPEN


def test_a_refusal_without_a_hint_is_for_a_minute_and_for_the_day_when_its_probe_is_refused() -> None:
    first = spent()
    assert (first.kind, first.resets_at) == (LimitKind.UNKNOWN, NOON + datetime.timedelta(seconds=65))
    later = NOON + minutes(2)
    second = after_refusal(claimed(first, ALICE, later), LimitKind.UNKNOWN, later)
    assert (second.kind, second.refusals) == (LimitKind.DAY, 2)
    assert second.resets_at == resets_at(LimitKind.DAY, later)
    assert second.spent_since == NOON
    assert second.prober is None


def test_a_model_that_answers_others_has_too_many_sessions_not_a_spent_day() -> None:
    first = replace(spent(), answered_at=NOON + minutes(1))
    second = after_refusal(first, LimitKind.UNKNOWN, NOON + minutes(2))
    assert (second.kind, second.resets_at) == (LimitKind.UNKNOWN, NOON + minutes(2) + datetime.timedelta(seconds=130))
    assert second.answered_at is None
    assert after_refusal(second, LimitKind.UNKNOWN, NOON + minutes(5)).kind is LimitKind.DAY


def test_a_set_up_that_went_through_proves_little_until_some_minutes_have_passed() -> None:
    first = spent()
    probed = after_success(claimed(first, ALICE, NOON + minutes(2)), ALICE, NOON + minutes(2))
    assert not probed.is_spent
    assert after_refusal(probed, LimitKind.UNKNOWN, NOON + minutes(3)).kind is LimitKind.DAY
    assert after_refusal(probed, LimitKind.UNKNOWN, NOON + minutes(2) + PROBATION).kind is LimitKind.UNKNOWN


def test_sessions_that_were_under_way_when_it_was_spent_prolong_nothing() -> None:
    state = spent()
    for seconds in range(0, 60, 5):
        assert after_refusal(state, LimitKind.UNKNOWN, NOON + datetime.timedelta(seconds=seconds)) == state


def test_a_refusal_that_says_more_counts_at_once() -> None:
    assert after_refusal(spent(), LimitKind.DAY, NOON).kind is LimitKind.DAY
    assert after_refusal(spent(LimitKind.DAY), LimitKind.MINUTE, NOON).kind is LimitKind.DAY
    assert after_refusal(spent(LimitKind.DAY), LimitKind.MISSING, NOON).kind is LimitKind.MISSING
    assert after_refusal(spent(LimitKind.MISSING), LimitKind.UNKNOWN, NOON).kind is LimitKind.MISSING


def test_a_set_up_that_was_under_way_when_the_model_was_spent_proves_nothing() -> None:
    state = spent(LimitKind.DAY)
    assert after_success(state, BOB, NOON) == state


def test_one_session_too_many_is_a_matter_of_waiting_not_of_another_model() -> None:
    state = spent(LimitKind.CONCURRENCY)
    assert access_of(state, ALICE, NOON) is Access.WAIT
    assert state.resets_at is not None
    assert access_of(state, ALICE, state.resets_at) is Access.PROBE


MOMENTS = st.integers(0, 200_000).map(lambda seconds: NOON + datetime.timedelta(seconds=seconds))
HOLDERS = st.integers(1, 4).map(lambda number: uuid.UUID(int=number))
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("ask", "refused", "went through")), HOLDERS, st.sampled_from(LimitKind), st.integers(0, 3_600)
    ),
    max_size=40,
)


@given(EVENTS)
def test_whatever_happens_no_two_hold_the_lease_and_nobody_dials_a_spent_model(
    events: list[tuple[str, uuid.UUID, LimitKind, int]],
) -> None:
    state, now = UNHEARD_OF, NOON
    lease: tuple[uuid.UUID, datetime.datetime] | None = None
    for what, holder, kind, seconds in events:
        now += datetime.timedelta(seconds=seconds)
        if what == "ask":
            access = access_of(state, holder, now)
            if access in (Access.SCOUT, Access.PROBE):
                assert lease is None or lease[0] == holder or lease[1] <= now
                state, lease = claimed(state, holder, now), (holder, now + LEASE)
            if access in (Access.OPEN, Access.SCOUT):
                assert not state.is_spent
            if access is Access.PROBE:
                assert state.is_due(now)
            continue
        before = state
        state = after_refusal(state, kind, now) if what == "refused" else after_success(state, holder, now)
        if state.prober is None:
            lease = None
        if what == "refused":
            assert state.is_spent
            assert state == before or (state.resets_at is not None and state.resets_at > now)
        assert (state.prober is None) == (state.probe_until is None)
        assert (state.kind is None) == (state.spent_since is None) == (state.resets_at is None)


@given(MOMENTS, st.sampled_from(LimitKind), st.integers(1, 50), st.none() | st.integers(0, 10**20))
def test_every_limit_ends_some_time_and_none_has_ended_already(
    now: datetime.datetime, kind: LimitKind, refusals: int, retry_after_ms: int | None
) -> None:
    assert now < resets_at(kind, now, retry_after_ms, refusals) <= now + datetime.timedelta(hours=26)


@given(MOMENTS, HOLDERS)
def test_success_brings_a_due_model_back_for_everybody(now: datetime.datetime, holder: uuid.UUID) -> None:
    state = replace(spent(LimitKind.MINUTE, now - minutes(10)), prober=holder, probe_until=now + LEASE)
    assert access_of(after_success(state, holder, now), uuid.UUID(int=99), now) is Access.OPEN
