"""Starting a program, waiting until it is ready, and stopping it."""

import asyncio
import fcntl
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.prepared import PreparedProcess

HANGS_AFTER_S = 180
"""What has neither come up nor ended after so long hangs. Beside the other lanes of the gate, on a slow machine, what
takes 4 s by itself was seen to take 60."""

STOP_LIMIT_S = 120
PATIENCE_S = 120
ANSWERS_WITHIN_S = 60
"""What a program that is up has not answered after so long it does not answer."""

SYSTEM_FOLDERS = "/usr/sbin:/sbin"
"""Where the tools of an administrator are (`useradd` among them), which not every PATH names."""


_PORTS = range(20_000, 32_000)
"""Below those that the system gives to whoever connects or asks for any: it would give one that a server is about to
take, or to take again."""

_HELD: set[int] = set()
"""Each with a lock until this process ends."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses at the moment, that no other process of tests is given
    meanwhile, and that was not given before: cookies are kept by the address of a server, and those of an earlier one
    would be shown to another."""
    folder = Path(tempfile.gettempdir()) / f"holdline-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port in _HELD:
            continue
        lock = os.open(folder / str(port), os.O_CREAT | os.O_WRONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _HELD.add(port)
        return port


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something holds that happens in another process or on the other side of a socket."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.02)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until `condition` holds; TimeoutError naming `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


@contextmanager
def system_tools_on_path() -> Iterator[None]:
    """The tools of an administrator are found by programs that are started within."""
    path = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{path}:{SYSTEM_FOLDERS}"
    try:
        yield
    finally:
        os.environ["PATH"] = path


def has_ended(pid: int) -> bool:
    """Whether a process, not necessarily a child of ours, has gone or waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that are there now; Linux only."""
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return [child for child in found if _parent_of(child) == pid]


def _parent_of(pid: int) -> int:
    """0 when it has gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Program:
    """A process whose output goes to a file, from a command."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, directory: Path | None = None
    ) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | PreparedProcess
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """As the function of this name; gives up at once, with its output, when the program has died."""

        def holds() -> bool:
            if not self.running:
                raise RuntimeError(f"died before {what}:\n{self.output()}")
            return condition()

        try:
            wait_until(holds, seconds, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}:\n{self.output()}") from None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = STOP_LIMIT_S) -> int:
        """Its exit code, negative for a signal."""
        return self._process.wait(seconds)

    def stop(self) -> int:
        """Ask it to end (SIGTERM), insist after a while (SIGKILL); its exit code."""
        if self.running:
            self.send(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self.wait()


class PreparedProgram(Program):
    """A process whose output goes to a file, from a Python module with its arguments, without the time for imports."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path, directory: Path
    ) -> None:
        self.log = log
        log.touch()
        self._process = PreparedProcess(module, arguments, environment, directory, log)
