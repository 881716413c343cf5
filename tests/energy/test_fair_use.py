"""What one user may have: pure."""

from __future__ import annotations

import datetime

import pytest

from energy.days import day_of
from energy.fair_use import Allowance, FairUseLimit, FairUseRefusal, Used, refusal_of
from energy.levels import Mode

NOW = datetime.datetime(2026, 11, 20, 15, 30, tzinfo=datetime.UTC)
TOMORROW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
ALLOWANCE = Allowance(call_minutes_per_day=30, sessions=2, tokens_per_day=10_000)


@pytest.mark.parametrize(
    ("used", "mode", "refusal"),
    [
        (Used(), Mode.CALL, None),
        (Used(1_799.9, 1, 9_999), Mode.CALL, None),
        (Used(1_800), Mode.CALL, FairUseRefusal(FairUseLimit.CALL_MINUTES, 30, TOMORROW)),
        (Used(1_800), Mode.TEXT, None),
        (Used(sessions_open=2), Mode.TEXT, FairUseRefusal(FairUseLimit.SESSIONS, 2, None)),
        (Used(tokens_today=10_000), Mode.TEXT, FairUseRefusal(FairUseLimit.TOKENS, 10_000, TOMORROW)),
        (Used(0, 5, 10_000), Mode.TEXT, FairUseRefusal(FairUseLimit.TOKENS, 10_000, TOMORROW)),
    ],
)
def test_the_limit_that_was_reached_is_named_with_its_end(
    used: Used, mode: Mode, refusal: FairUseRefusal | None
) -> None:
    assert refusal_of(used, ALLOWANCE, mode, NOW, "UTC") == refusal


def test_limits_are_off_unless_they_are_set() -> None:
    assert refusal_of(Used(1e9, 10**6, 10**12), Allowance(), Mode.CALL, NOW, "UTC") is None


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            FairUseRefusal(FairUseLimit.CALL_MINUTES, 30, TOMORROW),
            "You have used your 30 minutes of call for today. There is more from Saturday 00:00 UTC on.",
        ),
        (
            FairUseRefusal(FairUseLimit.TOKENS, 10_000, TOMORROW),
            "You have used your 10,000 tokens for today. There is more from Saturday 00:00 UTC on.",
        ),
        (
            FairUseRefusal(FairUseLimit.SESSIONS, 2, None),
            "You have 2 conversations open, as many as are allowed at a time. End one of them to begin another.",
        ),
    ],
)
def test_a_refusal_says_what_was_used_and_when_it_ends(refusal: FairUseRefusal, sentence: str) -> None:
    assert refusal.in_words(NOW, "UTC") == sentence


@pytest.mark.parametrize(
    ("now", "zone", "hours"),
    [
        ("2026-11-20T23:30+00:00", "Europe/Berlin", 24),
        ("2026-03-29T12:00+00:00", "Europe/Berlin", 23),
        ("2026-10-25T12:00+00:00", "Europe/Berlin", 25),
        ("2026-03-08T12:00+00:00", "America/Havana", 23),
    ],
)
def test_a_day_is_as_long_as_the_clocks_there_make_it(now: str, zone: str, hours: int) -> None:
    """In Havana the clocks change at midnight, which that day does not have."""
    moment = datetime.datetime.fromisoformat(now)
    begins, ends = day_of(moment, zone)
    assert begins <= moment < ends
    assert ends - begins == datetime.timedelta(hours=hours)
