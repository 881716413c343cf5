"""Speech for pages without a microphone: the emulator's own voice, at the rate of a microphone."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

import numpy as np

from emulator.voice import SAMPLE_RATE_HZ, EspeakSynthesiser, resample
from tests.services.prepared import processes

INPUT_RATE_HZ = 16_000


@lru_cache(maxsize=256)
def spoken(text: str, voice: str = "Puck") -> bytes:
    """PCM16 mono 16 kHz of a sentence.

    Each is said by a process of its own: eSpeak NG's voices flutter on from one utterance to the next, and what a test
    hears must not depend on what others have said before.
    """
    with ProcessPoolExecutor(1, mp_context=processes) as speaker:
        return speaker.submit(_spoken_first, text, voice).result()


def _spoken_first(text: str, voice: str) -> bytes:
    pcm = EspeakSynthesiser()(text, voice, "en-US")
    samples = resample(np.frombuffer(pcm, dtype=np.int16).astype(np.float32), SAMPLE_RATE_HZ, INPUT_RATE_HZ)
    return samples.clip(-32768, 32767).astype(np.int16).tobytes()


def silence(seconds: float) -> bytes:
    """PCM16 mono 16 kHz of nothing."""
    return bytes(int(seconds * INPUT_RATE_HZ) * 2)
