"""What the session page says, module by module, in a browser without any server: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.modules import run

NOON_MS = 1_781_524_800_000
"""A moment at which it is noon in UTC."""

REPORT: dict[str, Any] = {
    "state": "live",
    "known": True,
    "reason": None,
    "place": None,
    "go_away_in_ms": None,
    "refresh_is_due": False,
    "action": "new",
    "model": "gemini-x",
    "level": {"number": 3, "top": 3, "word": "full", "model": "gemini-x"},
    "duration_ms": 65_000,
    "turn_state": "listening",
    "connections": 2,
    "last_message_at": NOON_MS / 1000 - 4,
    "round_trip_ms": 42,
    "loop_lag_ms": None,
    "handle": {"age_ms": 61_000, "covers_turn": 3, "covers_frames": 1500},
    "has_valid_resumption_data": True,
    "resumption_enabled": True,
    "compression_enabled": False,
    "frames_sent": 12_345,
    "frames_acknowledged": 12_000,
    "frames_waiting": 0,
    "frames_resent": None,
    "lost": {"ms": 0, "messages": 0},
    "usage": {"turns": 4, "input_tokens": 10_000, "output_tokens": 2_000, "cost": "$0.02"},
    "context": {"tokens": 32_000, "window_tokens": 128_000},
    "swaps": [],
    "ended": None,
    "strip": {"gaps": [], "levels": []},
}


def at(ms_before_noon: int) -> str:
    return datetime.fromtimestamp((NOON_MS - ms_before_noon) / 1000, UTC).isoformat()


ENDED = {"state": "none", "has_valid_resumption_data": False}


@pytest.mark.parametrize(
    ("fields", "word", "tone", "detail"),
    [
        ({}, "Live", "live", ""),
        (
            {"go_away_in_ms": 44_600},
            "Live",
            "live",
            "Gemini ends this connection in 45 seconds. The next one takes over by itself.",
        ),
        (
            {"refresh_is_due": True},
            "Live",
            "live",
            "The next connection takes over as soon as nobody is speaking.",
        ),
        ({"state": "connecting", "place": 3}, "Connecting", "busy", "In line for a place: number 3."),
        ({"state": "handover"}, "Changing lines", "busy", ""),
        ({"state": "reconnecting", "reason": "network"}, "Reconnecting", "hold", "Gemini cannot be reached."),
        ({"state": "reconnecting", "reason": "some-code"}, "Reconnecting", "hold", ""),
        ({"state": "falling_back"}, "Changing to another model", "hold", ""),
        ({"state": "exhausted", "reason": "quota"}, "Out of energy", "down", "The quota is used up for now."),
        ({"state": "from_the_future"}, "from_the_future", "quiet", ""),
        (
            {"state": "unknown", "known": False},
            "Live elsewhere",
            "hold",
            "The server process that has this session does not answer: only what is stored is shown.",
        ),
        ({"level": REPORT["level"] | {"word": "in turns"}}, "In turns", "live", ""),
        (ENDED, "No session", "quiet", "There has been none yet."),
        (
            ENDED | {"ended": {"at": at(125_400), "reason": "hung-up"}},
            "No session",
            "quiet",
            "The last one ended 2 minutes ago: hung up.",
        ),
        (
            ENDED | {"ended": {"at": at(-5000), "reason": ""}, "has_valid_resumption_data": True},
            "No session",
            "quiet",
            "The last one ended 0 seconds ago: no reason is known. Its handle is kept for the page that had it.",
        ),
    ],
)
def test_the_headline_says_how_a_session_stands(
    modules: Page, fields: dict[str, Any], word: str, tone: str, detail: str
) -> None:
    body = "return m.headlineOf(argument[0], argument[1]);"
    told = run(modules, "session/session_figures.js", body, [REPORT | fields, NOON_MS])
    assert (told["word"], told["tone"], told["detail"]) == (word, tone, detail)


@pytest.mark.parametrize(
    ("fields", "figures"),
    [
        (
            {},
            {
                "action": "new, nothing from before",
                "level": "3 of 3, full",
                "duration": "1:05",
                "turn": "listening",
                "connections": "2",
                "go-away": "not announced",
                "last-message": "4 seconds ago",
                "round-trip": "42 ms",
                "lag": "not known",
                "handle-age": "1:01",
                "handle-covers": "turns up to 3, 1,500 frames",
                "resumption": "on",
                "compression": "off",
                "frames-sent": "12,345",
                "frames-resent": "not known",
                "lost": "nothing",
                "cost": "$0.02",
                "context": "32,000 of 128,000",
            },
        ),
        ({"action": None, "model": None}, {"action": "none yet", "model": "none"}),
        ({"turn_state": "generating"}, {"turn": "producing a reply"}),
        ({"turn_state": None, "last_message_at": None}, {"turn": "not known", "last-message": "not known"}),
        ({"last_message_at": NOON_MS / 1000 + 9}, {"last-message": "just now"}),
        ({"go_away_in_ms": 45_000}, {"go-away": "in 0:45"}),
        ({"handle": None, "has_valid_resumption_data": False}, {"handle": "none", "handle-age": None}),
        ({"handle": None}, {"handle": "there", "handle-covers": None}),
        ({"handle": {"age_ms": 0, "covers_turn": -1, "covers_frames": 0}}, {"handle-covers": "no turn"}),
        ({"resumption_enabled": None}, {"resumption": "not known"}),
        ({"lost": {"ms": 1500, "messages": 0}}, {"lost": "1.5 seconds"}),
        ({"lost": {"ms": 0, "messages": 1}}, {"lost": "1 message"}),
        ({"lost": {"ms": 12_000, "messages": 2}}, {"lost": "12 seconds and 2 messages"}),
        ({"context": None}, {"context": "not known"}),
        (ENDED, {"action": None, "tokens-in": None}),
    ],
)
def test_each_figure_has_its_words(modules: Page, fields: dict[str, Any], figures: dict[str, str | None]) -> None:
    body = "return m.figuresOf(argument[0], argument[1]).flatMap(({ figures }) => figures);"
    told = run(modules, "session/session_figures.js", body, [REPORT | fields, NOON_MS])
    shown = {figure["name"]: figure["value"] for figure in told}
    assert {name: shown.get(name) for name in figures} == figures


@pytest.mark.parametrize(("tokens", "share"), [(32_000, 0.25), (0, 0), (200_000, 1)])
def test_the_bar_of_the_context_is_never_longer_than_whole(modules: Page, tokens: int, share: float) -> None:
    body = (
        "return m.figuresOf(argument, 0).flatMap(({ figures }) => figures).filter(({ share }) => share !== undefined);"
    )
    context = {"tokens": tokens, "window_tokens": 128_000}
    told = run(modules, "session/session_figures.js", body, REPORT | {"context": context})
    assert [figure["share"] for figure in told] == [share]


@pytest.mark.parametrize(
    ("fields", "wishes"),
    [
        ({}, ["disconnect", "forget", "refresh", "reset"]),
        ({"refresh_is_due": True}, ["disconnect", "forget", "reset"]),
        ({"has_valid_resumption_data": False}, ["disconnect", "refresh", "reset"]),
        ({"state": "reconnecting"}, ["connect", "disconnect", "forget", "reset"]),
        ({"state": "handover"}, ["disconnect", "forget", "reset"]),
        ({"state": "unknown", "known": False}, ["disconnect", "forget", "refresh", "reset"]),
        (ENDED, []),
        (ENDED | {"has_valid_resumption_data": True}, ["forget"]),
    ],
)
def test_only_what_makes_sense_can_be_wished(modules: Page, fields: dict[str, Any], wishes: list[str]) -> None:
    body = "return [...m.possibleWishes(argument)].sort();"
    assert run(modules, "session/session_figures.js", body, REPORT | fields) == wishes


@pytest.mark.parametrize(
    ("call", "argument", "text"),
    [
        ("causeText", "go-away", "Announced by Gemini"),
        ("causeText", "network", "Connection lost"),
        (
            "causeText",
            "bad-key",
            "Gemini does not accept this server's key. Whoever runs this server has to look into it.",
        ),
        ("causeText", "some-new-cause", "some new cause"),
        ("causeText", "", "Another reason"),
        ("resultText", {"wish": "forget", "result": "done"}, "The handle is forgotten."),
        ("resultText", {"wish": "refresh", "result": "nothing"}, "There is nothing to do this for."),
        (
            "resultText",
            {"wish": "reset", "result": "unreachable"},
            "The server process that has the session did not answer. Try again.",
        ),
    ],
)
def test_causes_and_results_are_words(modules: Page, call: str, argument: Any, text: str) -> None:
    assert run(modules, "session/session_figures.js", f"return m.{call}(argument);", argument) == text


@pytest.mark.parametrize(
    ("wish", "asked"), [("reset", True), ("disconnect", True), ("refresh", False), ("forget", False)]
)
def test_what_ends_a_conversation_is_asked_about(modules: Page, wish: str, asked: bool) -> None:
    assert run(modules, "session/session_figures.js", "return m.questionFor(argument) !== undefined;", wish) is asked


# --- The strip ------------------------------------------------------------------------------------

STRIP = "const [report, samples, now] = argument; return m.stripOf(report, samples, now);"


def strip(
    page: Page, *, gaps: list[Any] | None = None, levels: list[Any] | None = None, trips: list[Any] | None = None
) -> dict[str, Any]:
    report = REPORT | {"strip": {"gaps": gaps or [], "levels": levels or []}}
    told: dict[str, Any] = run(page, "session/strip.js", STRIP, [report, trips or [], NOON_MS])
    return told


def gap(ms_before_noon: int, gap_ms: int, *, planned: bool = True, cause: str = "go-away") -> dict[str, Any]:
    return {"at": at(ms_before_noon), "gap_ms": gap_ms, "planned": planned, "cause": cause}


def trip(ms_before_noon: int, ms: int) -> dict[str, int]:
    return {"at": NOON_MS - ms_before_noon, "ms": ms}


def test_without_anything_the_strip_is_a_level_and_says_so(clock_in_utc: Page) -> None:
    told = strip(clock_in_utc)
    assert (told["roundTrip"], told["level"], told["gaps"], told["rows"]) == ("", "M0 8H100", [], [])
    assert told["longestTripMs"] is None
    assert told["summary"] == "No gaps, level 3 all the time, no round trip measured."


@pytest.mark.parametrize(("gap_ms", "height"), [(0, 15), (40, 43.69), (1000, 68.38), (60_000, 100), (600_000, 100)])
def test_a_short_gap_is_seen_beside_a_long_one(clock_in_utc: Page, gap_ms: int, height: float) -> None:
    assert strip(clock_in_utc, gaps=[gap(300_000, gap_ms)])["gaps"] == [
        {"x": 50, "height": pytest.approx(height, abs=0.02), "planned": True}
    ]


def test_the_strip_as_rows_has_all_of_the_picture_newest_first(clock_in_utc: Page) -> None:
    told = strip(
        clock_in_utc,
        gaps=[gap(300_000, 420), gap(60_000, 1500, planned=False, cause="network")],
        levels=[{"at": at(120_000), "previous": 3, "level": 2}],
        trips=[trip(5000, 40), trip(4000, 55), trip(1000, 48)],
    )
    assert told["rows"] == [
        ["11:59:00", "Gap: Connection lost", "1.5 seconds, unplanned"],
        ["11:59:00", "Round trip in this minute", "40 to 55 ms"],
        ["11:58:00", "Level", "3 to 2"],
        ["11:55:00", "Gap: Announced by Gemini", "420 ms, planned"],
    ]
    assert told["summary"] == "2 gaps, the longest 1.5 seconds, 1 change of level, round trips of 40 to 55 ms."
    assert told["longestTripMs"] == 55
    assert told["level"] == "M0 8H80V36H100"


def test_round_trips_are_a_line_that_breaks_where_nobody_looked(clock_in_utc: Page) -> None:
    told = strip(clock_in_utc, trips=[trip(60_000, 50), trip(59_000, 100), trip(30_000, 100)])
    assert told["roundTrip"] == "M90 50L90.17 8M95 8"


@pytest.mark.parametrize(
    ("samples", "trip_ms", "kept"),
    [
        ([], None, []),
        ([], 40, [[0, 40]]),
        ([trip(600_000, 1), trip(600_001, 2)], None, [[600_000, 1]]),
        ([trip(1000, 30)], 40, [[1000, 30], [0, 40]]),
    ],
)
def test_samples_are_kept_for_as_long_as_the_strip_is(
    clock_in_utc: Page, samples: list[Any], trip_ms: int | None, kept: list[list[int]]
) -> None:
    body = "const [s, t, now] = argument; return m.withSample(s, t, now).map(({ at, ms }) => [now - at, ms]);"
    assert run(clock_in_utc, "session/strip.js", body, [samples, trip_ms, NOON_MS]) == kept


# --- Tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "It can begin one session with gemini-x within 1 minute, and counts for 30 minutes."),
        ({"uses": 3}, "It can begin 3 sessions with gemini-x within 1 minute, and counts for 30 minutes."),
    ],
)
def test_a_token_says_what_it_is_good_for(modules: Page, fields: dict[str, Any], text: str) -> None:
    made = {"model": "gemini-x", "uses": 1, "new_session_time_left_ms": 59_812, "total_time_left_ms": 1_799_812}
    assert run(modules, "session/token_words.js", "return m.tokenText(argument);", made | fields) == text


@pytest.mark.parametrize(
    ("status", "body", "retry_after", "text"),
    [
        (403, {"error": {"text": "This server hands out no tokens."}}, None, "This server hands out no tokens."),
        (429, {"error": {"text": "You have had 100."}}, "3600", "You have had 100. Try again in 60 minutes."),
        (503, {"error": {"text": "Try again in a while."}}, "30", "Try again in a while."),
        (401, {"error": {"text": "x"}}, None, "You are not logged in any more. Load the page again."),
        (502, None, None, "The token could not be made. Try again."),
    ],
)
def test_a_token_that_is_refused_is_a_sentence(
    modules: Page, status: int, body: Any, retry_after: str | None, text: str
) -> None:
    call = "return m.refusalText(argument[0], argument[1], argument[2]);"
    assert run(modules, "session/token_words.js", call, [status, body, retry_after]) == text
