"""The browser's wire format: what is read, what is refused, what is written."""

from __future__ import annotations

import contextlib
import datetime
import json
import struct
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.levels import Level, LevelChange, Mode, Reason
from sessions_app.gateway import wire
from sessions_app.gateway.wire import (
    NO_CALL,
    RECORDINGS_LIMIT,
    Attach,
    HangUp,
    Heard,
    Malformed,
    Mic,
    Older,
    Oversized,
    Ping,
    Reset,
    Retry,
    Sound,
    Start,
    Stop,
    TypedText,
    parse_audio_frame,
    parse_text_frame,
)
from sessions_app.live.backlog import Loss
from sessions_app.live.machine.events import Action, State, TellState
from sessions_app.live.page import Ready
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import QuestionMoved, QuestionState
from sessions_app.live.transcript import Role, Turn, TurnStatus
from sessions_app.live.turn_window import TurnWindow

PAGE_ID = "6f1c1f0e-8f0a-4b53-9a41-0f8f3f1d2c3b"
OTHER_ID = "0b7a3c52-4a0e-4b0e-8a83-6f6a4c1f9d10"


def parse(**fields: Any) -> wire.PageMessage:
    return parse_text_frame(json.dumps(fields))


# -- page to server ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "start", "page_id": PAGE_ID}, Start(uuid.UUID(PAGE_ID))),
        (
            {"type": "start", "page_id": PAGE_ID, "last_down": 7, "continue": OTHER_ID, "fresh": True},
            Start(uuid.UUID(PAGE_ID), 7, uuid.UUID(OTHER_ID), True),
        ),
        ({"type": "start", "page_id": PAGE_ID, "last_down": -1, "continue": None}, Start(uuid.UUID(PAGE_ID))),
        (
            {"type": "start", "page_id": PAGE_ID, "fresh": True, "goes_on_from": OTHER_ID},
            Start(uuid.UUID(PAGE_ID), fresh=True, goes_on_from=uuid.UUID(OTHER_ID)),
        ),
        *(
            (
                {"type": "start", "page_id": PAGE_ID, "goes_on_from": garbage},
                Start(uuid.UUID(PAGE_ID), goes_on_from=NO_CALL),
            )
            for garbage in ("", "\x00", "none", 7, True, [OTHER_ID], {"id": OTHER_ID})
        ),
        ({"type": "start", "page_id": PAGE_ID, "goes_on_from": None}, Start(uuid.UUID(PAGE_ID))),
        ({"type": "text", "id": "typed-1", "text": " Hi "}, TypedText("typed-1", " Hi ")),
        ({"type": "text", "id": "typed-1", "text": "Hi", "replaces": 3}, TypedText("typed-1", "Hi", (), 3)),
        ({"type": "text", "id": "typed-1", "text": "Hi", "replaces": None}, TypedText("typed-1", "Hi")),
        ({"type": "mic", "on": True}, Mic(True)),
        ({"type": "mic", "on": False}, Mic(False)),
        ({"type": "sound", "on": False}, Sound(False)),
        ({"type": "stop"}, Stop()),
        ({"type": "reset"}, Reset()),
        ({"type": "retry"}, Retry()),
        ({"type": "hangup"}, HangUp()),
        ({"type": "older", "before": 0}, Older(0)),
        ({"type": "older", "before": 2**31 - 1}, Older(2**31 - 1)),
        ({"type": "ping", "t": 12.5}, Ping(12.5)),
        ({"type": "ping", "t": "now"}, Ping("now")),
        ({"type": "ping"}, Ping(None)),
        ({"type": "ping", "t": 1, "away_ms": 4200}, Ping(1, 4200)),
        ({"type": "heard", "down": 0, "ms": 0}, Heard(0, 0)),
        ({"type": "heard", "down": 2**32 - 1, "ms": 100}, Heard(2**32 - 1, 100)),
    ],
)
def test_messages_of_the_protocol_are_read(fields: dict[str, Any], expected: wire.PageMessage) -> None:
    assert parse(**fields) == expected
    assert parse(**fields, unheard_of={"of": [1]}) == expected, "unknown fields are ignored"


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        "{",
        '"start"',
        "NaN",
        '{"type": null}',
        '{"type": 1}',
        '{"type": ["start"]}',
        "[" * 60_000,
        '{"a":' * 12_000,
        "\x00",
        "9" * 5_000,
    ],
)
def test_what_is_no_message_is_malformed(frame: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse_text_frame(frame)
    assert raised.value.code == "protocol.malformed"


@pytest.mark.parametrize("frame", ["[" * 100_000, '{"a":' * 50_000, '{"type": "ping"}' + " " * 70_000, "x" * 400_000])
def test_what_is_too_large_for_anything_but_a_typed_message_is_oversized(frame: str) -> None:
    with pytest.raises(Oversized):
        parse_text_frame(frame)


@pytest.mark.parametrize("type", ["", "Start", "ready", "audio", "__class__"])
def test_an_unknown_type_has_a_code_of_its_own(type: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse(type=type)
    assert raised.value.code == "protocol.unknown_type"


def test_what_no_database_can_hold_is_left_out_of_a_typed_message() -> None:
    """Refused, the page would not know which of its messages that was, and send it again."""
    message = parse(type="text", id="typed-1", text="half a pair \ud83d and\x00 no character, 👋")
    assert message == TypedText("typed-1", "half a pair  and no character, 👋")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "start"},
        {"type": "start", "page_id": None},
        {"type": "start", "page_id": "me"},
        {"type": "start", "page_id": 7},
        {"type": "start", "page_id": ["6f1c1f0e"]},
        {"type": "start", "page_id": PAGE_ID, "last_down": -2},
        {"type": "start", "page_id": PAGE_ID, "last_down": 2**32},
        {"type": "start", "page_id": PAGE_ID, "last_down": 1.5},
        {"type": "start", "page_id": PAGE_ID, "last_down": True},
        {"type": "start", "page_id": PAGE_ID, "last_down": "1"},
        {"type": "start", "page_id": PAGE_ID, "continue": "the last one"},
        {"type": "start", "page_id": PAGE_ID, "fresh": "yes"},
        {"type": "start", "page_id": PAGE_ID, "fresh": 1},
        {"type": "text", "text": "Hi"},
        {"type": "text", "id": "", "text": "Hi"},
        {"type": "text", "id": "i" * 65, "text": "Hi"},
        {"type": "text", "id": 1, "text": "Hi"},
        {"type": "text", "id": "\ud800", "text": "Hi"},
        {"type": "text", "id": "typed-1"},
        {"type": "text", "id": "typed-1", "text": ""},
        {"type": "text", "id": "typed-1", "text": " \n "},
        {"type": "text", "id": "typed-1", "text": ["Hi"]},
        {"type": "text", "id": "typed\x00-1", "text": "Hi"},
        {"type": "text", "id": "typed-1", "text": "\x00 \ud83d"},
        {"type": "mic"},
        {"type": "mic", "on": "off"},
        {"type": "mic", "on": 0},
        {"type": "heard"},
        {"type": "heard", "down": 1},
        {"type": "heard", "down": -1, "ms": 0},
        {"type": "heard", "down": 2**32, "ms": 0},
        {"type": "heard", "down": True, "ms": 0},
        {"type": "heard", "down": 1.5, "ms": 0},
        {"type": "heard", "down": 1, "ms": -1},
        {"type": "heard", "down": 1, "ms": "100"},
        {"type": "ping", "t": {}},
        {"type": "ping", "t": [1]},
        {"type": "ping", "t": float("nan")},
        {"type": "ping", "t": float("-inf")},
        {"type": "ping", "t": "\udfff"},
    ],
)
def test_fields_of_the_wrong_kind_are_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as raised:
        parse(**fields)
    assert raised.value.code == "protocol.malformed"
    assert raised.value.text


ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]))
"""Halves of surrogate pairs as well: JSON may hold them."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(["start", "text", "mic", "stop", "reset", "retry", "hangup", "older", "ping", "heard"])
FIELDS = st.sampled_from(["page_id", "last_down", "continue", "fresh", "id", "text", "on", "before", "t"])


@given(ANY_TEXT)
def test_no_text_raises_anything_but_malformed(frame: str) -> None:
    with pytest.raises(Malformed):
        parse_text_frame(frame)


@given(JSON)
def test_no_json_raises_anything_but_malformed(value: Any) -> None:
    with contextlib.suppress(Malformed):
        parse_text_frame(json.dumps(value))


@given(TYPES, st.dictionaries(FIELDS, JSON | st.just(PAGE_ID)))
def test_no_field_raises_anything_but_malformed_and_what_is_read_can_be_told_again(
    type: str, fields: dict[str, Any]
) -> None:
    try:
        message = parse_text_frame(json.dumps({**fields, "type": type}))
    except Malformed:
        return
    if isinstance(message, Ping):
        json.dumps(wire.pong(message.t), ensure_ascii=False, allow_nan=False).encode()
    if isinstance(message, TypedText):
        assert message.text.encode()
        assert 1 <= len(message.id.encode()) <= 256


# -- audio -------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.binary(min_size=2, max_size=2_000).filter(lambda pcm: len(pcm) % 2 == 0))
def test_an_audio_frame_is_a_number_and_samples(number: int, pcm: bytes) -> None:
    assert parse_audio_frame(struct.pack(">I", number) + pcm) == (number, pcm)
    assert wire.audio_frame(number, pcm) == struct.pack(">I", number) + pcm


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_malformed(frame: bytes) -> None:
    if len(frame) <= 4 or len(frame) % 2:
        with pytest.raises(Malformed) as raised:
            parse_audio_frame(frame)
        assert raised.value.code == "protocol.malformed_audio"
    else:
        number, pcm = parse_audio_frame(frame)
        assert struct.pack(">I", number) + pcm == frame


def test_numbers_beyond_32_bits_begin_anew() -> None:
    assert wire.audio_frame(2**32 + 3, b"\1\2") == b"\0\0\0\3\1\2"


# -- server to page ----------------------------------------------------------------------------------------------------

BACK_AT = datetime.datetime(2026, 11, 21, 8, tzinfo=datetime.UTC)
FULL = Level(Mode.CALL, 3, "full", "gemini-3.8-live")
REDUCED = Level(Mode.CALL, 2, "reduced", "gemini-3.1-flash-live-preview")
TYPED = Turn(4, Role.USER, "Grüße 👋", TurnStatus.COMPLETE, 1_767_225_600_123, "typed-1")
REPLY = Turn(5, Role.MODEL, "Hello", TurnStatus.PARTIAL, 1_767_225_601_000)


def test_ready_has_the_fields_of_the_protocol() -> None:
    ready = wire.ready(Ready(Action.RESUMED, PAGE_ID, OTHER_ID, FULL, FULL, 7, 9, (TYPED, REPLY)))
    assert ready == {
        "type": "ready",
        "action": "resumed",
        "conversation": PAGE_ID,
        "session": OTHER_ID,
        "mode": "call",
        "model": "gemini-3.8-live",
        "energy": {
            "mode": "call",
            "level": 3,
            "previous": 3,
            "max": 3,
            "word": "full",
            "model": "gemini-3.8-live",
            "reason": "session-reset",
            "resets_at": None,
        },
        "ack": 7,
        "next": 9,
        "transcript": [
            {
                "turn": 4,
                "role": "user",
                "text": "Grüße 👋",
                "status": "complete",
                "at": "2026-01-01T00:00:00.123+00:00",
                "id": "typed-1",
            },
            {
                "turn": 5,
                "role": "model",
                "text": "Hello",
                "status": "partial",
                "at": "2026-01-01T00:00:01.000+00:00",
            },
        ],
        "more": False,
        "goes_on_from": None,
        "summary": None,
    }


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            wire.state(TellState(State.RECONNECTING, 2, 500, "network")),
            {"type": "state", "state": "reconnecting", "attempt": 2, "retry_in_ms": 500, "reason": "network"},
        ),
        (wire.flush(), {"type": "flush"}),
        (wire.generation_complete(5), {"type": "generation_complete", "turn": 5}),
        (wire.turn_complete(5, None), {"type": "turn_complete", "turn": 5, "usage": None}),
        (
            wire.turn_complete(5, UsageReported(prompt_tokens=834, response_tokens_by_modality={"AUDIO": 64})),
            {
                "type": "turn_complete",
                "turn": 5,
                "usage": {"prompt_tokens": 834, "response_tokens_by_modality": {"AUDIO": 64}},
            },
        ),
        (wire.go_away(9_500), {"type": "go_away", "time_left_ms": 9_500}),
        (wire.ack(8, ("typed-1",)), {"type": "ack", "audio": 8, "ids": ["typed-1"]}),
        (
            wire.lost(Loss(400, ("typed-1",)), "connection"),
            {"type": "lost", "ms": 400, "ids": ["typed-1"], "reason": "connection"},
        ),
        (
            wire.state(TellState(State.CONNECTING, reason="queued", place=3)),
            {
                "type": "state",
                "state": "connecting",
                "attempt": 0,
                "retry_in_ms": None,
                "reason": "queued",
                "place": 3,
            },
        ),
        (
            wire.energy(LevelChange(FULL, REDUCED, Reason.RATE_LIMIT_EXCEEDED, BACK_AT, BACK_AT), FULL),
            {
                "type": "energy",
                "mode": "call",
                "level": 2,
                "previous": 3,
                "max": 3,
                "word": "reduced",
                "model": "gemini-3.1-flash-live-preview",
                "reason": "rate-limit-exceeded",
                "resets_at": "2026-11-21T08:00:00+00:00",
            },
        ),
        (
            wire.toast("call.rebuilt", "info", "A new session.", 8_000),
            {"type": "toast", "code": "call.rebuilt", "level": "info", "text": "A new session.", "ms": 8_000},
        ),
        (
            wire.error("limit.text", "Too long.", id="typed-1"),
            {"type": "error", "code": "limit.text", "text": "Too long.", "fatal": False, "id": "typed-1"},
        ),
        (
            wire.error("protocol.malformed", "No.", fatal=True),
            {"type": "error", "code": "protocol.malformed", "text": "No.", "fatal": True},
        ),
        (wire.pong(12.5), {"type": "pong", "t": 12.5}),
    ],
)
def test_messages_to_the_page_have_the_fields_of_the_protocol(
    message: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert json.loads(json.dumps(message)) == expected


def test_earlier_turns_are_told_like_those_of_a_transcript() -> None:
    facts = [wire.turn_facts(TYPED), wire.turn_facts(REPLY)]
    assert wire.turns(TurnWindow((TYPED, REPLY), more=True)) == {"type": "turns", "turns": facts, "more": True}


def test_a_turn_is_told_like_one_in_a_transcript() -> None:
    assert wire.turn(TYPED) == {"type": "turn", **wire.turn_facts(TYPED)}


# -- recordings --------------------------------------------------------------------------------------------------------


def test_what_a_message_is_about_is_read_each_once_and_in_its_order() -> None:
    page, other = uuid.UUID(PAGE_ID), uuid.UUID(OTHER_ID)
    named = [OTHER_ID, PAGE_ID, OTHER_ID]
    assert parse(type="text", id="a", text="What?", recordings=named) == TypedText("a", "What?", (other, page))
    assert parse(type="text", id="a", text="What?", recordings=[]) == TypedText("a", "What?")
    assert parse(type="start", page_id=PAGE_ID, recordings=named) == Start(page, recordings=(other, page))
    assert parse(type="attach", recording=OTHER_ID) == Attach(other)


@pytest.mark.parametrize("named", ["all", {}, [1], ["no id"], [OTHER_ID] * (RECORDINGS_LIMIT + 1), 0, True])
def test_what_names_no_recordings_is_malformed(named: Any) -> None:
    for fields in ({"type": "text", "id": "a", "text": "What?"}, {"type": "start", "page_id": PAGE_ID}):
        with pytest.raises(Malformed):
            parse(**fields, recordings=named)
    with pytest.raises(Malformed):
        parse(type="attach", recording=named)


def test_a_turn_says_which_recordings_it_is_about() -> None:
    turn = Turn(3, Role.MODEL, "At 12:41.", TurnStatus.COMPLETE, 0, recordings=("a", "b"))
    assert wire.turn_facts(turn)["recordings"] == ["a", "b"]
    assert "recordings" not in wire.turn_facts(Turn(3, Role.MODEL, "Hello.", TurnStatus.COMPLETE, 0))


def test_a_question_is_told_with_what_can_be_counted_of_it() -> None:
    moved = QuestionMoved("q", ("a",), QuestionState.UPLOADING, "a", 5, 10)
    assert wire.question(moved) == {
        **{"type": "question", "id": "q", "recordings": ["a"], "state": "uploading"},
        **{"recording": "a", "sent_bytes": 5, "size_bytes": 10},
    }
    assert wire.question(QuestionMoved("q", ("a",), QuestionState.OVER))["recording"] is None
    assert wire.error("recordings.unknown", "No.", id="q", recording="a")["recording"] == "a"
