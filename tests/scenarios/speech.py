"""Speech for pages without a microphone: the emulator's own voice, at the rate of a microphone."""

from __future__ import annotations

import numpy as np

from emulator.voice import SAMPLE_RATE_HZ, EspeakSynthesiser, resample

INPUT_RATE_HZ = 16_000


def spoken(text: str, voice: str = "Puck") -> bytes:
    """PCM16 mono 16 kHz of a sentence."""
    pcm = EspeakSynthesiser()(text, voice, "en-US")
    samples = resample(np.frombuffer(pcm, dtype=np.int16).astype(np.float32), SAMPLE_RATE_HZ, INPUT_RATE_HZ)
    return samples.clip(-32768, 32767).astype(np.int16).tobytes()


def silence(seconds: float) -> bytes:
    """PCM16 mono 16 kHz of nothing."""
    return bytes(int(seconds * INPUT_RATE_HZ) * 2)
