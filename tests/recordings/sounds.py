"""Audio files of all kinds, made as they are needed."""

from __future__ import annotations

import io
import math
import wave
from array import array
from typing import Any

import av

RATE_HZ = 48_000
FRAME_SAMPLES = 1_024

KINDS = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "wav": ("wav", "pcm_s16le", "audio/wav"),
    "flac": ("flac", "flac", "audio/flac"),
    "opus": ("ogg", "libopus", "audio/ogg"),
    "m4a": ("ipod", "aac", "audio/mp4"),
    "aac": ("adts", "aac", "audio/aac"),
    "aiff": ("aiff", "pcm_s16be", "audio/aiff"),
    "webm": ("webm", "libopus", "audio/webm"),
}
"""Ending of a name: FFmpeg's muxer and encoder, and the media type that it is found to be."""


def tone(samples: int, start: int = 0, loudness: int = 12_000) -> array[int]:
    return array("h", [int(loudness * math.sin(2 * math.pi * 440 * (start + i) / RATE_HZ)) for i in range(samples)])


def wav(seconds: float = 1.0, loudness: int = 12_000, rate_hz: int = 8_000) -> bytes:
    """A file of the simplest kind, quick to make."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(tone(round(seconds * rate_hz), loudness=loudness).tobytes())
    return file.getvalue()


def encoded(muxer: str, codec: str, seconds: float = 1.0, *, with_pictures: bool = False) -> bytes:
    """A tone, and pictures beside it if they are asked for."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        sound: Any = container.add_stream(codec, rate=RATE_HZ, layout="mono")
        pictures: Any = container.add_stream("mpeg4" if muxer == "mp4" else "libvpx", rate=5) if with_pictures else None
        if pictures is not None:
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
            for number in range(round(5 * seconds)):
                picture = av.VideoFrame(64, 64, "yuv420p")
                picture.pts = number
                container.mux(pictures.encode(picture))
            container.mux(pictures.encode(None))
        for start in range(0, round(RATE_HZ * seconds), FRAME_SAMPLES):
            frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
            frame.planes[0].update(tone(FRAME_SAMPLES, start).tobytes())
            frame.sample_rate, frame.pts = RATE_HZ, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return file.getvalue()
