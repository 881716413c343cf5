"""Our own ear: when something loud begins and ends at the microphone, and whether it was a voice. Pure.

The provider decides what speech is, and answers it. This is there to notice when it does not: because its connection is
dead without being closed, or because it has not heard what was said.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sessions_app.live.pitch import VoiceSearch

INPUT_RATE_HZ = 16_000
BYTES_PER_MS = INPUT_RATE_HZ * 2 // 1000

LOUD = 900
"""Peak of 16-bit samples above which a frame counts as voiced; a quiet room stays well below, a voice well above."""

SAMPLE_STEP = 8
"""Every eighth sample is looked at: 2 kHz are enough for loudness, and an eighth of the work."""

VOICED_AT_LEAST_MS = 240
QUIET_ENDS_AFTER_MS = 720

LEAD_BYTES = 300 * BYTES_PER_MS
"""So much is kept of what came before: a word begins before it is loud."""

UTTERANCE_LIMIT_BYTES = 15_000 * BYTES_PER_MS


def is_loud(pcm: bytes) -> bool:
    """Whether a frame of PCM16 mono 16 kHz may hold a voice."""
    samples = memoryview(pcm).cast("h")[::SAMPLE_STEP]
    return max(samples) > LOUD or min(samples) < -LOUD


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something loud that has ended. `is_speech`: it was a voice. `frames`: PCM16 mono 16 kHz, from a little before it
    began to the quiet that ended it; the last of one that is longer than the gate keeps."""

    is_speech: bool
    frames: tuple[bytes, ...]


class VoiceGate:
    """Follows frames of PCM16 mono 16 kHz, and tells when an utterance has ended.

    `quiet_since_loud_ms`: how much quiet was heard after the last loud frame, whether or not an utterance ended there.

    Args:
        limit_bytes: so much of an utterance is kept, the last of it.
        quiet_ends_after_ms: so much quiet ends one.
    """

    def __init__(
        self, limit_bytes: int = UTTERANCE_LIMIT_BYTES, quiet_ends_after_ms: int = QUIET_ENDS_AFTER_MS
    ) -> None:
        self.quiet_since_loud_ms = 0
        self._limit_bytes = limit_bytes
        self._quiet_ends_after_ms = quiet_ends_after_ms
        self._voiced_ms = 0
        self._quiet_ms = 0
        self._frames: deque[bytes] = deque()
        self._size_bytes = 0
        self._search = VoiceSearch()

    @property
    def is_voiced(self) -> bool:
        """Whether something loud was heard that has not ended yet."""
        return self._voiced_ms > 0

    @property
    def has_voice(self) -> bool:
        """Whether that was a voice, as far as it was heard."""
        return self.is_voiced and self._search.found

    @property
    def is_full(self) -> bool:
        """Whether an utterance goes on of which no more can be kept."""
        return self.is_voiced and self._size_bytes >= self._limit_bytes

    def hear(self, pcm: bytes) -> Utterance | None:
        """Take in a frame; the utterance that it ends, if it ends one."""
        was_voiced = self.is_voiced
        if is_loud(pcm):
            self._voiced_ms += len(pcm) // BYTES_PER_MS
            self._quiet_ms = self.quiet_since_loud_ms = 0
        else:
            self.quiet_since_loud_ms += len(pcm) // BYTES_PER_MS
            if was_voiced:
                self._quiet_ms += len(pcm) // BYTES_PER_MS
        self._keep(pcm)
        self._look(pcm, was_voiced)
        return self.end() if self._quiet_ms >= self._quiet_ends_after_ms else None

    def end(self) -> Utterance | None:
        """No more sound comes for now: forget what was heard, and give it back if it was more than a click."""
        frames = tuple(self._frames)
        is_speech = self.has_voice
        was_utterance = is_speech or self._voiced_ms >= VOICED_AT_LEAST_MS
        self.forget()
        return Utterance(is_speech, frames) if was_utterance else None

    def forget(self) -> None:
        """What was heard so far has been answered."""
        self._voiced_ms = self._quiet_ms = self._size_bytes = 0
        self._frames.clear()
        self._search = VoiceSearch()

    def _look(self, pcm: bytes, was_voiced: bool) -> None:
        """For a voice, while it comes: in all of a noise at once that takes 60 ms, for which all other calls wait."""
        if was_voiced:
            self._search.take(pcm)
        elif self.is_voiced:
            self._search.take(b"".join(self._frames))

    def _keep(self, pcm: bytes) -> None:
        limit = self._limit_bytes if self.is_voiced else LEAD_BYTES
        self._frames.append(pcm)
        self._size_bytes += len(pcm)
        while self._size_bytes > limit:
            self._size_bytes -= len(self._frames.popleft())
