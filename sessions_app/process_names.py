"""How a process names itself in rows that others read, and whether the process of such a name has ended."""

from __future__ import annotations

import datetime
import os
import socket
from pathlib import Path

NAME_LENGTH = 100

_START_OF_PROCESS_FIELD = 19
"""In /proc/PID/stat, counted after the name of the program: clock ticks from the start of the machine."""


def own_name() -> str:
    """`host:pid`, at most `NAME_LENGTH` characters: the end of it where the host has a longer name."""
    return f"{socket.gethostname()}:{os.getpid()}"[-NAME_LENGTH:]


def has_ended(name: str, since: datetime.datetime) -> bool:
    """Whether the process of this name, which was there at `since`, has ended. Of other machines nothing is known."""
    host, _, pid = name.rpartition(":")
    if host != own_name().rpartition(":")[0] or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    started = _started_at(int(pid))
    # The number of a process is used again, in a container even at every start.
    return started is not None and started > since


def _started_at(pid: int) -> datetime.datetime | None:
    """When a process began, where the system tells (Linux)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/stat").read_text(encoding="ascii")
        ticks = int(stat.rpartition(")")[2].split()[_START_OF_PROCESS_FIELD])
        booted_at = next(int(line.split()[1]) for line in boot.splitlines() if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    seconds = booted_at + ticks / os.sysconf("SC_CLK_TCK")
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
