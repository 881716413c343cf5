"""Samples as a file that others read: pure."""

from __future__ import annotations

import io
import wave


def wav_of(pcm: bytes, rate_hz: int) -> bytes:
    """A WAV file of PCM16 mono."""
    with io.BytesIO() as file:
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(rate_hz)
            writer.writeframes(pcm)
        return file.getvalue()
