"""Recordings to send: sound put together from speech, tones and silence, in the formats that people have."""

import io

import av
import numpy as np

RATE_HZ = 16_000
FORMATS = {
    "audio/wav": ("wav", "pcm_s16le"),
    "audio/mp3": ("mp3", "libmp3lame"),
    "audio/ogg": ("ogg", "libopus"),
    "audio/flac": ("flac", "flac"),
    "audio/mp4": ("ipod", "aac"),
    "audio/aac": ("adts", "aac"),
    "audio/aiff": ("aiff", "pcm_s16be"),
    "audio/webm": ("webm", "libopus"),
}
"""By MIME type: the container, and what is in it."""


def silence(seconds: float) -> bytes:
    return bytes(round(seconds * RATE_HZ) * 2)


def hum(seconds: float) -> bytes:
    """A loud tone, which nobody takes for speech."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(2 * np.pi * 440 * times) * 8_000).astype("<i2").tobytes()


def encoded(pcm: bytes, mime_type: str) -> bytes:
    """16 kHz PCM16 as a file of some kind."""
    container_format, codec = FORMATS[mime_type]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=RATE_HZ)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        samples = np.frombuffer(pcm, dtype="<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for one in (frame, None):
            container.mux(stream.encode(one))
    return buffer.getvalue()
