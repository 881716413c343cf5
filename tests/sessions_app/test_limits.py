"""How much a page may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.gateway.limits import (
    GO_BACK_WITHIN_S,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    AudioGate,
    AudioVerdict,
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


class Microphone:
    """A page's frames of 40 ms, and a server that takes in what the gate lets through."""

    def __init__(self) -> None:
        self.gate = AudioGate(0)
        self.next_number = 0

    def send(self, number: int, now_s: float) -> AudioVerdict:
        verdict = self.gate.judge(number, 40 * BYTES_PER_MS, self.next_number, now_s)
        if verdict is AudioVerdict.TAKEN:
            self.next_number = max(self.next_number, number + 1)
        return verdict

    def send_all(self, first: int, until: int, now_s: float, frame_s: float = 0) -> set[AudioVerdict]:
        return {self.send(number, now_s + (number - first) * frame_s) for number in range(first, until)}


TAKEN = {AudioVerdict.TAKEN}


def test_a_page_may_speak_in_real_time_for_ever_and_thrice_as_fast() -> None:
    page = Microphone()
    assert page.send_all(0, 5_000, 0, 0.040 / 2.9) == TAKEN
    assert AudioVerdict.REFUSED in page.send_all(5_000, 10_000, 200, 0.040 / 10)


def test_a_new_page_may_send_five_seconds_at_once_and_no_more() -> None:
    page = Microphone()
    assert page.send_all(0, 125, 0) == TAKEN
    assert page.send(125, 0) is AudioVerdict.REFUSED


def test_a_page_that_comes_back_may_send_all_it_kept_at_once() -> None:
    page = Microphone()
    page.gate.page_came_back()
    assert page.send_all(0, 1_500, 0) == TAKEN


@pytest.mark.parametrize("held_up_s", [5, 10, 30, 60])
def test_what_was_held_up_on_the_way_may_come_at_once(held_up_s: int) -> None:
    page = Microphone()
    assert page.send_all(0, 25, 0, 0.040) == TAKEN
    assert page.send_all(25, 25 + held_up_s * 25, 1 + held_up_s) == TAKEN


def test_sending_again_takes_nothing_from_what_is_said_meanwhile() -> None:
    page = Microphone()
    assert page.send_all(0, 1_500, 0, 0.040) == TAKEN
    assert page.send_all(0, 1_500, 60) == TAKEN
    assert page.send_all(1_500, 1_625, 60) == TAKEN


def test_a_flood_of_what_was_taken_in_before_is_refused_all_the_same() -> None:
    page = Microphone()
    page.send(0, 0)
    assert [page.send(0, 0) for _ in range(2_000)][-1] is AudioVerdict.REFUSED


def test_after_a_refused_frame_those_behind_it_wait_until_it_has_come_again() -> None:
    page = Microphone()
    page.send_all(0, 125, 0)
    assert page.send(125, 0) is AudioVerdict.REFUSED
    assert page.send_all(126, 140, 0.5) == {AudioVerdict.IGNORED}
    assert page.send_all(125, 160, 1) == TAKEN
    assert not page.gate.is_waiting


def test_a_page_that_does_not_go_back_is_taken_on_with_a_gap() -> None:
    page = Microphone()
    page.send_all(0, 126, 0)
    assert page.send(140, GO_BACK_WITHIN_S) is AudioVerdict.IGNORED
    assert page.send(160, GO_BACK_WITHIN_S + 0.1) is AudioVerdict.TAKEN


def test_a_flood_behind_a_refused_frame_is_refused() -> None:
    page = Microphone()
    assert page.send_all(0, 500, 0) == set(AudioVerdict)


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
