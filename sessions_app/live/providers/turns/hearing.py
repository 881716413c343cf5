"""What the user says aloud, cut into utterances: pure.

Nobody at the other end of a request listens for the beginning and the end of speech, so this does. It goes by how much
sound it was given and never by the clock: after a change of connection a minute of it comes at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.live.voice import BYTES_PER_MS, QUIET_ENDS_AFTER_MS, Utterance, VoiceGate

UTTERANCE_LIMIT_BYTES = 120_000 * BYTES_PER_MS
"""An utterance that is longer ends there, and the rest is another one."""

BLOCK_BYTES = 20 * BYTES_PER_MS
"""What is looked at at a time, however the sound was cut on its way here."""


@dataclass(frozen=True, slots=True)
class VoiceFound:
    """What is being said is a voice."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something was said and has ended: PCM16 mono 16 kHz, from a little before it to the quiet after it."""

    pcm: bytes


Heard = VoiceFound | Spoken


class Hearing:
    """Follows the microphone: PCM16 mono 16 kHz. Noise that is no voice is passed over.

    Args:
        silence_ms: so much quiet ends an utterance; 0 for our own figure.
    """

    def __init__(self, silence_ms: int = 0) -> None:
        self._gate = VoiceGate(UTTERANCE_LIMIT_BYTES, silence_ms or QUIET_ENDS_AFTER_MS)
        self._rest = b""
        self._was_found = False

    def hear(self, pcm: bytes) -> list[Heard]:
        """Take in sound; what became known by it, in order."""
        self._rest += pcm
        heard: list[Heard] = []
        while len(self._rest) >= BLOCK_BYTES:
            block, self._rest = self._rest[:BLOCK_BYTES], self._rest[BLOCK_BYTES:]
            heard += self._hear_block(block)
        return heard

    def end(self) -> list[Heard]:
        """No more sound comes for now."""
        rest, self._rest = self._rest[: len(self._rest) // 2 * 2], b""
        heard = self._hear_block(rest) if rest else []
        return [*heard, *self._ended(self._gate.end())]

    def _hear_block(self, block: bytes) -> list[Heard]:
        ended = self._gate.hear(block)
        heard: list[Heard] = []
        if self._gate.has_voice and not self._was_found:
            self._was_found = True
            heard.append(VoiceFound())
        if ended is None and self._gate.is_full:
            ended = self._gate.end()
        return [*heard, *self._ended(ended)]

    def _ended(self, utterance: Utterance | None) -> list[Heard]:
        if not self._gate.is_voiced:
            was_found, self._was_found = self._was_found, False
            if utterance is not None and utterance.is_speech:
                found: list[Heard] = [] if was_found else [VoiceFound()]
                return [*found, Spoken(b"".join(utterance.frames))]
        return []
