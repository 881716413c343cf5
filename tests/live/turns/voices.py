"""Voices made from a formula: PCM16 mono 16 kHz."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def voice(ms: int = 1_000) -> bytes:
    """What rises, falls and swells like a voice, and has its overtones."""
    time_s = np.arange(ms * 16) / 16_000
    hz = 150 + 40 * np.sin(2 * np.pi * 1.3 * time_s)
    turns = 2 * np.pi * np.cumsum(hz) / 16_000
    wave = sum(np.sin(n * turns) / n for n in range(1, 12)) * (1.1 + np.sin(2 * np.pi * 2 * time_s))
    return bytes((wave * 4_000).clip(-32_768, 32_767).astype("<i2").tobytes())
