"""Looks what is in a file, by decoding all of it: `python -m sessions_app.recordings.probe FILE ALONE`.

A process of its own, for whatever a file may do to a decoder: it has bounds of memory and of time of the processor that
the kernel keeps, reads no other file, and opens no connection. It prints one line of JSON, `Found` or `Refused`, and
writes to ALONE the sound without the rest where a file also has pictures, or is of a container that the provider does
not take. Nothing of Django is here, so that it starts at once; the decoder is loaded here and nowhere else.
"""

from __future__ import annotations

import base64
import json
import sys
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from sessions_app.recordings.formats import (
    ALONE,
    HEAD_BYTES,
    READERS_OF_MEDIA_TYPES,
    WEBM_CODECS,
    announced_bytes,
    readers_of,
    tag_bytes,
)
from sessions_app.recordings.peaks import Peaks
from sessions_app.recordings.programs import keep_within
from sessions_app.recordings.refusals import (
    DAMAGED,
    END_MISSING,
    END_MISSING_OF,
    LONGEST_S,
    NO_AUDIO,
    NO_SOUND,
    TOO_LONG,
    TOO_MUCH,
)
from sessions_app.recordings.words import length_words

SHORTEST_S = 0.1
PROCESSOR_S = 220
DECODED_BYTES = 60_000_000_000
"""What may come out of a decoder: six hours of sound of eight channels, 24 bits and 96 kHz."""

PEAKS_HZ = 8_000
MISSING_S = 1.0
MISSING_SHARE = 0.02
"""A file is cut if less was decoded than it says of itself, by more than a second and this share of it."""


class Refused(Exception):
    """A sentence for the user."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a file. `note` is a sentence for the user, or empty; `is_alone` says that the sound was written to a
    file of its own, whose `media_type` it is then. `peaks` in base64."""

    media_type: str
    duration_ms: int
    is_cut: bool
    note: str
    peaks: str
    is_alone: bool


def look_into(path: Path, alone: Path) -> Found:
    """Raises `Refused`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        before = file.seek(tag_bytes(head))
        is_short = path.stat().st_size < before + announced_bytes(file.read(HEAD_BYTES))
    readers = readers_of(head)
    if not readers:
        raise Refused(NO_AUDIO)
    # The readers are those of the file's own beginning: none of them follows a reference to another file or address.
    options = {"format_whitelist": ",".join(readers), "protocol_whitelist": "file"}
    try:
        with av.open(str(path), container_options=options, metadata_errors="ignore") as container:
            return _look_at(container, path, alone, is_short)
    except (av.FFmpegError, ValueError, IndexError):
        raise Refused(DAMAGED) from None


def _look_at(container: InputContainer, path: Path, alone: Path, is_short: bool) -> Found:
    if not container.streams.audio:
        raise Refused(NO_SOUND)
    stream = container.streams.audio[0]
    declared_s = _declared_s(container, stream)
    heard = _Heard()
    for frame in _frames(container, stream, heard):
        heard.take(frame)
    heard.end()
    if heard.seconds < SHORTEST_S or heard.failures > heard.frames:
        raise Refused(DAMAGED if heard.failures else NO_SOUND)
    media_type, is_alone = _take_out(container, stream, path, alone)
    is_shorter = heard.seconds < declared_s - max(MISSING_S, MISSING_SHARE * declared_s)
    is_cut = is_short or is_shorter or heard.is_broken_off
    duration_ms = round(heard.seconds * 1000)
    return Found(
        media_type=media_type,
        duration_ms=duration_ms,
        is_cut=is_cut,
        note=_note_of(duration_ms, declared_s) if is_cut else "",
        peaks=base64.b64encode(heard.peaks.as_bytes()).decode(),
        is_alone=is_alone,
    )


def _note_of(duration_ms: int, declared_s: float) -> str:
    length = length_words(duration_ms)
    declared = length_words(round(declared_s * 1000))
    sentence = END_MISSING_OF if declared_s * 1000 > duration_ms else END_MISSING
    return sentence.format(length=length, declared=declared)


def _declared_s(container: InputContainer, stream: AudioStream) -> float:
    """How long a file says that it is; 0 where it does not. Only ever used to tell that something is missing."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


class _Heard:
    """What was decoded."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.frames = self.failures = 0
        self.is_broken_off = False
        self.peaks = Peaks()
        self._bytes = 0
        self._resampler: Any = None

    def take(self, frame: AudioFrame) -> None:
        """Raises `Refused` where it gets too much."""
        if not frame.sample_rate or not frame.samples:
            return
        self.frames += 1
        self.seconds += frame.samples / frame.sample_rate
        self._bytes += frame.samples * frame.format.bytes * frame.layout.nb_channels
        if self.seconds > LONGEST_S:
            raise Refused(TOO_LONG)
        if self._bytes > DECODED_BYTES:
            raise Refused(TOO_MUCH)
        frame.pts = None  # what a file says of time counts for nothing here
        try:
            self._draw(frame)
        except ValueError:  # the sound has another rate or other channels from here on
            self._resampler = None
            self._draw(frame)

    def end(self) -> None:
        if self._resampler is not None:
            self._draw(None)

    def _draw(self, frame: AudioFrame | None) -> None:
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=PEAKS_HZ)
        for part in self._resampler.resample(frame):
            self.peaks.add(array("h", bytes(part.planes[0])[: part.samples * 2]))


def _frames(container: InputContainer, stream: AudioStream, heard: _Heard) -> Iterator[AudioFrame]:
    """The frames that can be decoded; what cannot is counted, and a file that breaks off ends there."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError:
            heard.is_broken_off = True
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            heard.failures += 1


def _take_out(container: InputContainer, stream: AudioStream, path: Path, alone: Path) -> tuple[str, bool]:
    """The media type, and whether the sound had to be taken out of its container: packet by packet, as it is."""
    reader = container.format.name.split(",")[0]
    codec = stream.codec_context.name
    has_pictures = any(not _is_cover(video) for video in container.streams.video)
    is_webm = reader != "matroska" or codec in WEBM_CODECS
    if is_webm and not has_pictures and len(container.streams.audio) == 1:
        return READERS_OF_MEDIA_TYPES[reader], False
    if codec not in ALONE:
        raise Refused(NO_AUDIO)
    muxer, media_type = ALONE[codec]
    _copy(path, stream.index, alone, muxer)
    return media_type, True


def _is_cover(video: Any) -> bool:
    return bool(video.disposition & av.stream.Disposition.attached_pic)


def _copy(path: Path, index: int, alone: Path, muxer: str) -> None:
    with (
        av.open(str(path), container_options={"protocol_whitelist": "file"}, metadata_errors="ignore") as container,
        # The same sound gives the same file, whenever it is taken out.
        av.open(str(alone), "w", format=muxer, options={"fflags": "+bitexact"}) as target,
    ):
        source = container.streams[index]
        copied = target.add_stream_from_template(source)
        packets = container.demux(source)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                packet = None
            if packet is None:
                return
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)


def main() -> None:
    keep_within(PROCESSOR_S)
    av.logging.set_level(av.logging.PANIC)
    path, alone = map(Path, sys.argv[1:3])
    try:
        answer = asdict(look_into(path, alone))
    except Refused as refusal:
        answer = {"refusal": str(refusal)}
    except MemoryError:
        answer = {"refusal": TOO_MUCH}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
