"""How much a page may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.gateway.limits import (
    AUDIO_BURST_BYTES,
    AUDIO_RESENT_BYTES,
    AUDIO_SPEED,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    Bucket,
    Strikes,
)
from sessions_app.live.voice import BYTES_PER_MS


def test_a_full_bucket_gives_its_size_and_no_more() -> None:
    bucket = Bucket(per_s=10, size=3, now_s=0)
    assert [bucket.take(1, 0) for _ in range(4)] == [True, True, True, False]


def test_an_empty_bucket_fills_at_its_rate_up_to_its_size() -> None:
    bucket = Bucket(per_s=10, size=3, now_s=0)
    assert bucket.take(3, 0)
    assert not bucket.take(1, 0.05)
    assert bucket.take(1, 0.1)
    assert not bucket.take(4, 1_000)
    assert bucket.take(3, 1_000)


def test_what_is_refused_takes_nothing_out() -> None:
    bucket = Bucket(per_s=0, size=5, now_s=0)
    assert not bucket.take(6, 0)
    assert bucket.take(5, 0)


def test_an_allowance_beyond_the_size_is_given_once() -> None:
    bucket = Bucket(per_s=1, size=5, now_s=0)
    bucket.add(10)
    assert bucket.take(15, 0)
    assert not bucket.take(1, 0.5)
    assert not bucket.take(16, 1_000)


@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 2)), max_size=60))
def test_no_stretch_of_time_gives_more_than_the_rate_and_the_size(takes: list[tuple[float, float]]) -> None:
    bucket, now_s, taken = Bucket(per_s=2, size=6, now_s=0), 0.0, 0.0
    for amount, pause_s in takes:
        now_s += pause_s
        taken += amount if bucket.take(amount, now_s) else 0
        assert taken <= 6 + 2 * now_s + 1e-6


def test_a_page_may_speak_in_real_time_for_ever_and_thrice_as_fast() -> None:
    frame_bytes, frame_s = 4 + 40 * BYTES_PER_MS, 0.040
    bucket = Bucket(AUDIO_SPEED * 1_000 * BYTES_PER_MS, AUDIO_BURST_BYTES, 0)
    assert all(bucket.take(frame_bytes, number * frame_s / 2.9) for number in range(5_000))
    assert not all(bucket.take(frame_bytes, 200 + number * frame_s / 10) for number in range(5_000))


def test_a_page_that_comes_back_may_send_all_it_kept_at_once() -> None:
    bucket = Bucket(AUDIO_SPEED * 1_000 * BYTES_PER_MS, AUDIO_BURST_BYTES, 0)
    bucket.add(AUDIO_RESENT_BYTES)
    assert all(bucket.take(4 + 40 * BYTES_PER_MS, 0) for _ in range(1_500))


def test_twenty_messages_a_second_are_taken() -> None:
    bucket = Bucket(MESSAGES_PER_S, MESSAGES_BURST, 0)
    assert all(bucket.take(1, number / MESSAGES_PER_S) for number in range(1_000))


def test_the_first_offence_of_each_second_is_answered() -> None:
    strikes = Strikes()
    assert [strikes.note(now_s) for now_s in (0, 0.1, 0.9, 1.0, 1.5, 2.0)] == [True, False, False, True, False, True]


@pytest.mark.parametrize(("step_s", "notes"), [(0.001, 200), (1.0, 3), (60.0, 3)])
def test_a_flood_is_enough_by_its_volume_and_a_drip_by_its_seconds(step_s: float, notes: int) -> None:
    strikes, count = Strikes(), 0
    while not strikes.is_enough:
        strikes.note(count * step_s)
        count += 1
    assert count == notes
