"""Compressed sound as mono PCM16 at 16 kHz, a little at a time; by FFmpeg, through the package `av`."""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.sound import SoundError
from emulator.vad import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

LONGEST_S = 10 * 3600
"""No more is decoded: half an hour beyond what fits into a prompt."""

# What the documentation of audio understanding names, and what the service was seen to take besides.
_PLAYED = re.compile(
    r"^audio/(?:x-|vnd\.)?(?:wave?|mp3|mpeg|mpga|aiff?|aac|ogg|opus|flac|mp4|m4a|webm|pcm|l16)\b", re.IGNORECASE
)
_READ = "wav,mp3,aiff,aac,ogg,flac,mov,matroska,webm,s16le"
"""FFmpeg's names of the formats. Among its others are playlists, which have it open what they name."""

_RAW = re.compile(r"^audio/(?:pcm|l16)\b(?:.*;\s*rate\s*=\s*(?P<rate>\d+))?", re.IGNORECASE)
_PIECE_BYTES = SAMPLE_RATE_HZ * 2
_SPOILT_PACKETS = 100
"""So many packets that cannot be decoded make a file that cannot."""


class DecoderMissingError(Exception):
    """The package that decodes is not installed."""


def is_played(mime_type: str) -> bool:
    """True for the kinds of sound that the service takes."""
    return _PLAYED.match(mime_type) is not None


def can_decode() -> bool:
    """True where the package that decodes is installed."""
    return importlib.util.find_spec("av") is not None


def decoded(source: Path | bytes, mime_type: str) -> Iterator[bytes]:
    """The sound of a file, or of its bytes, in pieces of about a second, and no more than `LONGEST_S`.

    Works as long as it is decoded, so not for an event loop. Raises `SoundError` for what is no sound, and
    `DecoderMissingError`.
    """
    if not can_decode():
        raise DecoderMissingError
    import av

    raw = _RAW.match(mime_type)
    options = {"format_whitelist": _READ}
    if raw:
        options |= {"sample_rate": raw["rate"] or str(SAMPLE_RATE_HZ), "ch_layout": "mono"}
    try:
        container = av.open(
            str(source) if isinstance(source, Path) else io.BytesIO(source),
            mode="r",
            format="s16le" if raw else None,
            options=options,
        )
    except (av.FFmpegError, ValueError) as error:
        raise SoundError(f"no sound that can be read: {error}") from error
    with container:
        if not container.streams.audio:
            raise SoundError("there is no sound in it")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        left_bytes = LONGEST_S * SAMPLE_RATE_HZ * 2
        gathered = bytearray()
        for frame in chain(_frames(container, container.streams.audio[0]), [None]):
            for piece in resampler.resample(frame):
                gathered += piece.to_ndarray().tobytes()
            if len(gathered) >= _PIECE_BYTES or frame is None:
                yield bytes(gathered[:left_bytes])
                left_bytes -= len(gathered)
                gathered.clear()
            if left_bytes <= 0:
                return


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Every frame that can be decoded; a spoilt packet in the middle costs its own sound alone."""
    import av

    spoilt = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
        except av.FFmpegError as error:
            spoilt += 1
            if spoilt > _SPOILT_PACKETS:
                raise SoundError(f"too much of it cannot be read: {error}") from error
