"""The parts of the emulator that need no connection: memory, checkpoints, hearing, the wire, certificates."""

from pathlib import Path

import numpy as np
import pytest

from emulator.certificate import ensure_certificate, server_context
from emulator.faults import FaultBoard, parse_fault
from emulator.log import EventLog
from emulator.memory import Memory, Turn
from emulator.sessions import HANDLE_LIFETIME_S, HandleRefusedError, SessionStore
from emulator.spoken_numbers import with_figures
from emulator.texts import CATALOGUE
from emulator.vad import SpeechEnded, SpeechStarted, VoiceActivityDetector
from emulator.voice import resample, tones
from emulator.wire import (
    WireError,
    camel_keys,
    decode_base64,
    encode_frame,
    format_duration,
    parse_duration,
    snake_name,
)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# Sessions and handles.


def test_a_handle_is_good_for_two_hours_after_the_last_connection() -> None:
    clock = Clock()
    store = SessionStore(clock)
    session = store.create("m", Memory())
    store.connection_opened(session)
    handle = store.issue(session).handle
    clock.now = 5 * HANDLE_LIFETIME_S
    assert store.resume(handle, "m").session is session
    store.connection_closed(session)
    clock.now += HANDLE_LIFETIME_S - 1
    assert store.resume(handle, "m")
    clock.now += 2
    with pytest.raises(HandleRefusedError) as refused:
        store.resume(handle, "m")
    assert refused.value.close is CATALOGUE["session expired"]


def test_a_session_lingers_for_as_long_as_it_is_said_to_and_not_once_it_is_carried_on() -> None:
    clock = Clock()
    store = SessionStore(clock)
    session = store.create("m", Memory())
    store.connection_opened(session)
    store.connection_closed(session, was_lost=True)
    clock.now += 0.9
    assert store.was_lost_within(session, 1)
    clock.now += 0.2
    assert not store.was_lost_within(session, 1)
    store.connection_opened(session)
    assert not store.was_lost_within(session, 10)
    store.connection_closed(session)
    assert not store.was_lost_within(session, 10)


def test_sessions_long_gone_are_forgotten() -> None:
    clock = Clock()
    store = SessionStore(clock)
    handle = store.issue(store.create("m", Memory())).handle
    clock.now = 3 * HANDLE_LIFETIME_S
    store.create("m", Memory())
    assert len(store.all()) == 1
    with pytest.raises(HandleRefusedError) as refused:
        store.resume(handle, "m")
    assert refused.value.why == "unknown handle"


def test_a_checkpoint_does_not_change_with_its_session() -> None:
    store = SessionStore()
    session = store.create("m", Memory("be kind"))
    checkpoint = store.issue(session)
    session.memory = session.memory.plus(Turn("user", "later"))
    assert checkpoint.memory == Memory("be kind")


def test_compression_cuts_at_the_start_of_a_users_turn() -> None:
    turns = tuple(Turn(role, "x" * 400) for role in ("user", "model", "user", "model", "user"))
    kept = Memory("instruction", turns).compressed(350)
    assert [turn.role for turn in kept.turns] == ["user", "model", "user"]
    assert kept.instruction == "instruction"


# Hearing.


def loud(milliseconds: int) -> bytes:
    return (np.sin(np.arange(16 * milliseconds) / 5) * 6000).astype("<i2").tobytes()


def quiet(milliseconds: int) -> bytes:
    return bytes(32 * milliseconds)


def detect(pcm: bytes, frame_ms: int, silence_ms: int = 700) -> list[SpeechStarted | SpeechEnded]:
    detector = VoiceActivityDetector(silence_ms)
    frames = (pcm[start : start + 32 * frame_ms] for start in range(0, len(pcm), 32 * frame_ms))
    return [activity for frame in frames if (activity := detector.feed(frame))]


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 100])
def test_speech_is_bounded_whatever_the_size_of_frames(frame_ms: int) -> None:
    started, ended = detect(quiet(500) + loud(1000) + quiet(1000), frame_ms)
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert abs(started.offset_ms - 500) <= frame_ms
    assert abs(ended.speech_ms - 1000) <= frame_ms
    assert len(ended.pcm) > 32 * 1000


def test_a_short_pause_does_not_end_speech_and_a_click_does_not_begin_it() -> None:
    assert len(detect(loud(400) + quiet(400) + loud(400) + quiet(900), 20)) == 2
    assert detect(quiet(300) + loud(40) + quiet(900), 20) == []
    assert len(detect(loud(400) + quiet(400) + loud(400) + quiet(900), 20, silence_ms=300)) == 4


def test_steady_noise_is_not_speech_for_ever() -> None:
    hum = (np.random.default_rng(1).normal(0, 200, 16_000)).astype("<i2").tobytes()
    assert detect(hum * 3, 20) == []


def test_a_flush_ends_the_utterance() -> None:
    detector = VoiceActivityDetector(700)
    detector.feed(loud(500))
    ended = detector.flush()
    assert ended is not None
    assert ended.speech_ms == 500
    assert detector.flush() is None


def test_spoken_numbers_are_written_in_figures() -> None:
    assert with_figures("plum forty two and thirteen of one") == "plum 42 and 13 of one"
    assert with_figures("twenty") == "20"


def test_tones_last_as_long_as_the_words_and_resampling_keeps_the_time() -> None:
    pcm = tones("one two three four")
    assert 1.2 < len(pcm) / 48_000 < 1.6
    assert len(resample(np.zeros(24_000), 24_000, 16_000)) == 16_000


# The wire.


def test_frames_are_pretty_printed_with_a_newline() -> None:
    assert encode_frame({}) == b"{}\n"
    assert encode_frame({"setupComplete": {}}) == b'{\n  "setupComplete": {}\n}\n'


def test_keys_become_camel_case_except_the_clients_own() -> None:
    message = {"realtime_input": {"mime_type": 1}, "tools": [{"function_declarations": [{"parameters": {"a_b": 1}}]}]}
    assert camel_keys(message) == {
        "realtimeInput": {"mimeType": 1},
        "tools": [{"functionDeclarations": [{"parameters": {"a_b": 1}}]}],
    }
    assert snake_name("realtimeInput") == "realtime_input"


@pytest.mark.parametrize("text", ["//g=", "__g=", "__g"])
def test_base64_comes_in_both_alphabets(text: str) -> None:
    assert decode_base64(text) == b"\xff\xf8"


@pytest.mark.parametrize("text", ["?", "A", None, 5])
def test_what_is_not_base64_is_refused(text: object) -> None:
    with pytest.raises(WireError):
        decode_base64(text)


@pytest.mark.parametrize(("text", "seconds"), [("9.5s", 9.5), ("50s", 50), ("0.500s", 0.5), (2, 2), ("0s", 0)])
def test_durations_are_read(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["ten", "5", "-1s", "1m", None, True])
def test_what_is_not_a_duration_is_refused(text: object) -> None:
    with pytest.raises(WireError):
        parse_duration(text)


def test_durations_are_written_like_google_writes_them() -> None:
    assert [format_duration(seconds) for seconds in (50, 9.5, 0.013)] == ["50s", "9.5s", "0.013s"]


# The rest.


def test_the_log_is_a_ring_whose_numbers_go_on() -> None:
    log = EventLog(limit=10)
    for _ in range(15):
        log.add("reply")
    entries, last = log.after(0)
    assert (len(entries), entries[0]["n"], last) == (10, 6, 15)
    assert log.after(last) == ([], last)


def test_a_standing_fault_ends_by_count_or_by_time() -> None:
    clock = Clock()
    board = FaultBoard(clock)
    board.arm(parse_fault({"fault": "slow_setup", "delay_s": 1, "count": 2}))
    board.arm(parse_fault({"fault": "refuse_handshake", "for_s": 10}))
    assert [bool(board.use("slow_setup")) for _ in range(3)] == [True, True, False]
    assert board.peek("refuse_handshake")
    clock.now = 11
    assert board.armed() == []


def test_a_newer_fault_of_a_kind_replaces_the_older() -> None:
    board = FaultBoard()
    board.arm(parse_fault({"fault": "slow_pongs", "delay_s": 1}))
    board.arm(parse_fault({"fault": "slow_pongs", "delay_s": 2}))
    assert [fault["delay_s"] for fault in board.armed()] == [2]


def test_a_certificate_is_made_once_and_again_for_another_host(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path, "127.0.0.1").read_bytes()
    assert ensure_certificate(tmp_path, "127.0.0.1").read_bytes() == first
    path = ensure_certificate(tmp_path, "127.0.0.5")
    assert path.read_bytes() != first
    assert server_context(path)
