"""A detector of speech that misses some of it, as users of the service report of its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from emulator.vad import BYTES_PER_MS, SpeechEnded, SpeechStarted, VoiceActivityDetector


@dataclass(frozen=True, slots=True)
class Deafness:
    """What is missed of one utterance: all of it if it is shorter than `under_ms`, else its first `beginning_ms`."""

    under_ms: float = 0.0
    beginning_ms: float = 0.0


def draw(chance: random.Random, *, share: float, under_s: float, barge_in_s: float, in_answer: bool) -> Deafness | None:
    """What is missed of an utterance: the beginning of one into an answer, and a share of the short ones elsewhere."""
    if in_answer:
        return Deafness(beginning_ms=barge_in_s * 1000)
    return Deafness(under_ms=under_s * 1000) if chance.random() < share else None


@dataclass(frozen=True, slots=True)
class SpeechMissed:
    """An utterance is over of which nothing was heard; `was_noticed` if its beginning was."""

    offset_ms: int
    speech_ms: int
    was_noticed: bool


Activity = SpeechStarted | SpeechEnded | SpeechMissed


class HardOfHearing:
    """Passes on what `detector` finds, but for what is missed; asks at the beginning of each utterance what that is."""

    def __init__(self, detector: VoiceActivityDetector, next_deafness: Callable[[], Deafness | None]) -> None:
        self._detector = detector
        self._next_deafness = next_deafness
        self._deafness = Deafness()
        self._started: SpeechStarted | None = None
        self._was_noticed = True

    @property
    def state(self) -> Literal["silence", "speech"]:
        """Whether speech goes on, as far as it was noticed."""
        return self._detector.state if self._was_noticed else "silence"

    @property
    def is_in_sound(self) -> bool:
        """Whether something is being said, noticed or not."""
        return self._detector.state == "speech"

    def feed(self, pcm: bytes) -> Activity | None:
        """Take one frame; at most one change of activity comes of it."""
        return self._pass_on(self._detector.feed(pcm))

    def flush(self) -> Activity | None:
        """End an utterance now."""
        return self._pass_on(self._detector.flush())

    def _pass_on(self, activity: SpeechStarted | SpeechEnded | None) -> Activity | None:
        match activity:
            case SpeechStarted():
                self._started, self._deafness = activity, self._next_deafness() or Deafness()
                self._was_noticed = self._detector.speech_ms >= self._deafness.under_ms
                return activity if self._was_noticed else None
            case SpeechEnded():
                return self._end(activity)
        if not self._was_noticed and self._detector.speech_ms >= self._deafness.under_ms:
            self._was_noticed = True
            return self._started
        return None

    def _end(self, ended: SpeechEnded) -> SpeechEnded | SpeechMissed:
        was_noticed, self._was_noticed = self._was_noticed, True
        missed_ms = self._deafness.beginning_ms
        if not was_noticed or ended.speech_ms <= missed_ms:
            return SpeechMissed(ended.offset_ms, ended.speech_ms, was_noticed)
        if not missed_ms or self._started is None:
            return ended
        sound_began_ms = ended.offset_ms - len(ended.pcm) / BYTES_PER_MS
        missed = round(self._started.offset_ms + missed_ms - sound_began_ms) * BYTES_PER_MS
        return SpeechEnded(ended.offset_ms, round(ended.speech_ms - missed_ms), ended.pcm[missed:], round(missed_ms))
