"""Whether the user speaks, as far as loudness tells: pure.

The provider decides what speech is. This gate is only there to notice that the user has finished a sentence while the
provider says nothing at all, which a connection that is dead without being closed looks like.
"""

from __future__ import annotations

INPUT_RATE_HZ = 16_000
BYTES_PER_MS = INPUT_RATE_HZ * 2 // 1000

LOUD = 900
"""Peak of 16-bit samples above which a frame counts as voiced; a quiet room stays well below, a voice well above."""

SAMPLE_STEP = 8
"""Every eighth sample is looked at: 2 kHz are enough for loudness, and an eighth of the work."""

VOICED_AT_LEAST_MS = 240
QUIET_ENDS_AFTER_MS = 720


def is_loud(pcm: bytes) -> bool:
    """Whether a frame of PCM16 mono 16 kHz may hold a voice."""
    samples = memoryview(pcm).cast("h")[::SAMPLE_STEP]
    return max(samples) > LOUD or min(samples) < -LOUD


class VoiceGate:
    """Follows frames of PCM16 mono 16 kHz, and tells when an utterance has ended."""

    def __init__(self) -> None:
        self._voiced_ms = 0
        self._quiet_ms = 0

    @property
    def is_voiced(self) -> bool:
        """Whether something loud was heard that has not ended yet."""
        return self._voiced_ms > 0

    def hear(self, pcm: bytes) -> bool:
        """Take in a frame; True when it is the one that ends an utterance."""
        ms = len(pcm) // BYTES_PER_MS
        if is_loud(pcm):
            self._voiced_ms += ms
            self._quiet_ms = 0
            return False
        if self._voiced_ms == 0:
            return False
        self._quiet_ms += ms
        return self._quiet_ms >= QUIET_ENDS_AFTER_MS and self.end()

    def end(self) -> bool:
        """No more sound comes for now: forget the utterance, and say whether it was one."""
        was_utterance = self._voiced_ms >= VOICED_AT_LEAST_MS
        self._voiced_ms = self._quiet_ms = 0
        return was_utterance
