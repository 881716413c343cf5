"""What may not have been taken in when the provider stands still or is busy, as far as its answers to pings tell."""

from __future__ import annotations

import asyncio
from typing import Any

from sessions_app.live.machine.turns import WATCH_MS
from sessions_app.live.providers.loop_lag import LoopLag
from sessions_app.live.providers.probes import EVERY_S, OVERDUE_AFTER_MS, REST_AFTER_MS, Pings, Probes

ROUND_TRIP_MS = 2
MARGIN_MS = 10


def usually(delay_ms: float, *, until_ms: float = 10_000) -> Pings:
    """Pings that were answered after this time so far, the last of them sent a delay before `until_ms`."""
    pings = Pings(0)
    for number in range(5, 0, -1):
        pings.sent(until_ms - number * delay_ms)
        pings.answered(until_ms - (number - 1) * delay_ms)
    return pings


TAKEN_IN_BY_MS = 10_000 - 10 - MARGIN_MS
"""What was sent until then had been taken in when the last of the usual pings was answered."""


def unread_ms(pings: Pings, now_ms: float, lag_ms: float = 0) -> float:
    return pings.unread_ms(now_ms, ROUND_TRIP_MS, MARGIN_MS, lag_ms)


def test_usually_everything_but_what_a_ping_would_take_has_been_taken_in() -> None:
    assert unread_ms(usually(10), 10_400) == 10 + MARGIN_MS
    assert unread_ms(usually(1), 10_400) == ROUND_TRIP_MS + MARGIN_MS


def test_what_had_not_been_taken_in_at_the_last_answered_ping_is_in_doubt_when_the_next_is_overdue() -> None:
    """The standstill may have begun right after the answer, which came from a layer before the one that listens."""
    pings = usually(10)
    pings.sent(10_500)
    assert unread_ms(pings, 10_500 + OVERDUE_AFTER_MS) == 10 + MARGIN_MS
    assert unread_ms(pings, 12_000) == 12_000 - TAKEN_IN_BY_MS
    pings.answered(12_000)
    pings.sent(12_000)
    pings.answered(12_010)
    assert unread_ms(pings, 12_400) == 10 + MARGIN_MS


def test_what_was_sent_into_a_standstill_is_in_doubt_until_a_ping_sent_after_it_is_answered_and_a_margin() -> None:
    """A handle that comes with the end of the standstill was made before what waited was read, and one that comes soon
    after it before that was taken in, however long ago it was sent."""
    pings = usually(10)
    pings.sent(10_500)
    pings.answered(12_000)
    assert pings.is_asking
    assert unread_ms(pings, 12_005) == 12_005 - TAKEN_IN_BY_MS
    assert unread_ms(pings, 12_050) == 12_050 - TAKEN_IN_BY_MS
    pings.sent(12_060)
    pings.answered(12_070)
    assert unread_ms(pings, 12_070 + MARGIN_MS - 1) == 12_070 + MARGIN_MS - 1 - TAKEN_IN_BY_MS
    assert unread_ms(pings, 12_070 + MARGIN_MS) == 10 + MARGIN_MS


def test_a_second_standstill_right_after_the_first_doubts_what_the_first_did_and_a_later_one_does_not() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.answered(12_000)
    pings.sent(12_000)
    pings.answered(12_010)
    pings.sent(12_500)
    pings.answered(12_900)
    assert unread_ms(pings, 12_905) == 12_905 - TAKEN_IN_BY_MS
    pings.sent(12_900)
    pings.answered(12_910)
    pings.sent(20_000)
    pings.answered(20_500)
    assert unread_ms(pings, 20_505) < 20_505 - 12_000


def test_a_provider_that_always_takes_its_time_with_pings_does_not_stand_still() -> None:
    pings = usually(30_000, until_ms=300_000)
    pings.sent(300_500)
    assert unread_ms(pings, 340_000) == ROUND_TRIP_MS + MARGIN_MS


def test_one_slow_answer_does_not_hide_the_next_standstill() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.answered(13_500)
    pings.sent(14_000)
    assert unread_ms(pings, 15_000) == 15_000 - TAKEN_IN_BY_MS


def test_a_busy_provider_has_read_less() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.answered(10_600)
    assert unread_ms(pings, 10_900) == 100 + MARGIN_MS


def test_a_burst_is_in_doubt_from_its_beginning_until_a_ping_sent_after_all_of_it_is_answered() -> None:
    pings = usually(10)
    pings.burst_began(10_200)
    assert unread_ms(pings, 10_210) == 10 + MARGIN_MS
    assert unread_ms(pings, 10_290) == 90
    pings.ask()
    pings.sent(10_300)
    assert unread_ms(pings, 10_305) == 105
    pings.answered(10_310)
    assert unread_ms(pings, 10_310 + MARGIN_MS) == 10 + MARGIN_MS
    assert unread_ms(pings, 10_400) == 10 + MARGIN_MS


def test_what_a_ping_has_asked_about_is_taken_in_a_moment_after_its_answer() -> None:
    pings = usually(10)
    pings.burst_began(10_200)
    pings.ask()
    pings.sent(10_203)
    pings.answered(10_206)
    assert unread_ms(pings, 10_206 + MARGIN_MS - 1) == 10 + MARGIN_MS
    assert unread_ms(pings, 10_206 + MARGIN_MS) == 3 + MARGIN_MS


def test_a_ping_that_was_sent_before_the_question_does_not_answer_it() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.burst_began(10_501)
    pings.ask()
    pings.answered(10_510)
    assert unread_ms(pings, 10_560) == 10_560 - 10_501
    pings.sent(10_560)
    pings.answered(10_570)
    assert unread_ms(pings, 10_640) == 10 + MARGIN_MS


def test_a_burst_that_begins_while_another_is_asked_about_keeps_both_in_doubt() -> None:
    pings = usually(10)
    pings.burst_began(10_500)
    pings.ask()
    pings.sent(10_501)
    pings.burst_began(10_505)
    pings.answered(10_510)
    assert unread_ms(pings, 10_600) == 10_600 - 10_501
    pings.ask()
    pings.sent(10_601)
    pings.answered(10_611)
    assert unread_ms(pings, 10_700) == 10 + MARGIN_MS


def test_a_new_connection_that_answers_no_ping_is_not_doubted_for_long() -> None:
    pings = Pings(1_000)
    pings.burst_began(1_000)
    pings.ask()
    pings.sent(1_010)
    assert unread_ms(pings, 1_500) == 500
    assert unread_ms(pings, 2_010) == ROUND_TRIP_MS + MARGIN_MS


def test_a_question_to_a_provider_that_takes_its_time_casts_no_doubt() -> None:
    pings = usually(30_000, until_ms=300_000)
    pings.burst_began(300_050)
    pings.ask()
    assert unread_ms(pings, 300_100) == ROUND_TRIP_MS + MARGIN_MS


def test_what_a_busy_process_reads_late_says_nothing_of_what_it_sent_meanwhile() -> None:
    assert unread_ms(usually(10), 10_600, lag_ms=150) == 10 + MARGIN_MS + 150


def test_what_was_read_is_not_yet_taken_in_by_a_provider_that_answers_pings_before_it_listens() -> None:
    """Pings at once, a set-up of 300 ms, and 60 ms before input is taken in: seen to lose 13 frames in 20 cuts."""
    pings = Pings(0)
    for sent_ms in range(0, 10_000, 500):
        pings.sent(sent_ms)
        pings.answered(sent_ms + 1)
    for now_ms in range(9_600, 9_999, 20):
        assert pings.unread_ms(now_ms, round_trip_ms=300, margin_ms=0) >= 300 - 1
        assert pings.unread_ms(now_ms, round_trip_ms=1, margin_ms=250) >= 250


# -- rest --------------------------------------------------------------------------------------------------------------


class Line:
    """A connection that counts pings, and answers them at once unless it is dead."""

    def __init__(self) -> None:
        self.pings = 0
        self.is_dead = False

    async def ping(self) -> asyncio.Future[float]:
        self.pings += 1
        answer = asyncio.get_running_loop().create_future()
        if not self.is_dead:
            answer.set_result(0.001)
        return answer


def probes_of(line: Any) -> Probes:
    probes = Probes(line, LoopLag(), margin_ms=MARGIN_MS)
    probes.start()
    return probes


async def test_nobody_is_pinged_while_nothing_is_said() -> None:
    """A thousand sessions in which nobody speaks took 41 % of a core, most of it for two pings a second each."""
    line = Line()
    probes = probes_of(line)
    await asyncio.sleep(2 * REST_AFTER_MS / 1000)
    pings = line.pings
    await asyncio.sleep(600)
    assert line.pings == pings
    assert probes.unread_ms(ROUND_TRIP_MS) < OVERDUE_AFTER_MS
    probes.stop()


async def test_pings_go_on_as_soon_as_something_is_sent_again() -> None:
    line = Line()
    probes = probes_of(line)
    await asyncio.sleep(600)
    pings = line.pings
    probes.keep_on()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.pings == pings + 1
    await asyncio.sleep(REST_AFTER_MS / 1000)
    assert line.pings - pings >= REST_AFTER_MS / 1000 / EVERY_S
    probes.stop()


async def test_a_rest_is_no_silence_of_the_provider_and_a_death_in_it_is_found_out_in_time() -> None:
    line = Line()
    probes = probes_of(line)
    await asyncio.sleep(600)
    line.is_dead = True
    probes.keep_on()
    assert probes.lifeless_ms == 0
    await asyncio.sleep(WATCH_MS / 1000)
    assert probes.lifeless_ms >= WATCH_MS - 1
    assert probes.unread_ms(ROUND_TRIP_MS) > WATCH_MS, "nothing that was sent since is known to have been read"
    probes.stop()


async def test_a_provider_that_is_watched_is_pinged_for_as_long_as_that_lasts() -> None:
    line = Line()
    probes = probes_of(line)
    for _ in range(20):
        await asyncio.sleep(WATCH_MS / 1000)
        assert probes.lifeless_ms <= 1000 * EVERY_S
        probes.keep_on()
    probes.stop()


def test_nothing_rests_before_a_ping_behind_all_that_was_sent_has_been_answered() -> None:
    assert REST_AFTER_MS > WATCH_MS
    pings = usually(10)
    assert pings.may_rest(9_990 - REST_AFTER_MS)
    assert not pings.may_rest(9_991 - REST_AFTER_MS)
    pings.burst_began(10_200)
    assert not pings.may_rest(0)
    pings.ask()
    assert not pings.may_rest(0)
    pings.sent(10_300)
    pings.answered(10_310)
    assert pings.may_rest(0)
