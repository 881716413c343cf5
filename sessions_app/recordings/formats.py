"""Which files are taken, by what they begin with and what is in them, never by their names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

HEAD_BYTES = 16 * 1024
"""Of the beginning of a file, as much as `readers_of` looks at."""

READERS_OF_MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
    "mov": "audio/mp4",
    "aiff": "audio/aiff",
    "matroska": "audio/webm",
}
"""Names of FFmpeg's demuxers, and the media type of what they read, as the Gemini API takes it
(https://ai.google.dev/gemini-api/docs/audio)."""

WEBM_CODECS = frozenset({"opus", "vorbis"})

ALONE: dict[str, tuple[str, str]] = {
    "aac": ("ipod", "audio/mp4"),
    "alac": ("ipod", "audio/mp4"),
    "mp3": ("mp3", "audio/mpeg"),
    "opus": ("ogg", "audio/ogg"),
    "vorbis": ("ogg", "audio/ogg"),
    "flac": ("flac", "audio/flac"),
    "pcm_s16le": ("wav", "audio/wav"),
    "pcm_s24le": ("wav", "audio/wav"),
}
"""By codec: FFmpeg's muxer for a file in which that sound is alone, and the media type of such a file."""

_SIGNS = (
    (re.compile(rb"RIFF....WAVE|RF64....WAVE", re.DOTALL), ("wav",)),
    (re.compile(rb"fLaC"), ("flac",)),
    (re.compile(rb"OggS"), ("ogg",)),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), ("aiff",)),
    (re.compile(rb"....(ftyp|moov|mdat|wide|free|skip)", re.DOTALL), ("mov",)),
    (re.compile(rb"\x1aE\xdf\xa3"), ("matroska",)),
    (re.compile(rb"ID3[\x02-\x04]"), ("mp3", "aac", "flac")),
)

_BIT_RATES_KBPS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By version of MPEG audio and layer (ISO/IEC 11172-3, 2.4.2.3; 13818-3). Layers 2 and 3 of version 2 share a table."""

_RATES_HZ = {0b11: (44100, 48000, 32000), 0b10: (22050, 24000, 16000), 0b00: (11025, 12000, 8000)}


def readers_of(head: bytes) -> tuple[str, ...]:
    """The demuxers that may read a file that begins like this; none for what is not taken."""
    for sign, readers in _SIGNS:
        if sign.match(head):
            return readers
    sound = head.lstrip(b"\0")  # some writers of MP3 leave room for a tag that never came
    if _goes_on(sound, _mpeg_frame_bytes):
        return ("mp3",)
    if _goes_on(sound, _adts_frame_bytes):
        return ("aac",)
    return ()


def announced_bytes(head: bytes) -> int:
    """How long a file says that it is as a whole, in bytes; 0 where it does not, or was written without going back.

    Decoders of WAV, AIFF and MP3 take what there is and say nothing. `head`: of the sound, without a tag before it.
    """
    kind, size = head[:4], head[4:8]
    if len(size) < 4 or kind not in (b"RIFF", b"FORM"):
        return _announced_by_mp3(head)
    announced = int.from_bytes(size, "little" if kind == b"RIFF" else "big")
    return 0 if announced in (0, 0xFFFFFFFF) else announced + 8


def tag_bytes(head: bytes) -> int:
    """How long the tag is that stands before the sound (https://id3.org/id3v2.4.0-structure, 3.1); 0 without one."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _announced_by_mp3(head: bytes) -> int:
    """The first frame of most encoders' says how many bytes follow, under one of two names, where a flag says so."""
    length = _mpeg_frame_bytes(head)
    places = [place for name in (b"Xing", b"Info") if (place := head.find(name, 0, length)) > 0]
    if not places:
        return 0
    flags = int.from_bytes(head[places[0] + 4 : places[0] + 8], "big")
    if not flags & 2:
        return 0
    at = places[0] + (12 if flags & 1 else 8)
    return int.from_bytes(head[at : at + 4], "big")


def _goes_on(sound: bytes, frame_bytes: Callable[[bytes], int]) -> bool:
    """Whether a frame is followed by another: two bytes alone would fit a text or a program as well."""
    length = frame_bytes(sound)
    if not length:
        return False
    rest = sound[length:]
    return not rest or bool(frame_bytes(rest))


def _mpeg_frame_bytes(frame: bytes) -> int:
    """How long the frame is that begins here; 0 where none does."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return 0
    version, layer = frame[1] >> 3 & 3, 4 - (frame[1] >> 1 & 3)
    rate_index, kbps_index, padding = frame[2] >> 2 & 3, frame[2] >> 4, frame[2] >> 1 & 1
    if version == 0b01 or layer == 4 or rate_index == 3 or kbps_index in (0, 15):
        return 0
    generation = 1 if version == 0b11 else 2
    bits_per_s = _BIT_RATES_KBPS[generation, min(layer, 3 if generation == 1 else 2)][kbps_index] * 1000
    rate_hz = _RATES_HZ[version][rate_index]
    if layer == 1:
        return (12 * bits_per_s // rate_hz + padding) * 4
    samples = 576 if layer == 3 and generation == 2 else 1152
    return samples // 8 * bits_per_s // rate_hz + padding


def _adts_frame_bytes(frame: bytes) -> int:
    """The same for AAC (ISO/IEC 13818-7, 6.2)."""
    if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0 or frame[2] >> 2 & 15 > 12:
        return 0
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return length if length >= 7 else 0
