"""A provider that stands still for a while is noticed by the pings it does not answer."""

from __future__ import annotations

from sessions_app.live.probes import OVERDUE_AFTER_MS, Pings


def usually(delay_ms: float, *, until_ms: float = 10_000) -> Pings:
    """Pings that were answered after this time so far, the last of them sent a delay before `until_ms`."""
    pings = Pings()
    for number in range(5, 0, -1):
        pings.sent(until_ms - number * delay_ms)
        pings.answered(until_ms - (number - 1) * delay_ms)
    return pings


def test_what_was_sent_since_the_last_answered_ping_is_not_read_for_sure_when_the_next_is_overdue() -> None:
    pings = usually(10)
    pings.sent(10_500)
    assert pings.unread_ms(10_500 + OVERDUE_AFTER_MS) == 0
    assert pings.unread_ms(12_000) == 12_000 - 9_990
    pings.answered(12_000)
    assert pings.unread_ms(12_001) == 0


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


def test_without_any_answer_yet_nothing_is_known() -> None:
    pings = Pings()
    pings.sent(0)
    assert pings.unread_ms(60_000) == 0
