"""Having a file looked into by a process of its own (`probe`), which gets no more than so much time."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sessions_app.recordings.programs import answer_of
from sessions_app.recordings.refusals import TOO_LONG_TO_READ, UNREADABLE

LIMIT_S = 280.0
"""Of the clock; of the processor it gets `probe.PROCESSOR_S`. Six hours of MP3 take it 40 s."""


class NotTaken(Exception):
    """A sentence for the user: why a file is no recording."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What is in a file; `is_alone`: its sound was written to the other file, which is the recording then."""

    media_type: str
    duration_ms: int
    is_cut: bool
    note: str
    peaks: bytes
    is_alone: bool


def probe(path: Path, alone: Path) -> Probed:
    """Look into a file. Raises `NotTaken`."""
    try:
        answer = answer_of("sessions_app.recordings.probe", path, alone, limit_s=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise NotTaken(TOO_LONG_TO_READ) from None
    except subprocess.CalledProcessError:
        raise NotTaken(UNREADABLE) from None
    if "refusal" in answer:
        raise NotTaken(answer["refusal"])
    return Probed(**{**answer, "peaks": base64.b64decode(answer["peaks"])})
