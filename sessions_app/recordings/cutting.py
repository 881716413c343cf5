"""Having a recording cut by a process of its own (`cutter`), which gets no more than so much time."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sessions_app.models import Recording
from sessions_app.recordings import service
from sessions_app.recordings.cuts import PIECE_S
from sessions_app.recordings.google_rules import INLINE_BYTES
from sessions_app.recordings.programs import answer_of

LIMIT_S = 180.0
MEDIA_TYPE = "audio/mpeg"
UNCOMPRESSED = frozenset({"audio/wav", "audio/aiff"})
"""A request with a tenth of their bytes says the same."""


class NotCut(Exception):
    """The sound could be read when it came, and cannot now."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording, from when to when, as a file that is small enough to go along with a request."""

    start_ms: int
    end_ms: int
    path: Path
    media_type: str


@contextmanager
def pieces_of(recording: Recording, heard_ms: int) -> Iterator[list[Piece]]:
    """The pieces of a recording that end behind `heard_ms`, there until the block is left; one that is short and
    compressed is its own piece.

    Raises `NotCut`, FileNotFoundError where the sound is gone, and OSError where the disk fails.
    """
    with tempfile.TemporaryDirectory(prefix="holdline-pieces-") as name:
        folder = Path(name)
        whole = _whole(recording, folder)
        is_short = recording.duration_ms <= PIECE_S * 1000 and recording.size_bytes <= INLINE_BYTES
        if is_short and recording.media_type not in UNCOMPRESSED:
            piece = Piece(0, recording.duration_ms, whole, recording.media_type)
            yield [piece] if piece.end_ms > heard_ms else []
            return
        cut = enumerate(_cut(whole, folder, heard_ms))
        yield [Piece(start, end, folder / f"{number}.mp3", MEDIA_TYPE) for number, (start, end) in cut]


def _whole(recording: Recording, folder: Path) -> Path:
    """Where the sound lies; a copy in this folder, which may be in memory, only where the storage is no disk."""
    with service.open_sound(recording) as sound:
        try:
            return Path(recording.file.path)
        except NotImplementedError:
            whole = folder / "whole"
            with whole.open("wb") as file:
                shutil.copyfileobj(sound, file)
            return whole


def _cut(whole: Path, folder: Path, heard_ms: int) -> list[tuple[int, int]]:
    try:
        answer = answer_of("sessions_app.recordings.cutter", whole, folder, heard_ms, limit_s=LIMIT_S)
    except subprocess.SubprocessError:
        raise NotCut from None
    return [(start, end) for start, end in answer]
