"""Loudspeakers that nobody hears: without any, Firefox never says that sound can begin."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_S = 60


@contextmanager
def silent_loudspeakers(directory: Path) -> Iterator[str]:
    """A PulseAudio of our own that throws away what is played; the value of `PULSE_SERVER` for whoever plays."""
    directory.mkdir(parents=True)
    socket = directory / "loudspeakers"
    with (directory / "pulseaudio.log").open("wb") as log:
        server = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("-L", "module-null-sink"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
            ],
            env={"HOME": str(directory), "XDG_RUNTIME_DIR": str(directory), "PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not socket.exists() and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"unix:{socket}"
    finally:
        server.terminate()
        server.wait(10)
