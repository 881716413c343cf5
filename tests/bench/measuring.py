"""What the benchmarks share: many accounts at once, programs of this package, and what a process uses."""

from __future__ import annotations

import os
import resource
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.processes import Program

EVERY_CORE = frozenset(os.sched_getaffinity(0))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

MAKE_CALLERS = """
from django.contrib.auth import get_user_model
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
for number in range({calls}):
    user = get_user_model().objects.create(username=f"caller-{{number}}")
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    print("sessionid=" + store.session_key)
"""


def cpu_s(pid: int) -> float:
    """Processor time that a process has used so far, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def put_on(cores: Iterable[int], pid: int) -> None:
    """Let all threads of a process run on these cores alone."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def memory_kb(pid: int) -> int:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and the longest."""
    ordered = sorted(values) or [float("nan")]
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99) - (len(ordered) > 1)], ordered[-1]


@contextmanager
def running(name: str, *arguments: str, port: int, directory: Path) -> Iterator[Program]:
    """A program of this package, until it listens on its port."""
    program = Program([sys.executable, "-m", f"tests.bench.{name}", *arguments], os.environ, directory / f"{name}.log")
    try:
        program.wait_until(lambda: listens(port), 20, name)
        yield program
    finally:
        program.stop()


def listens(port: int) -> bool:
    """Whether somebody listens, without connecting."""
    wanted = f":{port:04X} "
    return any(wanted in line and " 0A " in line for line in Path("/proc/net/tcp").read_text().splitlines())
