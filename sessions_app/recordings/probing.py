"""Having a file looked into by a process of its own (`probe`), which gets no more than so much time."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 280.0
"""Of the clock; of the processor it gets `probe.PROCESSOR_S`. Six hours of MP3 take it 40 s."""

TOO_LONG_TO_READ = "Reading this file takes too long. It is not taken."
UNREADABLE = "This file cannot be read. It is not taken."

ROOT = Path(__file__).resolve().parents[2]


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
    command = (sys.executable, "-m", "sessions_app.recordings.probe", str(path), str(alone))
    # It needs nothing of ours: neither the secrets in the environment nor the sockets that are open.
    environment = {name: value for name in ("PATH", "PYTHONPYCACHEPREFIX") if (value := os.environ.get(name))}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotTaken(TOO_LONG_TO_READ) from None
    if done.returncode:  # killed by its own bounds, or a decoder has crashed
        raise NotTaken(UNREADABLE)
    answer = json.loads(done.stdout)
    if "refusal" in answer:
        raise NotTaken(answer["refusal"])
    return Probed(**{**answer, "peaks": base64.b64decode(answer["peaks"])})
