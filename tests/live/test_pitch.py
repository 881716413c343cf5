"""Our own ear tells a voice from what is only loud."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live import pitch
from sessions_app.live.pitch import HOP_BYTES, SHIFT_BYTES, WINDOW_BYTES, VoiceSearch, pitch_of
from sessions_app.live.voice import BYTES_PER_MS, LOUD, Utterance, VoiceGate
from tests.live.noises import NOISES, RATE_HZ, Noise, recorded
from tests.repeatable import IS_SEARCH
from tests.scenarios.speech import silence, spoken

SEEDS = 50 if IS_SEARCH else 10
"""Of each noise. Looking for the pitch of a thousand of them takes a minute: that is for a change of `pitch.py`."""

FRAME_BYTES = 40 * 32
LOUD_FRAME = recorded(NOISES[1], 1)[:FRAME_BYTES]
PHRASES = (
    *("Yes.", "No.", "Stop.", "Okay.", "Sure.", "Hi.", "Five.", "Blue.", "Eat.", "Tea.", "Wait.", "Right.", "Go on."),
    *("Hello.", "Monday.", "Call mum.", "Thanks.", "Really?", "Never mind.", "Not now.", "Buy milk."),
    *("Good morning to all of you.", "How far is it from here to the sea?", "Please tell me more about it."),
)
VOICES = ("Puck", "Kore", "Charon", "Fenrir", "Leda", "Zephyr") if IS_SEARCH else ("Puck", "Kore", "Charon")
WINDOWS_OF_THREE_SECONDS = (3_000 * BYTES_PER_MS - WINDOW_BYTES) // SHIFT_BYTES + 1
PEAKS = (1_500, 5_000, 15_000, 30_000)


def heard(pcm: bytes, frame_bytes: int = FRAME_BYTES) -> list[Utterance]:
    """What the gate makes of a recording and the quiet after it."""
    gate = VoiceGate()
    pcm += silence(1)
    frames = [pcm[start : start + frame_bytes] for start in range(0, len(pcm), frame_bytes)]
    return [utterance for frame in frames if (utterance := gate.hear(frame)) is not None]


def at_peak(pcm: bytes, peak: int, noise_db: float | None = None) -> bytes:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    samples *= peak / np.abs(samples).max()
    if noise_db is not None:
        room = np.random.default_rng(1).normal(size=len(samples))
        samples += room * samples.std() * 10 ** (noise_db / 20)
    return samples.clip(-32_768, 32_767).astype("<i2").tobytes()


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_a_noise_is_no_voice(noise: Noise) -> None:
    """Twenty kinds, and in a search fifty of each: a thousand silences and noises."""
    mistaken = [seed for seed in range(SEEDS) if any(sound.is_speech for sound in heard(recorded(noise, seed)))]
    assert mistaken == []


@pytest.mark.parametrize("noise_db", [None, -15], ids=["quiet room", "noisy room"])
def test_what_somebody_says_is_a_voice(noise_db: float | None) -> None:
    """At least 99 of 100, from a single short word to a sentence, from far away to overdriven."""
    said = {(voice, phrase): spoken(phrase, voice) for voice in VOICES for phrase in PHRASES}
    missed = [
        (voice, phrase, peak)
        for (voice, phrase), pcm in said.items()
        for peak in PEAKS
        if not any(sound.is_speech for sound in heard(at_peak(pcm, peak, noise_db)))
    ]
    assert len(missed) <= len(said) * len(PEAKS) / 100, missed


@pytest.mark.parametrize("frame_bytes", [20 * 32, 100 * 32])
def test_a_voice_is_one_however_long_the_frames_are(frame_bytes: int) -> None:
    assert [sound.is_speech for sound in heard(spoken("Good morning to all of you."), frame_bytes)] == [True]


def test_a_voice_is_one_wherever_the_frames_begin() -> None:
    """A glide that is short shows in windows that begin in the right place."""
    pcm = spoken("What is my code word?")
    missed = [
        before_bytes
        for before_bytes in (0, 10, 18, 26, 34, 42, 60, 76, 168, 294, 310, 326, 342)
        if [sound.is_speech for sound in heard(bytes(9_600 + before_bytes) + pcm, HOP_BYTES)] != [True]
    ]
    assert missed == []


@pytest.mark.parametrize("hz", [75, 110, 180, 260, 390])
def test_the_pitch_is_that_of_the_fundamental(hz: int) -> None:
    time_s = np.arange(WINDOW_BYTES // 2) / RATE_HZ
    tone = sum((np.sin(2 * np.pi * hz * n * time_s) / n for n in range(1, 8)), start=np.zeros(len(time_s)))
    found = pitch_of((tone * 4_000).astype("<i2").tobytes())
    assert found is not None
    assert found.hz == pytest.approx(hz, rel=0.02)
    assert found.clarity > 0.9


@pytest.mark.parametrize("hz", [30, 440, 900, 3_000])
def test_what_is_lower_or_higher_than_a_voice_has_no_pitch(hz: int) -> None:
    time_s = np.arange(WINDOW_BYTES // 2) / RATE_HZ
    assert pitch_of((np.sin(2 * np.pi * hz * time_s) * 8_000).astype("<i2").tobytes()) is None


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The windows whose pitch has been looked for."""
    windows: list[bytes] = []

    def noting(window: bytes) -> pitch.Pitch | None:
        windows.append(window)
        return pitch_of(window)

    monkeypatch.setattr(pitch, "pitch_of", noting)
    return windows


def test_a_sound_that_does_not_end_is_looked_at_for_three_seconds(looked_at: list[bytes]) -> None:
    """A fan beside the microphone costs nothing after that."""
    gate = VoiceGate()
    for _ in range(1_000):
        gate.hear(LOUD_FRAME)
    assert gate.is_voiced
    assert len(looked_at) == WINDOWS_OF_THREE_SECONDS


def test_a_sound_is_looked_at_while_it_comes(looked_at: list[bytes]) -> None:
    """In all of it at once that takes 60 ms, for which every other call would wait."""
    gate = VoiceGate()
    for _ in range(50):
        before = len(looked_at)
        gate.hear(LOUD_FRAME)
        assert 1 <= len(looked_at) - before <= FRAME_BYTES // SHIFT_BYTES
    gate.end()
    assert len(looked_at) == (50 * FRAME_BYTES - WINDOW_BYTES) // SHIFT_BYTES + 1


@given(cuts=st.lists(st.integers(1, 3_000), max_size=80), is_voice=st.booleans())
def test_how_a_sound_is_cut_makes_no_difference(cuts: list[int], is_voice: bool) -> None:
    pcm = spoken("Right.") if is_voice else recorded(NOISES[1], 1)[:32_000]
    whole, search = VoiceSearch(), VoiceSearch()
    whole.take(pcm)
    start = 0
    for end in (*accumulate(cuts), len(pcm)):
        search.take(pcm[start : max(start, end)])
        start = max(start, end)
    assert search.found is whole.found is is_voice


def test_of_a_sound_the_first_three_seconds_are_looked_at_and_no_more_than_is_needed(looked_at: list[bytes]) -> None:
    assert [utterance.is_speech for utterance in heard(LOUD_FRAME * 100)] == [False]
    assert len(looked_at) == WINDOWS_OF_THREE_SECONDS
    looked_at.clear()
    assert [utterance.is_speech for utterance in heard(spoken("Good morning to all of you."))] == [True]
    assert len(looked_at) < 1_000 // 10


# -- what is kept of an utterance --------------------------------------------------------------------------------------


def test_a_short_word_is_an_utterance_though_it_is_loud_for_less_than_a_quarter_of_a_second() -> None:
    said = spoken("No.")
    onset = int(np.argmax(np.abs(np.frombuffer(said, "<i2")) > LOUD)) * 2
    (utterance,) = heard(said[onset : onset + 220 * BYTES_PER_MS])
    assert utterance.is_speech


def test_an_utterance_holds_what_came_a_little_before_it_and_the_quiet_that_ended_it() -> None:
    before, word = silence(2), spoken("Yes.")
    (utterance,) = heard(before + word)
    kept = b"".join(utterance.frames)
    assert word[: 400 * 32] in kept
    assert len(word) < len(kept) <= len(word) + (300 + 760 + 40) * 32


def test_of_a_long_utterance_the_last_fifteen_seconds_are_kept() -> None:
    loud = recorded(NOISES[1], 1)
    (utterance,) = heard(loud * 20)
    assert sum(map(len, utterance.frames)) == 15_000 * 32


def test_one_utterance_holds_nothing_of_the_one_before() -> None:
    word = spoken("Yes.")
    first, second = heard(word + silence(2) + word)
    assert [first.is_speech, second.is_speech] == [True, True]
    assert len(b"".join(second.frames)) <= len(word) + (300 + 760 + 40) * 32
