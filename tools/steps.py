"""Steps of a check: commands that run one after the other or side by side, are timed, and end when they are told to."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType

from tools.environment import Environment
from tools.load import usable_cores
from tools.paths import BASE
from tools.telling import StopRequested, say

STOP_LIMIT_S = 20
KILLED = 137


@dataclass(frozen=True)
class Step:
    """A command and what it is called. Its output is shown as it comes, or only if it fails.

    The last line of a step that `sums_up` is shown beside its name, for it says how much could be checked.
    """

    name: str
    command: Sequence[str]
    environment: Environment
    aloud: bool = False
    sums_up: bool = False


class Steps:
    """Runs steps, and leaves no process behind when it is interrupted.

        with Steps() as steps:
            passed = steps.side_by_side([[format, lint], [types]])

    Within the context SIGINT, SIGTERM and SIGHUP raise `StopRequested` in the main thread, and a second one ends
    everything at once.
    """

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def __enter__(self) -> "Steps":
        self._handlers = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def side_by_side(self, lanes: Sequence[Sequence[Step]]) -> bool:
        """Run lanes side by side, and the steps of a lane one after the other; whether all went well.

        A step that fails does not keep the others from running. Lanes wait about as much as they work, so two cores
        take three of them; on a single core they run one after the other, for what tests time is real time.
        """
        at_once = 2 * usable_cores() - 1
        with ThreadPoolExecutor(min(len(lanes), at_once)) as threads:
            futures = [threads.submit(self._run_lane, lane) for lane in lanes]
            try:
                results = [future.result() for future in futures]
            except BaseException:
                self._stop()
                raise
            return all(results)

    def _run_lane(self, lane: Sequence[Step]) -> bool:
        results = [self._run(step) for step in lane]
        return all(results)

    def _run(self, step: Step) -> bool:
        if step.aloud:
            say(f"---- {step.name}")
        started = time.monotonic()
        with self._lock:
            if self._stopping:
                return False
            process = subprocess.Popen(
                step.command,
                cwd=BASE,
                env=step.environment,
                stdin=subprocess.DEVNULL,
                stdout=None if step.aloud else subprocess.PIPE,
                stderr=None if step.aloud else subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # so that all it has started can be stopped with it
            )
            self._running.add(process)
        output, _ = process.communicate()
        with self._lock:
            self._running.discard(process)
        if process.returncode and output:
            say(output.rstrip())
        verdict = "FAILED" if process.returncode else "ok"
        lines = output.splitlines() if step.sums_up and not process.returncode else []
        say(f"{verdict:>6}  {time.monotonic() - started:6.1f} s  {': '.join([step.name, *lines[-1:]])}")
        return process.returncode == 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            self._signal_all(signal.SIGKILL)
            os._exit(KILLED)
        self._stopping = True
        raise StopRequested

    def _stop(self) -> None:
        """Have every step end as with Ctrl-C, and insist after a while."""
        self._stopping = True
        say("\nStopping ... (once more ends it at once)")
        self._signal_all(signal.SIGINT)
        deadline = time.monotonic() + STOP_LIMIT_S
        while self._running and time.monotonic() < deadline:
            time.sleep(0.1)
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for process in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
