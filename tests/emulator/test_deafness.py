"""The detector that misses some speech, fed by hand."""

import random

import numpy as np
import pytest

from emulator.deafness import Activity, Deafness, HardOfHearing, SpeechMissed, draw
from emulator.vad import BYTES_PER_MS, SpeechEnded, SpeechStarted, VoiceActivityDetector

FRAME_MS = 40
SHARES = {"share": 0.3, "under_s": 1.0, "barge_in_s": 2.0}


def loud(milliseconds: int) -> bytes:
    return (np.sin(np.arange(16 * milliseconds) / 5) * 6000).astype("<i2").tobytes()


def quiet(milliseconds: int) -> bytes:
    return bytes(BYTES_PER_MS * milliseconds)


def found(pcm: bytes, deafness: Deafness | None) -> list[Activity]:
    """What is passed on of `pcm` by a detector that is deaf in the same way to every utterance."""
    ear = HardOfHearing(VoiceActivityDetector(700), lambda: deafness)
    size = FRAME_MS * BYTES_PER_MS
    frames = (pcm[start : start + size] for start in range(0, len(pcm), size))
    return [activity for frame in frames if (activity := ear.feed(frame))]


def test_an_ear_that_is_not_deaf_passes_on_what_the_detector_finds() -> None:
    started, ended = found(quiet(400) + loud(800) + quiet(800), None)
    assert started == SpeechStarted(400)
    assert isinstance(ended, SpeechEnded)
    assert (ended.speech_ms, ended.missed_ms) == (800, 0)


def test_a_short_utterance_is_missed_without_a_sign() -> None:
    missed = found(quiet(400) + loud(800) + quiet(800), Deafness(under_ms=1000))
    assert missed == [SpeechMissed(1920, 800, was_noticed=False)]


def test_a_longer_utterance_is_noticed_late_and_heard_whole() -> None:
    started, ended = found(quiet(400) + loud(1200) + quiet(800), Deafness(under_ms=1000))
    assert started == SpeechStarted(400)
    assert isinstance(ended, SpeechEnded)
    assert (ended.speech_ms, ended.missed_ms) == (1200, 0)
    assert len(ended.pcm) > 1200 * BYTES_PER_MS


def test_while_a_short_utterance_is_not_noticed_there_is_silence_but_no_place_to_go_on_from() -> None:
    ear = HardOfHearing(VoiceActivityDetector(700), lambda: Deafness(under_ms=1000))
    seen = [(ear.feed(loud(ms)), ear.state, ear.is_in_sound) for ms in (800, 400)]
    assert seen == [(None, "silence", True), (SpeechStarted(0), "speech", True)]
    ear.feed(quiet(800))
    assert not ear.is_in_sound


def test_of_a_barge_in_the_beginning_is_missed_and_the_rest_is_heard() -> None:
    rest = bytes([1, 32]) * (16 * 600)
    started, ended = found(quiet(400) + loud(2000) + rest + quiet(800), Deafness(beginning_ms=2000))
    assert started == SpeechStarted(400)
    assert isinstance(ended, SpeechEnded)
    assert (ended.speech_ms, ended.missed_ms) == (600, 2000)
    assert ended.pcm.startswith(rest)


def test_of_a_barge_in_that_is_over_soon_nothing_is_heard_but_that_it_began() -> None:
    started, missed = found(quiet(400) + loud(1600) + quiet(800), Deafness(beginning_ms=2000))
    assert started == SpeechStarted(400)
    assert missed == SpeechMissed(2720, 1600, was_noticed=True)


def test_the_end_of_the_stream_ends_an_utterance_that_was_not_noticed() -> None:
    ear = HardOfHearing(VoiceActivityDetector(700), lambda: Deafness(under_ms=1000))
    ear.feed(loud(800))
    assert ear.flush() == SpeechMissed(800, 800, was_noticed=False)


def test_each_utterance_is_asked_about_once() -> None:
    answers = iter([Deafness(under_ms=1000), None])
    ear = HardOfHearing(VoiceActivityDetector(700), lambda: next(answers))
    utterance = [loud(FRAME_MS)] * 20 + [quiet(FRAME_MS)] * 20
    activities = [activity for frame in utterance * 2 if (activity := ear.feed(frame))]
    assert [type(activity) for activity in activities] == [SpeechMissed, SpeechStarted, SpeechEnded]


def test_a_share_of_utterances_is_missed_and_the_same_ones_every_time() -> None:
    def drawn(seed: int) -> list[bool]:
        chance = random.Random(seed)
        return [draw(chance, **SHARES, in_answer=False) is not None for _ in range(1000)]

    assert sum(drawn(7)) == pytest.approx(300, abs=50)
    assert drawn(7) == drawn(7)


def test_into_an_answer_the_beginning_is_missed_every_time() -> None:
    assert draw(random.Random(0), **SHARES, in_answer=True) == Deafness(beginning_ms=2000)
