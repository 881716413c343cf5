"""What is said in the picture: sentences of eSpeak NG with silence between them, as a microphone would hear them."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emulator.voice import SAMPLE_RATE_HZ, EspeakSynthesiser, resample

MICROPHONE_HZ = 16_000


def write_speech(path: Path, said: Sequence[tuple[float, str]]) -> None:
    """A WAV file in which each sentence begins so many seconds after the microphone was opened."""
    synthesiser, pcm = EspeakSynthesiser(), b""
    for at_s, sentence in said:
        spoken = np.frombuffer(synthesiser(sentence, "", ""), "<i2").astype(np.float64)
        pcm = pcm.ljust(int(at_s * MICROPHONE_HZ) * 2, b"\0")
        pcm += resample(spoken, SAMPLE_RATE_HZ, MICROPHONE_HZ).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_HZ)
        file.writeframes(pcm)
