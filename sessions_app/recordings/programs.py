"""Programs of our own that read what users send: each a process that has bounds, and nothing of ours to lose."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

MEMORY_BYTES = 2_000_000_000
"""Of addresses; a decoder's libraries take a fifth of it before they do anything."""

_ROOT = Path(__file__).resolve().parents[2]


def answer_of(program: str, *arguments: object, limit_s: float) -> Any:
    """What the module `program` prints, as JSON, when it is run with these arguments.

    Raises `subprocess.TimeoutExpired` where that takes longer, and `subprocess.CalledProcessError` where it ends in
    another way: killed by its own bounds, or a decoder has crashed.
    """
    # It needs nothing of ours: neither the secrets in the environment nor the sockets that are open.
    environment = {name: value for name in ("PATH", "PYTHONPYCACHEPREFIX") if (value := os.environ.get(name))}
    done = subprocess.run(
        (sys.executable, "-m", program, *map(str, arguments)),
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=limit_s,
        check=True,
    )
    return json.loads(done.stdout)


def keep_within(processor_s: int) -> None:
    """For such a program to call first: it gets `MEMORY_BYTES` and so much time of the processor, and then no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
