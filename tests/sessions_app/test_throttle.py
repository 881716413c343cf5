"""The rules of throttles: how many tries get through, and how long whoever goes beyond waits."""

from __future__ import annotations

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.throttle import (
    DELETION,
    EXPORT,
    LOG_IN,
    PASSWORD_RESET,
    SEARCH,
    SIGN_UP,
    Count,
    Limit,
    Rule,
    Scope,
    TooManyTries,
    after_try,
    forgetting,
    given_back,
    in_words,
    over_at,
    wait_s,
)

NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
RULES = [LOG_IN, SIGN_UP, PASSWORD_RESET, SEARCH, EXPORT, DELETION]
LIMITS = [limit for rule in RULES for limit in rule.limits.values()]
TEN_MINUTES_S = 600


def seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


def tries_in(limit: Limit, span_s: int) -> int:
    """How many tries get through if somebody tries at every moment."""
    now, count, tries = NOON, Count(0, NOON), 0
    while now <= NOON + seconds(span_s):
        count, tries = after_try(count, limit, now), tries + 1
        now += seconds(wait_s(count, now))
    return tries


def waits(limit: Limit, number: int) -> list[int]:
    """How long somebody waits after each of so many tries."""
    now, count, found = NOON, Count(0, NOON), []
    for _ in range(number):
        count = after_try(count, limit, now)
        found.append(wait_s(count, now))
        now += seconds(found[-1])
    return found


def test_some_tries_are_free_and_then_each_wait_is_twice_as_long_as_the_one_before() -> None:
    assert waits(LOG_IN.limits[Scope.ACCOUNT], 10) == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32]


def test_no_wait_is_longer_than_a_quarter_of_an_hour() -> None:
    assert max(waits(LOG_IN.limits[Scope.ACCOUNT], 100)) == 900
    assert waits(LOG_IN.limits[Scope.ACCOUNT], 100)[-1] >= 450


def test_the_accounts_that_an_address_makes_are_twenty_and_then_a_few() -> None:
    assert waits(SIGN_UP.limits[Scope.ADDRESS], 23) == [0] * 19 + [10, 20, 40, 80]
    assert tries_in(SIGN_UP.limits[Scope.ADDRESS], 3600) <= 45


@pytest.mark.parametrize(("scope", "expected"), [(Scope.ACCOUNT, 14), (Scope.DEVICE, 14), (Scope.ADDRESS, 29)])
def test_an_attack_of_ten_minutes_gets_some_tens_of_tries(scope: Scope, expected: int) -> None:
    assert tries_in(LOG_IN.limits[scope], TEN_MINUTES_S) == expected


def test_an_attack_of_a_day_on_one_account_gets_about_a_hundred_tries() -> None:
    assert tries_in(LOG_IN.limits[Scope.ACCOUNT], 24 * 3600) < 115


@pytest.mark.parametrize("rule", [SEARCH, EXPORT, DELETION], ids=lambda rule: rule.name)
def test_nobody_who_clicks_once_a_second_for_a_minute_is_stopped(rule: Rule) -> None:
    limit = rule.limits[Scope.ACCOUNT]
    count = Count(0, NOON)
    for second in range(60):
        assert wait_s(count, NOON + seconds(second)) == 0
        count = after_try(count, limit, NOON + seconds(second))


@given(st.sampled_from(LIMITS), st.lists(st.floats(0, 2_000), max_size=150))
def test_however_tries_are_spread_no_more_get_through_than_the_limit_says(limit: Limit, gaps: list[float]) -> None:
    now, count, times = NOON, Count(0, NOON), [NOON]
    for gap in gaps:
        now += seconds(gap)
        if wait_s(count, now) == 0:
            count = after_try(count, limit, now)
            times.append(now)
    steps = math.ceil(math.log2(limit.regain_s / limit.first_wait_s))
    span_s = (now - NOON).total_seconds()
    assert len(times) - 1 <= limit.free + steps + 2 + span_s / limit.regain_s


@given(st.sampled_from(LIMITS), st.integers(1, 300), st.floats(0, 100_000))
def test_after_its_end_nothing_of_a_count_matters(limit: Limit, tries: int, later_s: float) -> None:
    """So that its row can be deleted."""
    now, count = NOON, Count(0, NOON)
    for _ in range(tries):
        count = after_try(count, limit, now)
        now += seconds(wait_s(count, now))
    end = over_at(count, limit) + seconds(later_s)
    assert wait_s(count, end) == 0
    assert forgetting(count, limit, end).tries == 0


@given(st.sampled_from(LIMITS), st.integers(0, 300))
def test_the_wait_is_never_longer_than_a_try_is_remembered(limit: Limit, tries: int) -> None:
    assert wait_s(after_try(Count(tries, NOON), limit, NOON), NOON) <= limit.regain_s


def test_a_clock_that_goes_back_forgets_nothing_and_raises_nothing() -> None:
    limit = LOG_IN.limits[Scope.ACCOUNT]
    assert after_try(Count(3, NOON), limit, NOON - seconds(3600)).tries == 4


def test_a_right_try_that_closed_a_count_opens_it_again_and_one_of_somebody_else_does_not() -> None:
    limit = LOG_IN.limits[Scope.ADDRESS]
    before = Count(19, NOON)
    mine = after_try(before, limit, NOON)
    assert wait_s(mine, NOON) == 1
    assert given_back(mine, mine.closed_until) == before
    theirs = after_try(mine, limit, NOON + seconds(1))
    assert given_back(theirs, mine.closed_until) == Count(20, NOON, theirs.closed_until)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1 second"),
        (40, "40 seconds"),
        (90, "90 seconds"),
        (91, "2 minutes"),
        (900, "15 minutes"),
        (60, "60 seconds"),
    ],
)
def test_a_wait_is_told_in_seconds_or_in_minutes_rounded_up(number: int, words: str) -> None:
    assert in_words(number) == words


def test_a_refusal_says_what_there_was_too_much_of_and_until_when() -> None:
    assert str(TooManyTries(LOG_IN, Scope.ACCOUNT, 40)) == "Too many tries. You can try again in 40 seconds."
    assert str(TooManyTries(SEARCH, Scope.ACCOUNT, 2)) == "Too many searches. You can try again in 2 seconds."
