"""Voice activity detection: an RMS gate with hang-over on 16 kHz PCM16, cheap enough for hundreds of connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

SAMPLE_RATE_HZ = 16_000
BYTES_PER_MS = SAMPLE_RATE_HZ * 2 // 1000

_MIN_RMS = 300.0
_MAX_RMS = 1500.0
_ABOVE_FLOOR = 3.0
_FLOOR_SPEED = 0.05
_START_MS = 80
_PRE_ROLL_MS = 300
_MAX_UTTERANCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began; `offset_ms` counts from the first audio of the connection."""

    offset_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Speech is over: how long it lasted and its sound, with a little before and after.

    `missed_ms` of its beginning were not heard and count in neither.
    """

    offset_ms: int
    speech_ms: int
    pcm: bytes
    missed_ms: int = 0


Activity = SpeechStarted | SpeechEnded


class VoiceActivityDetector:
    """Feeds on frames of any size; time is the audio's own, so nothing ends while nothing arrives."""

    def __init__(self, silence_ms: int) -> None:
        self.silence_ms = silence_ms
        self.state: Literal["silence", "speech"] = "silence"
        self.received_ms = 0.0
        self._floor = _MIN_RMS / _ABOVE_FLOOR
        self._loud_ms = 0.0
        self._quiet_ms = 0.0
        self._started_ms = 0.0
        self._buffer = bytearray()

    @property
    def speech_ms(self) -> float:
        """How long the utterance has lasted that goes on, without the quiet at its end."""
        return self.received_ms - self._quiet_ms - self._started_ms

    def feed(self, pcm: bytes) -> Activity | None:
        """Take one frame; at most one change of activity comes of it."""
        frame_ms = len(pcm) / BYTES_PER_MS
        self.received_ms += frame_ms
        loud = self._is_loud(pcm)
        self._buffer += pcm
        if self.state == "silence":
            return self._in_silence(frame_ms, loud)
        return self._in_speech(frame_ms, loud)

    def flush(self) -> SpeechEnded | None:
        """End an utterance now, as when the client says that its audio stream has ended."""
        if self.state == "silence":
            self._buffer.clear()
            self._loud_ms = 0.0
            return None
        return self._end()

    def _is_loud(self, pcm: bytes) -> bool:
        if not pcm:
            return False
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        rms = float(np.sqrt(np.dot(samples, samples) / len(samples)))
        loud = rms > min(max(_MIN_RMS, self._floor * _ABOVE_FLOOR), _MAX_RMS)
        if not loud:
            self._floor += (rms - self._floor) * _FLOOR_SPEED
        return loud

    def _in_silence(self, frame_ms: float, loud: bool) -> SpeechStarted | None:
        self._loud_ms = self._loud_ms + frame_ms if loud else 0.0
        if self._loud_ms < _START_MS:
            del self._buffer[: -_PRE_ROLL_MS * BYTES_PER_MS]
            return None
        self.state = "speech"
        self._quiet_ms = 0.0
        self._started_ms = self.received_ms - self._loud_ms
        return SpeechStarted(round(self._started_ms))

    def _in_speech(self, frame_ms: float, loud: bool) -> SpeechEnded | None:
        self._quiet_ms = 0.0 if loud else self._quiet_ms + frame_ms
        too_long = len(self._buffer) > _MAX_UTTERANCE_MS * BYTES_PER_MS
        return self._end() if self._quiet_ms >= self.silence_ms or too_long else None

    def _end(self) -> SpeechEnded:
        ended = SpeechEnded(round(self.received_ms), round(self.speech_ms), bytes(self._buffer))
        self.state = "silence"
        self._loud_ms = 0.0
        self._buffer.clear()
        return ended
