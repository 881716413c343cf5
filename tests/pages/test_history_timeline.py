"""What the rows of a conversation's connections become when they are told to people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from summarization.lengths import duration_words, length_words, loss_words
from summarization.timeline import Event, Moment, Tone, timeline, verdict

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def tell(*steps: tuple[float, str, dict[str, Any]]) -> list[tuple[str, int | None, str]]:
    """Text, gap and loss of each moment; steps are seconds since the start, kind and data."""
    return [(moment.text, moment.gap_ms, moment.loss) for moment in moments(*steps)]


def moments(*steps: tuple[float, str, dict[str, Any]]) -> tuple[Moment, ...]:
    return timeline(Event(START + timedelta(seconds=at), kind, data, "gemini-x") for at, kind, data in steps)


CONNECTED = (0.0, "connected", {"action": "new", "outage_ms": 0})


def test_a_quiet_conversation_is_a_beginning_and_an_end() -> None:
    assert tell(CONNECTED, (5, "usage", {"prompt_tokens": 4}), (60, "ended", {"reason": "hung-up"})) == [
        ("Connected to gemini-x.", None, ""),
        ("You hung up.", None, ""),
    ]


def test_all_tries_until_the_line_stands_again_are_one_gap() -> None:
    told = moments(
        CONNECTED,
        (10, "connection_lost", {"reason": "network"}),
        (11, "connection_lost", {"reason": "provider-unavailable"}),
        (14, "connected", {"action": "resumed", "outage_ms": 4200}),
    )
    assert len(told) == 2
    assert told[1].text == "The network to Gemini broke; the session went on where it was."
    assert (told[1].gap_ms, told[1].loss, told[1].tone) == (4200, "Nothing was lost.", Tone.HELD)
    assert told[1].at == START + timedelta(seconds=10)


def test_answers_that_nobody_could_speak_are_told_of() -> None:
    told = tell(CONNECTED, (10, "voice_missing", {"reason": "a-voice: 429 RESOURCE_EXHAUSTED"}))
    assert told[1:] == [("No voice was to be had: answers were only written.", None, "")]


def test_a_question_about_a_recording_without_an_answer_is_told_of() -> None:
    told = tell(CONNECTED, (10, "question_failed", {"code": "recording.quota", "reason": ""}))
    assert told[1:] == [("A question about a recording was not answered.", None, "")]


def test_a_gap_that_was_not_measured_is_the_time_between() -> None:
    _, outage = tell(
        CONNECTED,
        (10, "connection_abandoned", {"reason": "silent"}),
        (11.5, "connected", {"action": "rebuilt", "outage_ms": 0}),
    )
    assert outage == (
        "Gemini did not answer; a new session was given the conversation so far.",
        1500,
        "Nothing was lost.",
    )


@pytest.mark.parametrize("at", [11, 13], ids=["during the gap", "just after it"])
def test_what_a_gap_cost_is_told_with_it(at: float) -> None:
    steps: list[tuple[float, str, dict[str, Any]]] = [
        CONNECTED,
        (10.0, "connection_lost", {"reason": "unheard-of"}),
        (12.0, "connected", {"action": "resumed", "outage_ms": 2000}),
        (float(at), "lost", {"ms": 2400, "messages": 1, "reason": "overflow"}),
    ]
    told = moments(*sorted(steps, key=lambda step: step[0]))
    assert told[1].loss == "2.4 seconds of what you said and 1 message could not be saved."
    assert told[1].tone is Tone.DOWN
    assert told[1].text.startswith("The connection was lost;")


def test_what_was_lost_at_another_time_stands_alone() -> None:
    assert tell(CONNECTED, (90, "lost", {"ms": 0, "messages": 2}))[1] == (
        "Something was lost.",
        None,
        "2 messages could not be saved.",
    )


def test_a_planned_change_of_lines_is_no_gap() -> None:
    steps = (
        CONNECTED,
        (10.0, "go_away", {"time_left_ms": 9500}),
        (15.0, "connected", {"action": "resumed", "outage_ms": 0}),
    )
    assert tell(*steps)[1] == (
        "Gemini ended the connection as announced; the session went on where it was.",
        None,
        "Nothing was lost.",
    )
    assert verdict(moments(*steps)) == "The line held without a gap. Nothing was lost."


def test_another_connection_that_the_user_asked_for_is_told_as_that() -> None:
    told = tell(CONNECTED, (10, "refresh_asked", {}), (12, "connected", {"action": "resumed", "outage_ms": 0}))
    assert told[1:] == [
        ("You asked for another connection; the session went on where it was.", None, "Nothing was lost.")
    ]


def test_a_session_that_was_replaced_for_other_settings_is_told_as_that() -> None:
    told = tell(CONNECTED, (10, "connected", {"action": "rebuilt", "outage_ms": 0, "gap_ms": 400, "cause": "settings"}))
    assert told[1:] == [
        ("Your settings had changed; a new session was given the conversation so far.", None, "Nothing was lost.")
    ]


def test_a_session_that_forgot_is_told_as_that() -> None:
    told = tell(
        CONNECTED,
        (5, "connected", {"action": "resumed"}),
        (6, "memory_lost", {}),
        (7, "connected", {"action": "rebuilt"}),
    )
    assert "had forgotten the conversation" in told[-1][0]


def test_a_change_of_model_belongs_to_the_gap_it_ended() -> None:
    _, outage = tell(
        CONNECTED,
        (10, "connection_lost", {"reason": "quota"}),
        (10.1, "level_lowered", {"model": "gemini-y"}),
        (11, "connected", {"action": "rebuilt", "outage_ms": 1000}),
    )
    assert outage[0] == (
        "The quota of the model was used up; a new session was given the conversation so far with gemini-y."
    )


@pytest.mark.parametrize(("kind", "direction"), [("level_raised", "up"), ("level_lowered", "down")])
def test_a_change_of_model_without_a_gap_is_one_moment(kind: str, direction: str) -> None:
    told = tell(CONNECTED, (10, kind, {"model": "gemini-y"}), (12, "connected", {"action": "rebuilt", "outage_ms": 0}))
    assert told[1:] == [
        (
            f"The conversation moved {direction} to gemini-y; a new session was given the conversation so far.",
            None,
            "Nothing was lost.",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("failed", "could not be restored for a minute"), ("exhausted", "The quota of every model was used up.")],
)
def test_a_line_that_never_came_back_is_not_called_held(kind: str, words: str) -> None:
    told = moments(
        CONNECTED,
        (10, "connection_lost", {"reason": "network"}),
        (70, kind, {}),
        (80, "ended", {"reason": "hung-up"}),
    )
    assert words in told[1].text
    assert (told[1].gap_ms, told[1].loss, told[1].tone) == (None, "", Tone.DOWN)


def test_how_long_the_page_was_away_is_told_by_the_page_and_not_by_when_its_old_connection_went() -> None:
    steps: tuple[tuple[float, str, dict[str, Any]], ...] = (
        CONNECTED,
        (50.0, "page_gone", {}),
        (50.0, "page_back", {"away_ms": 45_000}),
    )
    told = moments(*steps)
    assert (told[1].text, told[1].gap_ms, told[1].loss) == (
        "The page was away for 45 seconds, and came back.",
        45_000,
        "Nothing was lost.",
    )
    assert told[1].at == START + timedelta(seconds=5)


def test_a_page_that_came_back_after_its_session_was_closed_was_away_all_that_time() -> None:
    told = moments(
        CONNECTED,
        (35.0, "page_gone", {}),
        (65.0, "ended", {"reason": "page-gone"}),
        (75.0, "page_back", {"away_ms": 45_000}),
        (76.0, "connected", {"action": "resumed", "outage_ms": 0}),
        (77.0, "lost", {"ms": 2_000, "messages": 0}),
    )
    away = told[1]
    assert (away.text, away.gap_ms) == ("The page was away for 45 seconds, and came back.", 45_000)
    assert away.loss == "2 seconds of what you said could not be saved."


def test_a_page_that_came_back_and_one_that_did_not_are_told_apart() -> None:
    assert tell(CONNECTED, (5, "page_gone", {}), (8, "page_back", {}))[1] == (
        "The page was away for 3 seconds, and came back.",
        3000,
        "Nothing was lost.",
    )
    told = tell(CONNECTED, (5, "page_gone", {}), (35, "ended", {"reason": "page-gone"}))
    assert [text for text, _, _ in told[1:]] == [
        "The page was closed.",
        "The page did not come back, and the connection was closed.",
    ]


def test_a_restart_of_the_server_is_a_gap_that_ends_with_the_next_session() -> None:
    assert tell(CONNECTED, (60, "ended", {"reason": "draining"}), (61.2, "connected", {"action": "resumed"}))[1] == (
        "The server restarted; the session went on where it was.",
        1200,
        "Nothing was lost.",
    )


def test_what_is_not_known_is_told_by_its_name_and_broken_data_breaks_nothing() -> None:
    told = tell((0, "connected", {}), (1, "owner_changed", {}), (2, "lost", {"ms": "x"}), (3, "connection_lost", {}))
    assert [text for text, _, _ in told] == [
        "Connected to gemini-x.",
        "Owner changed.",
        "Something was lost.",
        "The connection was lost. It was not restored.",
    ]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 seconds"),
        (1000, "1 second"),
        (4249, "4.2 seconds"),
        (9999, "10 seconds"),
        (61_000, "1 minute 1 second"),
        (7_500_000, "2 hours 5 minutes"),
        (180_000_000, "2 days 2 hours"),
    ],
)
def test_durations_are_told_as_people_tell_them(milliseconds: int, words: str) -> None:
    assert duration_words(milliseconds) == words


def test_a_loss_is_a_sentence() -> None:
    assert loss_words(0, 0) == "Nothing was lost."
    assert loss_words(0, 1) == "1 message could not be saved."


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "a moment"),
        (999, "a moment"),
        (1_200, "1 second"),
        (20_400, "20 seconds"),
        (59_600, "1 minute"),
        (187_000, "3 minutes"),
        (7_512_000, "2 hours 5 minutes"),
    ],
)
def test_the_length_of_a_talk_is_rounded_as_people_round_it(milliseconds: int, words: str) -> None:
    assert length_words(milliseconds) == words
