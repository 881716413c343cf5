"""How long a conversation had no line, and why: what is written down when the next one stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessions_app.live.machine.events import (
    CloseFinished,
    ConnectionLost,
    GoAwayReceived,
    LadderExhausted,
    LevelChanged,
    MemoryLost,
    NoModel,
    ProviderSilent,
    Record,
    RetryRequested,
    SendBlocked,
    SetupCompleted,
    State,
    Timer,
    TimerFired,
    Wish,
)
from sessions_app.live.machine.reasons import PLANNED
from tests.live.play import DEAD_HANDLE, NETWORK, QUOTA, REFUSED, Play, of, only


def connected(wishes: list[Wish]) -> dict[str, Any]:
    """What is written down of the new line."""
    return dict(only([wish for wish in of(wishes, Record) if wish.kind == "connected"], Record).data)


def gap(wishes: list[Wish]) -> tuple[int, str]:
    data = connected(wishes)
    return data["gap_ms"], data["cause"]


def test_the_first_line_of_a_session_ends_no_gap() -> None:
    play = Play().open(handle="h-1", was_cut=True)
    assert connected(play.tell(SetupCompleted(), 700)).keys() == {"action", "outage_ms"}


def test_a_planned_swap_is_a_gap_from_the_close_to_the_next_line() -> None:
    play = Play().go_live().hand_over()
    play.tell(CloseFinished(), 1_400)
    assert gap(play.tell(SetupCompleted(), 600)) == (2_000, "go-away")


def test_a_swap_that_is_forced_is_a_planned_one() -> None:
    play = Play().go_live()
    play.tell(GoAwayReceived(50_000))
    play.tell(TimerFired(Timer.SWAP), 45_000)
    play.tell(CloseFinished(), 1_000)
    assert gap(play.tell(SetupCompleted(), 500)) == (1_500, "go-away")


def test_another_level_at_a_safe_point_is_planned() -> None:
    play = Play().go_live()
    play.tell(LevelChanged("other", is_raised=True, keeps_handle=False))
    play.tell(CloseFinished(), 200)
    assert gap(play.tell(SetupCompleted(), 300)) == (500, "level-changed")


def test_a_cut_lasts_until_the_line_stands_however_many_dials_fail() -> None:
    play = Play().go_live().offer_handle()
    play.lose(NETWORK)
    play.tell(TimerFired(Timer.REDIAL), 125)
    play.lose(REFUSED, after_ms=3_000)
    play.tell(TimerFired(Timer.REDIAL), 250)
    play.lose(DEAD_HANDLE, after_ms=200)
    assert gap(play.tell(SetupCompleted(), 500)) == (4_075, "network")


def test_a_swap_whose_dial_fails_is_still_the_one_that_was_announced() -> None:
    play = Play().go_live().hand_over()
    play.tell(CloseFinished(), 1_000)
    play.lose(REFUSED, after_ms=100)
    play.tell(TimerFired(Timer.REDIAL), 500)
    assert gap(play.tell(SetupCompleted(), 400)) == (2_000, "go-away")


@pytest.mark.parametrize(
    ("leave", "cause"),
    [
        (lambda play: play.tell(ProviderSilent("silent")), "silent"),
        (lambda play: play.tell(SendBlocked()), "send-blocked"),
        (lambda play: (play.tell(MemoryLost()), play.tell(CloseFinished())), "memory-lost"),
        (lambda play: (play.lose(QUOTA, 0), play.tell(LevelChanged("other", is_raised=False))), "quota"),
    ],
    ids=["silent", "send-blocked", "memory-lost", "quota"],
)
def test_whatever_tears_a_line_is_named(leave: Callable[[Play], object], cause: str) -> None:
    play = Play().go_live().have_a_turn("h-1")
    play.now_ms += 20_000
    leave(play)
    assert gap(play.tell(SetupCompleted(), 900)) == (900, cause)
    assert cause not in PLANNED


def test_a_session_without_a_model_has_a_gap_until_there_is_one() -> None:
    play = Play().go_live()
    play.tell(LadderExhausted(NoModel(retry_in_ms=60_000)))
    assert play.state is State.EXHAUSTED
    play.tell(TimerFired(Timer.REDIAL), 60_000)
    play.tell(LevelChanged("back", is_raised=True))
    assert gap(play.tell(SetupCompleted(), 1_000)) == (61_000, "quota")


def test_a_session_that_failed_has_a_gap_until_the_user_has_tried_again() -> None:
    play = Play().go_live()
    play.lose(NETWORK)
    play.tell(TimerFired(Timer.REDIAL), 200)
    while play.state is not State.FAILED:
        play.tell(ConnectionLost(REFUSED), 10_000)
        play.tell(TimerFired(Timer.REDIAL))
    before_ms = play.now_ms
    play.tell(RetryRequested(), 5_000)
    gap_ms, cause = gap(play.tell(SetupCompleted(), 1_000))
    assert cause == "network"
    assert gap_ms > play.now_ms - before_ms
    play.lose(NETWORK)
    play.tell(TimerFired(Timer.REDIAL), 100)
    assert gap(play.tell(SetupCompleted(), 200)) == (300, "network")
