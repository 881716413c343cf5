"""Sounds that are no voice, made from a seed: PCM16 mono 16 kHz, a second and a half of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

RATE_HZ = 16_000
LENGTH_S = 1.5
SIZE = int(LENGTH_S * RATE_HZ)
TIME_S = np.arange(SIZE) / RATE_HZ

Random = np.random.Generator
Samples = np.ndarray
Noise = Callable[[Random], Samples]


def sines(hz: float | Samples, strengths: Samples, phases: Samples) -> Samples:
    """A tone with its overtones; `hz` may change over time."""
    turns = 2 * np.pi * np.cumsum(np.broadcast_to(hz, SIZE)) / RATE_HZ
    return sum(
        (
            strength * np.sin(n * turns + phase)
            for n, (strength, phase) in enumerate(zip(strengths, phases, strict=True), 1)
        ),
        start=np.zeros(SIZE),
    )


def overtones(random: Random, hz: float | Samples, count: int) -> Samples:
    return sines(hz, random.uniform(0, 1, count) / np.arange(1, count + 1), random.uniform(0, 6, count))


def white(random: Random) -> Samples:
    return random.normal(size=SIZE)


def coloured(random: Random, slope: float) -> Samples:
    """Noise whose power falls with the frequency to this power."""
    spectrum = np.fft.rfft(white(random))
    spectrum[1:] *= np.arange(1, len(spectrum)) ** (-slope / 2)
    return np.fft.irfft(spectrum, SIZE)


def band(samples: Samples, low_hz: float, high_hz: float) -> Samples:
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(SIZE, 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.fft.irfft(spectrum, SIZE)


def moments(random: Random, apart_s: tuple[float, float]) -> Iterator[int]:
    """Samples at which something happens."""
    at_s = random.uniform(0, 0.3)
    while at_s < LENGTH_S:
        yield int(at_s * RATE_HZ)
        at_s += random.uniform(*apart_s)


def fading(start: int, fades_s: float) -> Samples:
    """Nothing until a sample, and an echo from there on."""
    after_s = np.maximum(TIME_S - start / RATE_HZ, 0)
    return np.where(np.arange(SIZE) < start, 0, np.exp(-after_s / fades_s))


def silence(random: Random) -> Samples:
    return white(random) * random.choice([0, 0.001])


def pink(random: Random) -> Samples:
    return coloured(random, 1)


def brown(random: Random) -> Samples:
    return coloured(random, 2)


def narrow(random: Random) -> Samples:
    low_hz = random.uniform(70, 1_500)
    return band(white(random), low_hz, low_hz * random.uniform(1.05, 2.5))


def rumble(random: Random) -> Samples:
    return band(white(random), 20, 200)


def hum(random: Random) -> Samples:
    return overtones(random, float(random.choice([50, 60, 100, 120, 150])), 8) + white(random) * random.uniform(0, 0.3)


def swelling_hum(random: Random) -> Samples:
    return hum(random) * (1 + 0.7 * np.sin(2 * np.pi * random.uniform(0.5, 4) * TIME_S))


def motor(random: Random) -> Samples:
    wobble = 1 + random.uniform(0, 0.004) * np.sin(2 * np.pi * random.uniform(0.5, 6) * TIME_S)
    return overtones(random, random.uniform(40, 250) * wobble, 12) + white(random) * random.uniform(0, 1)


def fan(random: Random) -> Samples:
    air = pink(random)
    blades = np.sin(2 * np.pi * random.uniform(80, 300) * TIME_S) * (1 + 0.3 * np.sin(2 * np.pi * 3 * TIME_S))
    return air / air.std() + random.uniform(0.2, 2) * blades


def wind(random: Random) -> Samples:
    gusts = band(white(random), 0.3, 3)
    return band(brown(random), 10, 500) * np.exp(gusts / gusts.std())


def breath(random: Random) -> Samples:
    return band(white(random), 300, 4_000) * np.sin(np.pi * TIME_S * random.uniform(0.5, 2)) ** 2


def rustle(random: Random) -> Samples:
    return white(random) * np.abs(band(white(random), 1, 30))


def clicks(random: Random) -> Samples:
    return sum(
        (white(random) * fading(start, random.uniform(0.0003, 0.005)) for start in moments(random, (0.1, 0.8))),
        start=np.zeros(SIZE),
    )


def keyboard(random: Random) -> Samples:
    keys = np.zeros(SIZE)
    for start in moments(random, (0.06, 0.3)):
        tone = np.sin(2 * np.pi * random.uniform(150, 3_000) * TIME_S)
        keys += (0.5 * white(random) + tone) * fading(start, random.uniform(0.002, 0.009)) * random.uniform(0.4, 1)
    return keys


def bangs(random: Random) -> Samples:
    sound = np.zeros(SIZE)
    for start in moments(random, (0.3, 1.5)):
        for _ in range(random.integers(1, 7)):
            tone = np.sin(2 * np.pi * random.uniform(50, 900) * TIME_S + random.uniform(0, 6))
            sound += random.uniform(0.2, 1) * tone * fading(start, random.uniform(0.01, 0.25))
        sound += random.uniform(0, 1) * white(random) * fading(start, random.uniform(0.005, 0.08))
    return sound


def beeps(random: Random) -> Samples:
    sound = np.zeros(SIZE)
    for start in moments(random, (0.1, 0.9)):
        tone = np.sin(2 * np.pi * random.uniform(100, 2_000) * TIME_S)
        length = int(random.uniform(0.05, 0.9) * RATE_HZ)
        sound[start : start + length] = (np.sign(tone) if random.random() < 0.5 else tone)[start : start + length]
    return sound


def whistle(random: Random) -> Samples:
    from_hz, to_hz = random.uniform(80, 1_500, 2)
    return np.sin(2 * np.pi * np.cumsum(np.geomspace(from_hz, to_hz, SIZE)) / RATE_HZ)


def siren(random: Random) -> Samples:
    bend = 2 ** (random.uniform(0.1, 0.6) * np.sin(2 * np.pi * random.uniform(0.3, 3) * TIME_S))
    return np.sin(2 * np.pi * np.cumsum(random.uniform(200, 900) * bend) / RATE_HZ)


def tune(random: Random) -> Samples:
    """Notes of a plucked instrument, ringing into each other."""
    notes = np.zeros(SIZE)
    for start in moments(random, (0.1, 0.6)):
        note = overtones(random, 55 * 2 ** (int(random.integers(4, 48)) / 12), 7)
        notes += note * fading(start, random.uniform(0.1, 1)) * random.uniform(0.4, 1)
    return notes


NOISES: tuple[Noise, ...] = (
    *(silence, white, pink, brown, narrow, rumble, hum, swelling_hum, motor, fan),
    *(wind, breath, rustle, clicks, keyboard, bangs, beeps, whistle, siren, tune),
)


def recorded(noise: Noise, seed: int) -> bytes:
    """A noise as a microphone gives it: at any level between hardly loud and overdriven."""
    random = np.random.default_rng((seed, *noise.__name__.encode()))
    samples = noise(random)
    peak = 10 ** random.uniform(3, 4.6)
    return (samples * (peak / max(np.abs(samples).max(), 0.1))).clip(-32_768, 32_767).astype("<i2").tobytes()
