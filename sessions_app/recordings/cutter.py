"""Cuts a recording into pieces to ask a model about: `python -m sessions_app.recordings.cutter FILE FOLDER MS`.

A process of its own with bounds like those of `probe`. Each piece is a file `<number>.mp3` of one channel; one line of
JSON says from when to when each is, in milliseconds of what was decoded, as the length of a recording is counted. Those
that end by MS were heard already, and are not written: decoding takes a fraction of what encoding takes.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame

from sessions_app.recordings.cuts import MOST_S, PIECE_S, RATE_HZ, cut_of
from sessions_app.recordings.formats import HEAD_BYTES, readers_of
from sessions_app.recordings.programs import keep_within

PROCESSOR_S = 160
BITS_PER_S = 64_000
"""4.8 MB a piece."""

FASTEST = {"compression_level": "9"}
"""Three hours take 50 s of the processor, in the encoder's usual way four times as long."""

FRAME_SAMPLES = 1_152


def cut(path: Path, folder: Path, heard_ms: int = 0) -> list[tuple[int, int]]:
    """Write the pieces that end behind `heard_ms`; gives start and end of each. Raises `av.FFmpegError`, ValueError."""
    pieces: list[tuple[int, int]] = []
    for start, samples in _pieces(path):
        start_ms, end_ms = start * 1000 // RATE_HZ, (start + len(samples)) * 1000 // RATE_HZ
        if end_ms > heard_ms:
            _write(samples, folder / f"{len(pieces)}.mp3")
            pieces.append((start_ms, end_ms))
    return pieces


def _pieces(path: Path) -> Iterator[tuple[int, array[int]]]:
    """Where each piece begins, and its samples."""
    held, start = array("h"), 0
    for samples in _samples(path):
        held.extend(samples)
        while len(held) >= PIECE_S * RATE_HZ:
            length = cut_of(held[: PIECE_S * RATE_HZ])
            yield start, held[:length]
            del held[:length]
            start += length
        if start + len(held) >= MOST_S * RATE_HZ:
            break
    if held:
        yield start, held


def _write(samples: array[int], path: Path) -> None:
    with av.open(str(path), "w", format="mp3", options={"write_xing": "0"}) as container:
        stream: Any = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono", options=FASTEST)
        stream.bit_rate = BITS_PER_S
        for first in range(0, len(samples), FRAME_SAMPLES):
            part = samples[first : first + FRAME_SAMPLES]
            frame = AudioFrame(format="s16p", layout="mono", samples=len(part))
            frame.planes[0].update(part.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts = RATE_HZ, first
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _samples(path: Path) -> Iterator[array[int]]:
    """All that can be decoded, as `probe` counts it: what cannot is left out."""
    with path.open("rb") as file:
        readers = readers_of(file.read(HEAD_BYTES))
    options = {"format_whitelist": ",".join(readers), "protocol_whitelist": "file"}
    with av.open(str(path), container_options=options, metadata_errors="ignore") as container:
        resampler: Any = None
        packets = container.demux(container.streams.audio[0])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):
                break
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                frame.pts = None
                try:
                    resampler = resampler or _resampler()
                    parts = resampler.resample(frame)
                except ValueError:  # the sound has another rate or other channels from here on
                    resampler = _resampler()
                    parts = resampler.resample(frame)
                yield from map(_array_of, parts)
        if resampler is not None:
            yield from map(_array_of, resampler.resample(None))


def _resampler() -> Any:
    return av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)


def _array_of(frame: Any) -> array[int]:
    return array("h", bytes(frame.planes[0])[: frame.samples * 2])


def main() -> None:
    keep_within(PROCESSOR_S)
    av.logging.set_level(av.logging.PANIC)
    path, folder, heard_ms = sys.argv[1:4]
    print(json.dumps(cut(Path(path), Path(folder), int(heard_ms))))


if __name__ == "__main__":
    main()
