"""How long to wait before dialling again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.machine.backoff import CAP_MS, FIRST_CEILING_MS, OUTAGE_LIMIT_MS, REDIALS_PER_HOUR, Backoff

ALMOST_ONE = 0.999999


def waits(backoff: Backoff, now_ms: int = 0, attempt_ms: int = 0) -> list[int]:
    """The waits of one outage, in which every attempt takes `attempt_ms`."""
    found: list[int] = []
    while (delay_ms := backoff.next_delay_ms(now_ms)) is not None:
        found.append(delay_ms)
        now_ms += delay_ms + attempt_ms
        assert len(found) < 1_000
    return found


def test_waits_double_up_to_the_cap() -> None:
    found = waits(Backoff(lambda: ALMOST_ONE))
    assert found[:6] == [249, 499, 999, 1_999, 3_999, 7_999]
    assert set(found[5:]) == {7_999}


@given(st.floats(0, ALMOST_ONE))
def test_the_first_redial_comes_within_a_quarter_of_a_second(chance: float) -> None:
    delay_ms = Backoff(lambda: chance).next_delay_ms(123_456)
    assert delay_ms is not None
    assert 0 <= delay_ms <= FIRST_CEILING_MS


@given(st.lists(st.floats(0, ALMOST_ONE), min_size=1), st.integers(0, 20_000))
def test_no_wait_is_longer_than_the_cap_and_no_outage_longer_than_its_limit(
    chances: list[float], attempt_ms: int
) -> None:
    stream = iter(chances * 1_000)
    now_ms, backoff = 0, Backoff(lambda: next(stream))
    while (delay_ms := backoff.next_delay_ms(now_ms)) is not None:
        assert delay_ms <= CAP_MS
        assert now_ms + delay_ms <= OUTAGE_LIMIT_MS
        now_ms += delay_ms + attempt_ms


def test_attempts_that_fail_slowly_use_up_the_time_as_well() -> None:
    assert len(waits(Backoff(lambda: 0.5), attempt_ms=10_000)) == 6


def test_jitter_is_full() -> None:
    assert Backoff(lambda: 0.0).next_delay_ms(0) == 0


def test_after_a_stable_life_counting_begins_afresh() -> None:
    backoff = Backoff(lambda: ALMOST_ONE)
    for now_ms in (0, 1_000, 2_000):
        backoff.next_delay_ms(now_ms)
    assert backoff.attempt == 3
    assert backoff.outage_ms(5_000) == 5_000
    backoff.forget_outage()
    assert backoff.attempt == 0
    assert backoff.outage_ms(6_000) == 0
    assert backoff.next_delay_ms(7_000) == 249


def test_an_hour_has_a_budget_that_comes_back() -> None:
    backoff = Backoff(lambda: 0.0)
    for number in range(REDIALS_PER_HOUR):
        assert backoff.next_delay_ms(number * 60_000) == 0
        backoff.forget_outage()
    assert backoff.next_delay_ms(3_010_000) is None
    backoff.forget_outage()
    assert backoff.next_delay_ms(3_600_001) == 0


@pytest.mark.parametrize("outages", [1, 3])
def test_without_a_failure_there_is_no_outage(outages: int) -> None:
    backoff = Backoff(lambda: 0.5)
    for _ in range(outages):
        backoff.forget_outage()
    assert backoff.outage_ms(99_999) == 0
