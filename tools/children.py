"""Programs that a command starts, watches and stops."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from tools.environment import Environment, data_directory
from tools.paths import BASE
from tools.telling import Refusal

LAST_LINES = 30


class Child:
    """A long-running program whose output goes to a file in var/log."""

    def __init__(self, name: str, command: Sequence[str], environment: Environment, stop_limit_s: float) -> None:
        self.name = name
        self._stop_limit_s = stop_limit_s
        self.log = data_directory(environment) / "log" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=BASE,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, so that they stop in order
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )
        self._read_bytes = 0

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def new_errors(self) -> list[str]:
        """Lines of its log since the last call that report an error."""
        with self.log.open("rb") as log:
            log.seek(self._read_bytes)
            whole_lines = log.read().rpartition(b"\n")[0]
        if whole_lines:
            self._read_bytes += len(whole_lines) + 1
        lines = whole_lines.decode("utf-8", errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or " CRITICAL " in line]

    def wait_until(self, condition: Callable[[], bool], limit_s: float) -> None:
        """Wait for `condition`; raises `Refusal` with the last lines of the log if it dies or takes too long."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if not self.running:
                raise self.refusal(f"The {self.name} process stopped while it was starting")
            if time.monotonic() > deadline:
                raise self.refusal(f"The {self.name} process was not ready within {limit_s:.0f} s")
            time.sleep(0.05)

    def refusal(self, sentence: str) -> Refusal:
        """The sentence, with the last lines of the log."""
        lines = "\n".join(f"  {line}" for line in self.lines()[-LAST_LINES:])
        return Refusal(f"{sentence}. The last lines of {self.log}:\n{lines}")

    def stop(self) -> None:
        """Ask it to end, wait, insist."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(self._stop_limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it at once. Does not wait, so that a signal handler may call it while `stop` waits."""
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)


def die_with_parent() -> None:
    """Have the kernel send SIGTERM when this script dies without having had a chance to stop its children."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
