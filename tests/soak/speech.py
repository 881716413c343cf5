"""What the soak's people say aloud, and how it is answered by an emulator that makes out no words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from emulator.delivery import sentences_to_speak
from emulator.setup import DEFAULT_SILENCE_MS
from emulator.vad import SpeechEnded, VoiceActivityDetector
from emulator.voice import tones
from tests.scenarios.page import FRAME_BYTES
from tests.scenarios.speech import silence, spoken

PHRASES = (
    "Yes",
    "Hello world",
    "Good morning to all of you",
    "Please tell me more about the weather",
    "How far is it from here to the sea",
)
SILENT_FRAME = bytes(FRAME_BYTES)
TOLERANCE_S = 0.25
_HEARD_FOR = re.compile(r"^I heard you speak for (?P<seconds>[\d.]+) seconds but could not make out the words\.$")


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said without a pause: whole frames of PCM16 mono 16 kHz, and how long the emulator hears it speak."""

    frames: tuple[bytes, ...]
    heard_s: float

    def is_answered_by(self, reply: str) -> bool:
        """Whether a reply is one to all of it: what is lost or repeated makes it shorter or longer."""
        match = _HEARD_FOR.match(reply)
        return match is not None and abs(float(match["seconds"]) - self.heard_s) <= TOLERANCE_S


@cache
def utterances() -> tuple[Utterance, ...]:
    """Everything that is said in a soak."""
    return tuple(_utterance(spoken(phrase)) for phrase in PHRASES)


def _utterance(pcm: bytes) -> Utterance:
    pcm += bytes(-len(pcm) % FRAME_BYTES)
    frames = tuple(pcm[start : start + FRAME_BYTES] for start in range(0, len(pcm), FRAME_BYTES))
    detector = VoiceActivityDetector(DEFAULT_SILENCE_MS)
    quiet = silence(2 * DEFAULT_SILENCE_MS / 1000)
    after = tuple(quiet[start : start + FRAME_BYTES] for start in range(0, len(quiet), FRAME_BYTES))
    activities = [detector.feed(frame) for frame in (*frames, *after)]
    (ended,) = (activity for activity in activities if isinstance(activity, SpeechEnded))
    return Utterance(frames, ended.speech_ms / 1000)


def reply_bytes(text: str) -> int:
    """How much audio the emulator makes of a reply when it speaks in tones."""
    return sum(len(tones(sentence)) for sentence in sentences_to_speak(text))
