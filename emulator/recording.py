"""What there is to know of a recording: how long it is, where it is loud, and which words are spoken when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from emulator.sound import is_speech
from emulator.vad import BYTES_PER_MS, SpeechEnded, SpeechStarted, VoiceActivityDetector

WORDS_WITHIN_S = 180
"""Words are looked for in the first minutes only; how loud it is, to the end."""
PASSAGES_KEPT = 500

_WINDOW_MS = 100
_LOUD_RMS = 300
_FULL_SCALE = 32768
_BRIDGED_MS = 1_000
"""A pause of speech; what is quiet for longer is a passage of its own."""
_SHORTEST_LOUD_MS = 200
_SILENCE_MS = 700
_SHORTEST_SPEECH_MS = 160
_PIECE_MS = 10_000
"""The recogniser takes no more at once."""
_FRAME_BYTES = 40 * BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a recording that is loud, or quiet; `level_db` is its mean level below full scale."""

    start_ms: int
    end_ms: int
    is_loud: bool
    level_db: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that was said, 16 kHz PCM16 until its words were looked for. None stands for words not made out."""

    start_ms: int
    end_ms: int
    pcm: bytes = b""
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it was heard. `utterances` are those of its first minutes."""

    duration_ms: int
    passages: tuple[Passage, ...]
    utterances: tuple[Utterance, ...]

    @property
    def words(self) -> str:
        """All words that were made out."""
        return " ".join(utterance.words for utterance in self.utterances if utterance.words)

    @property
    def speech_ms(self) -> int:
        """How much of the first minutes is speech."""
        return sum(utterance.end_ms - utterance.start_ms for utterance in self.utterances)

    def with_words(self, words: Iterable[str | None]) -> Recording:
        """The same with the words of its utterances, and without their sound."""
        pairs = zip(self.utterances, words, strict=True)
        return replace(self, utterances=tuple(replace(said, pcm=b"", words=found) for said, found in pairs))

    def spoken_passages(self) -> tuple[Utterance, ...]:
        """The utterances, and behind the minutes in which they were looked for, what is loud."""
        heard_ms = min(self.duration_ms, WORDS_WITHIN_S * 1000)
        later = (p for p in self.passages if p.is_loud and p.end_ms > heard_ms)
        return (*self.utterances, *(Utterance(max(p.start_ms, heard_ms), p.end_ms) for p in later))


class Listener:
    """Takes a recording in piece by piece; holds the loudness of all of it and the sound of what was said at first."""

    def __init__(self) -> None:
        self._bytes = 0
        self._rest = b""
        self._levels: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
        self._detector = VoiceActivityDetector(_SILENCE_MS)
        self._unheard = b""
        self._started_ms = 0
        self._utterances: list[Utterance] = []

    def feed(self, pcm: bytes) -> None:
        """Take in 16 kHz PCM16 of any length."""
        self._look_for_speech(pcm)
        self._bytes += len(pcm)
        self._rest += pcm
        whole = len(self._rest) // (_WINDOW_MS * BYTES_PER_MS) * _WINDOW_MS * BYTES_PER_MS
        if whole:
            self._measure(self._rest[:whole])
            self._rest = self._rest[whole:]

    def finish(self) -> Recording:
        """What was heard, without words yet."""
        self._note(self._detector.flush())
        if self._rest:
            self._measure(self._rest.ljust(_WINDOW_MS * BYTES_PER_MS, b"\0"))
        levels = np.concatenate(self._levels) if self._levels else np.zeros(0, np.float32)
        duration_ms = round(self._bytes / BYTES_PER_MS)
        return Recording(duration_ms, tuple(_passages(levels, duration_ms)), tuple(self._utterances))

    def _measure(self, pcm: bytes) -> None:
        windows = np.frombuffer(pcm, dtype="<i2").astype(np.float32).reshape(-1, _WINDOW_MS * BYTES_PER_MS // 2)
        self._levels.append(np.sqrt((windows**2).mean(axis=1)))

    def _look_for_speech(self, pcm: bytes) -> None:
        left_bytes = WORDS_WITHIN_S * 1000 * BYTES_PER_MS - self._bytes
        if left_bytes <= 0:
            return
        self._unheard += pcm[:left_bytes]
        while len(self._unheard) >= _FRAME_BYTES:
            self._note(self._detector.feed(self._unheard[:_FRAME_BYTES]))
            self._unheard = self._unheard[_FRAME_BYTES:]

    def _note(self, activity: SpeechStarted | SpeechEnded | None) -> None:
        if isinstance(activity, SpeechStarted):
            self._started_ms = activity.offset_ms
        elif activity and activity.speech_ms >= _SHORTEST_SPEECH_MS and is_speech(activity.pcm):
            self._utterances.extend(_in_pieces(self._started_ms, activity))


def _in_pieces(start_ms: int, speech: SpeechEnded) -> Iterator[Utterance]:
    for from_ms in range(0, speech.speech_ms, _PIECE_MS):
        until_ms = min(from_ms + _PIECE_MS, speech.speech_ms)
        # The sound has a little before and after the speech.
        last = until_ms == speech.speech_ms
        pcm = speech.pcm[from_ms * BYTES_PER_MS : None if last else until_ms * BYTES_PER_MS]
        yield Utterance(start_ms + from_ms, start_ms + until_ms, pcm)


def _passages(levels: np.ndarray[tuple[int], np.dtype[np.float32]], duration_ms: int) -> Iterator[Passage]:
    """Loud and quiet stretches in turn: short pauses and short noises belong to what is around them."""
    runs = _merged(_merged(_runs(levels > _LOUD_RMS), True, _SHORTEST_LOUD_MS), False, _BRIDGED_MS)
    for start, end, is_loud in runs[:PASSAGES_KEPT]:
        rms = float(np.sqrt((levels[start:end] ** 2).mean()))
        level_db = round(20 * float(np.log10(max(rms, 1.0) / _FULL_SCALE)), 1)
        yield Passage(start * _WINDOW_MS, min(end * _WINDOW_MS, duration_ms), is_loud, level_db)


def _runs(loud: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int, bool]]:
    if not len(loud):
        return []
    changes = (np.flatnonzero(np.diff(loud)) + 1).tolist()
    return [(start, end, bool(loud[start])) for start, end in zip([0, *changes], [*changes, len(loud)], strict=True)]


def _merged(runs: list[tuple[int, int, bool]], is_loud: bool, below_ms: int) -> list[tuple[int, int, bool]]:
    """The runs, where those of a kind that are too short are of the other kind; quiet at either end stays."""
    merged: list[tuple[int, int, bool]] = []
    for index, (start, end, loud) in enumerate(runs):
        may_change = len(runs) > 1 and (is_loud or 0 < index < len(runs) - 1)
        is_short = may_change and loud == is_loud and (end - start) * _WINDOW_MS < below_ms
        kind = not loud if is_short else loud
        if merged and merged[-1][2] == kind:
            merged[-1] = (merged[-1][0], end, kind)
        else:
            merged.append((start, end, kind))
    return merged
