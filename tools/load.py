"""A machine with less to give: busy processes beside us, or one core for all."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from tools.children import die_with_parent
from tools.telling import say

BUSY_PER_CORE = 2


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Two processes for each core that do nothing but count."""
    cores = usable_cores()
    say(f"==== beside {cores * BUSY_PER_CORE} busy processes on {cores} cores")
    busy = [
        subprocess.Popen(
            [sys.executable, "-c", "while True: pass"], stdin=subprocess.DEVNULL, preexec_fn=die_with_parent
        )
        for _ in range(cores * BUSY_PER_CORE)
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
        for process in busy:
            process.wait()


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """This process and all that it starts, on a single core."""
    allowed = os.sched_getaffinity(0)
    say("==== on one core")
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
