"""Sound in the shapes in which clients send it, brought to mono PCM16 at 16 kHz, and the speech that is in it."""

from __future__ import annotations

import io
import re
import wave
from dataclasses import dataclass

import numpy as np

from emulator.vad import BYTES_PER_MS, SAMPLE_RATE_HZ, SpeechEnded, VoiceActivityDetector
from emulator.voice import resample

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 96_000

_RAW = re.compile(r"^audio/(?:pcm|l16)\b", re.IGNORECASE)
_WAV = re.compile(r"^audio/(?:x-|vnd\.)?wave?\b", re.IGNORECASE)
_RATE = re.compile(r";\s*rate\s*=\s*(\d+)", re.IGNORECASE)
_FRAME_BYTES = 40 * BYTES_PER_MS
_SILENCE_MS = 700
_SHORTEST_MS = 160
"""Of speech; what is shorter is a knock."""
_LOUD_RMS = 300
# Frames of noise are equally loud within a few hundredths of each other, those of speech are not by far.
_LEAST_VARIATION = 0.15


class SoundError(ValueError):
    """Sound that cannot be read; its text says why."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A clip as it came: how long it is, and the utterances in it, each 16 kHz PCM16."""

    duration_ms: int
    speech_ms: int
    utterances: tuple[bytes, ...]


def at_16_khz(pcm: bytes, rate_hz: int) -> bytes:
    """Mono PCM16 of `rate_hz`, at 16 kHz; raises `SoundError` for a rate that nobody records with."""
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise SoundError(f"{rate_hz} Hz is no rate for speech")
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    return resample(samples, rate_hz, SAMPLE_RATE_HZ).astype("<i2").tobytes()


def listen(data: bytes, mime_type: str) -> Sound:
    """Read a WAV file or raw PCM16 and find the speech in it; works as long as it is said, so not for an event loop.

    Raises `SoundError`.
    """
    pcm = read_pcm(data, mime_type)
    found = [speech for speech in _speech_in(pcm) if speech.speech_ms >= _SHORTEST_MS and is_speech(speech.pcm)]
    return Sound(
        round(len(pcm) / BYTES_PER_MS),
        sum(speech.speech_ms for speech in found),
        tuple(speech.pcm for speech in found),
    )


def is_plain(mime_type: str) -> bool:
    """True for WAV and raw PCM, which are read without a decoder."""
    return bool(_WAV.match(mime_type) or _RAW.match(mime_type))


def read_pcm(data: bytes, mime_type: str) -> bytes:
    """The sound as mono PCM16 at 16 kHz, which raw PCM without a rate is taken for; raises `SoundError`."""
    if _WAV.match(mime_type):
        return _read_wav(data)
    if not _RAW.match(mime_type) or len(data) % 2:
        raise SoundError(f"{mime_type} is not played")
    rate = _RATE.search(mime_type)
    return at_16_khz(data, int(rate.group(1)) if rate else SAMPLE_RATE_HZ)


def _read_wav(data: bytes) -> bytes:
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels, rate_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = np.frombuffer(file.readframes(file.getnframes()), dtype=np.uint8)
    except (wave.Error, EOFError) as error:
        raise SoundError(f"no WAV file: {error}") from error
    frames = raw[: len(raw) // (width * channels) * width * channels].reshape(-1, width)
    if width == 1:
        samples = (frames[:, 0].astype(np.int16) - 128) * 256
    else:
        # Of wider samples the upper two bytes are heard.
        samples = np.ascontiguousarray(frames[:, -2:]).view("<i2")[:, 0]
    mono = samples.reshape(-1, channels).mean(axis=1)
    return at_16_khz(mono.astype("<i2").tobytes(), rate_hz)


def _speech_in(pcm: bytes) -> list[SpeechEnded]:
    detector = VoiceActivityDetector(_SILENCE_MS)
    heard = [detector.feed(pcm[start : start + _FRAME_BYTES]) for start in range(0, len(pcm), _FRAME_BYTES)]
    return [activity for activity in (*heard, detector.flush()) if isinstance(activity, SpeechEnded)]


def is_speech(pcm: bytes) -> bool:
    """True for sound that varies as speech does, and noise or a tone does not."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    rms = np.sqrt((frames**2).mean(axis=1))
    loud = rms[rms > _LOUD_RMS]
    return bool(len(loud)) and float(loud.std()) > _LEAST_VARIATION * float(loud.mean())
