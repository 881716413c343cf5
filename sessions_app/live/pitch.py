"""Whether a sound is a voice, as far as its pitch tells: pure, and plain Python, for production has no numpy.

A voice that speaks is periodic between 70 and 400 Hz for a tenth of a second and longer, its pitch glides meanwhile,
smoothly and in one direction, and it swells before it fades. Noise has no pitch, a knock is loudest at once, and the
pitch of a hum, a beep or a note of music stands still, or jumps. Where noise lies over a tone, its pitch jitters.
Pitch is found by autocorrelation (Rabiner, "On the use of autocorrelation analysis for pitch detection", IEEE
Transactions on Acoustics, Speech, and Signal Processing 25, 1977), here at 4 kHz, which is enough for it. The numbers
below were found on eSpeak NG's voices and on synthetic noises; `tests/live/test_pitch.py` keeps both.

Not told from a voice: song, instruments that slide, a barking dog, a television. Not recognised: whispering, and a
vowel of less than a tenth of a second with nothing voiced beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from operator import mul

DECIMATION = 4
RATE_HZ = 16_000 // DECIMATION
LOWEST_HZ, HIGHEST_HZ = 70, 400

WINDOW_BYTES = 40 * 32
HOP_BYTES = WINDOW_BYTES // 2
"""Windows of 40 ms, which hold almost three periods of the lowest voice, each half over the one before."""

SHIFT_BYTES = HOP_BYTES // 2
"""A second row of windows lies between those of the first: a glide is short, and whether one row shows it hangs on
where its windows begin. "What is my code word?" was missed at one place of 14 by one row, at none by two."""

LOOK_LIMIT_BYTES = 3_000 * 32
"""A window takes a quarter of a millisecond, so a noise without a voice costs 80 ms at most. What a provider does not
hear is short, and whoever speaks for longer is found in the first half second."""

SHORTEST_LAG, LONGEST_LAG = 4, RATE_HZ // LOWEST_HZ + 1
"""In samples. The shortest are periods of no voice: they are looked at to know a higher pitch when it comes."""

QUIETEST = 100.0
"""Effective value of 16-bit samples below which nobody looks for a pitch."""

PERIODIC_FROM = 0.6
"""So much alike are two periods at least; 1 is the same."""

OCTAVE_FACTOR = 0.9
"""The shortest period almost as good as the best is the period; the others are its multiples."""

STEP_LIMIT = 0.08
"""The pitch of a voice changes at most by this from one window to the next."""

GAP_LIMIT = 2
"""So many windows without a pitch may lie in the middle of a voice, which may be hoarse."""

GLIDE_WINDOWS = 5
GLIDE_FROM = 0.045
GLIDE_STEP_SHARE = 0.6
"""Over 120 ms the pitch glides by 4.5 %, and not by a single step."""

BRIGHT_FROM, BRIGHT_CLARITY, DARK_CLARITY = 0.6, 0.7, 0.82
"""An open vowel is told from a tone in noise by its overtones, and may be hoarse; a dark sound has to be clear."""

DULL_BELOW, OVERTONES_FROM = 0.2, 2.0
"""A voice is never as dull as its fundamental alone, which is what a siren is, and the end of a bang."""

RUN_WINDOWS = 25
LEVEL_RISES_BY = 1.3
"""Within half a second a voice swells; a knock does at most in one window, which holds the silence before it, too."""


@dataclass(frozen=True, slots=True)
class Pitch:
    """A periodic window. `hz`: its fundamental. `clarity`: how much alike its periods are, up to 1. `level`: effective
    value of the 16-bit samples. `brightness`: the power of the differences over that of the samples, from 0 to 4, which
    high frequencies make large."""

    hz: float
    clarity: float
    level: float
    brightness: float

    @property
    def overtones(self) -> float:
        """How much brighter it is than its fundamental alone would be."""
        return self.brightness / (2 * math.sin(math.pi * self.hz / RATE_HZ)) ** 2


def pitch_of(pcm: bytes) -> Pitch | None:
    """The pitch of a window of PCM16 mono 16 kHz, `WINDOW_BYTES` long; None where it has none of a voice."""
    samples = memoryview(pcm).cast("h")
    sums = list(map(sum, zip(*(samples[start::DECIMATION] for start in range(DECIMATION)), strict=True)))
    mean = sum(sums) / len(sums)
    wave = [value - mean for value in sums]
    power = list(accumulate(map(mul, wave, wave), initial=0.0))
    level = math.sqrt(power[-1] / len(wave)) / DECIMATION
    if level < QUIETEST:
        return None
    period, clarity = _period(wave, power)
    if clarity < PERIODIC_FROM or not LOWEST_HZ <= RATE_HZ / period <= HIGHEST_HZ:
        return None
    steps = [after - before for before, after in pairwise(wave)]
    return Pitch(RATE_HZ / period, clarity, level, sum(map(mul, steps, steps)) / power[-1])


def _period(wave: Sequence[float], power: Sequence[float]) -> tuple[float, float]:
    """The period in samples, between them, and how much alike two are. `power`: of the first so many of `wave`."""
    size = len(wave) - LONGEST_LAG - 1
    head = wave[:size]
    alike = [0.0] * (LONGEST_LAG + 2)
    for lag in range(SHORTEST_LAG - 1, LONGEST_LAG + 2):
        norm = math.sqrt(power[size] * (power[lag + size] - power[lag]))
        alike[lag] = sum(map(mul, head, wave[lag : lag + size])) / norm if norm else 0.0
    peaks = [
        _summit(lag, alike)
        for lag in range(SHORTEST_LAG, LONGEST_LAG + 1)
        if alike[lag - 1] <= alike[lag] > alike[lag + 1]
    ]
    best = max((clarity for _, clarity in peaks), default=0.0)
    return next((peak for peak in peaks if peak[1] >= OCTAVE_FACTOR * best), (1.0, 0.0))


def _summit(lag: int, alike: Sequence[float]) -> tuple[float, float]:
    """Where between the samples the parabola through a peak has its top, and how high that is."""
    before, at, after = alike[lag - 1 : lag + 2]
    offset = (before - after) / (2 * (before - 2 * at + after))
    return lag + offset, at - (before - after) * offset / 4


class VoiceSearch:
    """Looks for a voice in PCM16 mono 16 kHz while it comes, in its first 3 s, and no further than to that.

    `found`: whether there was one so far.
    """

    def __init__(self) -> None:
        self.found = False
        self._tracker, self._between = _Tracker(), _Tracker()
        self._rest = b""
        self._looked_bytes = 0

    def take(self, pcm: bytes) -> None:
        if self.found or self._is_over:
            return
        self._rest += pcm
        while len(self._rest) >= WINDOW_BYTES and not (self.found or self._is_over):
            self.found = self._tracker.follow(pitch_of(self._rest[:WINDOW_BYTES]))
            self._tracker, self._between = self._between, self._tracker
            self._rest = self._rest[SHIFT_BYTES:]
            self._looked_bytes += SHIFT_BYTES
        if self.found or self._is_over:
            self._rest = b""

    @property
    def _is_over(self) -> bool:
        return self._looked_bytes + WINDOW_BYTES > LOOK_LIMIT_BYTES


class _Tracker:
    """Follows the pitch from window to window."""

    def __init__(self) -> None:
        self._run: list[Pitch] = []
        self._gap = 0

    def follow(self, pitch: Pitch | None) -> bool:
        """Take in the pitch of the next window; whether the last ones are a voice's."""
        if pitch is None:
            self._gap += 1
            if self._gap > GAP_LIMIT:
                self._run.clear()
            return False
        if self._run:
            pitch = _joined(pitch, self._run[-1], self._gap)
            if abs(pitch.hz / self._run[-1].hz - 1) > STEP_LIMIT * (1 + self._gap):
                self._run.clear()
        self._gap = 0
        self._run = [*self._run, pitch][-RUN_WINDOWS:]
        return _swells(self._run) and _glides(self._run[-GLIDE_WINDOWS:])


def _joined(pitch: Pitch, last: Pitch, gap: int) -> Pitch:
    """The pitch in the octave of the one before, for the period is easily taken for half or twice of what it is."""
    if gap:
        return pitch
    return replace(pitch, hz=min((pitch.hz, pitch.hz * 2, pitch.hz / 2), key=lambda hz: abs(hz / last.hz - 1)))


def _swells(run: Sequence[Pitch]) -> bool:
    """Whether the level rises, and over more than one window."""
    levels = [pitch.level for pitch in run]
    quietest_before = accumulate(levels, min)
    return any(level >= LEVEL_RISES_BY * before for before, level in zip(quietest_before, levels[2:], strict=False))


def _glides(glide: Sequence[Pitch]) -> bool:
    """Whether so many windows in a row are those of a voice whose pitch rises or falls."""
    steps = [after.hz / before.hz - 1 for before, after in pairwise(glide)]
    if len(glide) < GLIDE_WINDOWS or min(steps) < 0 < max(steps):
        return False
    way = abs(glide[-1].hz / glide[0].hz - 1)
    brightness = max(pitch.brightness for pitch in glide)
    clarity = sum(pitch.clarity for pitch in glide) / len(glide)
    return (
        way >= GLIDE_FROM
        and max(map(abs, steps)) <= GLIDE_STEP_SHARE * way
        and clarity >= (BRIGHT_CLARITY if brightness >= BRIGHT_FROM else DARK_CLARITY)
        and brightness >= DULL_BELOW
        and min(pitch.overtones for pitch in glide) >= OVERTONES_FROM
    )
