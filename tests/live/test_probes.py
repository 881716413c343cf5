"""What may not have been read when the provider stands still or is busy, as far as its answers to pings tell."""

from __future__ import annotations

from sessions_app.live.probes import OVERDUE_AFTER_MS, Pings


def usually(delay_ms: float, *, until_ms: float = 10_000) -> Pings:
    """Pings that were answered after this time so far, the last of them sent a delay before `until_ms`."""
    pings = Pings(0)
    pings.ask()
    for number in range(5, 0, -1):
        pings.sent(until_ms - number * delay_ms)
        pings.answered(until_ms - (number - 1) * delay_ms)
    return pings


def test_usually_everything_but_what_a_ping_would_take_has_been_read() -> None:
    assert usually(10).unread_ms(10_400) == 10


def test_what_was_sent_since_the_last_answered_ping_is_in_doubt_when_the_next_is_overdue() -> None:
    pings = usually(10)
    pings.sent(10_500)
    assert pings.unread_ms(10_500 + OVERDUE_AFTER_MS) == 10
    assert pings.unread_ms(12_000) == 12_000 - 9_990
    pings.answered(12_000)
    assert pings.unread_ms(12_001) == 10


def test_a_provider_that_always_takes_its_time_with_pings_does_not_stand_still() -> None:
    pings = usually(30_000, until_ms=300_000)
    pings.sent(300_500)
    assert pings.unread_ms(340_000) == 0


def test_one_slow_answer_does_not_hide_the_next_standstill() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.answered(13_500)
    pings.sent(14_000)
    assert pings.unread_ms(15_000) == 15_000 - 10_500


def test_a_busy_provider_has_read_less() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.answered(10_600)
    assert pings.unread_ms(10_700) == 100


def test_what_a_new_connection_was_sent_is_in_doubt_until_a_ping_sent_after_all_of_it_is_answered() -> None:
    pings = Pings(1_000)
    pings.sent(1_000)
    assert pings.unread_ms(1_020) == 20
    pings.answered(1_030)
    assert pings.unread_ms(1_040) == 40
    pings.ask()
    pings.sent(1_050)
    pings.answered(1_055)
    assert pings.unread_ms(1_060) == 30


def test_a_ping_that_was_sent_before_the_question_does_not_answer_it() -> None:
    pings = usually(10)
    pings.sent(10_500)
    pings.ask()
    pings.answered(10_510)
    assert pings.unread_ms(10_520) == 20
    pings.sent(10_520)
    pings.answered(10_530)
    assert pings.unread_ms(10_600) == 10


def test_a_new_connection_that_answers_no_ping_is_not_doubted_for_long() -> None:
    pings = Pings(1_000)
    pings.ask()
    pings.sent(1_000)
    assert pings.unread_ms(1_500) == 500
    assert pings.unread_ms(2_000) == 0


def test_a_question_to_a_provider_that_takes_its_time_casts_no_doubt() -> None:
    pings = usually(30_000, until_ms=300_000)
    pings.ask()
    assert pings.unread_ms(300_100) == 0
