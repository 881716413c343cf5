"""`python -m tests.bench.takeover [--rounds 3]`: how soon somebody goes on with what a killed process had in hand.

With the settings of production: Celery's workers on Valkey, and a web process without a broker. The model does not
answer until the process that asked it is dead, so that each dies in the middle of its work.
`python -m tests.services python -m tests.bench.takeover` does it on PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import django
from django.core.management import call_command

from tests.bench.measuring import spread
from tests.services.cast import create_account
from tests.services.emulator import Emulator
from tests.services.processes import Program, children_of, wait_until
from tests.services.settings import use_settings_of_tests
from tests.services.valkey import running_valkey

ROOT = Path(__file__).resolve().parent.parent.parent
WITHIN_S = 60.0
GIVE_UP_S = 120.0
PHASE_S = 15.0
"""Workers are killed at whatever moment of a beat's round."""

WORKER = ("-m", "celery", "--app", "config", "worker", "--beat", "--without-gossip", "--without-mingle")
WEB = ("-m", "tests.summarization.background_process")

Kill = Callable[["Bench"], None]


class Bench:
    """Processes on one database, and the one summary that they are at."""

    def __init__(self, directory: Path, emulator: Emulator, redis_url: str, program: Sequence[str]) -> None:
        self.emulator = emulator
        self._directory = directory
        self._program = program
        self._environment = {**os.environ, **emulator.environment, "REDIS_URL": redis_url}
        self._environment["HOLDLINE_DATA_DIR"] = str(directory)
        self.programs: list[Program] = []

    def start(self) -> Program:
        log = self._directory / f"{len(self.programs)}.log"
        self.programs.append(Program([sys.executable, *self._program], self._environment, log, ROOT))
        return self.programs[-1]

    def stop(self) -> None:
        for program in self.programs:
            program.stop()

    def holder(self) -> int:
        """The process that is at the summary; 0 for none."""
        from summarization.models import CallHistory

        return int(CallHistory.objects.get().claimed_by.rpartition(":")[2] or 0)

    def ask_for_a_summary(self) -> None:
        from django.contrib.auth.models import User

        from sessions_app.models import Conversation
        from summarization import services
        from tests.summarization.talk import past_call, turns

        Conversation.objects.all().delete()
        self.emulator.reset()
        self.emulator.fault("bad_text", answer="hang")
        services.write_call_history(past_call(User.objects.get(username="alice"), turns(40)).id)

    def is_asked(self) -> bool:
        return bool(self.emulator.entries("text_generated"))

    def is_ready(self) -> bool:
        from summarization.models import CallHistory

        return CallHistory.objects.get().state == "ready"


def kill_worker(bench: Bench) -> None:
    """All processes of the worker that is at it, as when its machine is gone; another one goes on."""
    (program,) = (each for each in bench.programs if bench.holder() in children_of(each.pid))
    kill_all(program)
    bench.programs.remove(program)


def kill_worker_and_start_it(bench: Bench) -> None:
    """The only worker, which its supervisor starts again at once."""
    (program,) = bench.programs
    kill_all(program)
    bench.programs.remove(program)
    bench.start()


def kill_process_of_worker(bench: Bench) -> None:
    """One process of the only worker, as when memory is short."""
    os.kill(bench.holder(), signal.SIGKILL)


def kill_all(program: Program) -> None:
    """A program and the processes that it has made, all at the same moment."""
    for pid in (program.pid, *children_of(program.pid)):
        os.kill(pid, signal.SIGKILL)
    program.wait()


KILLS: list[tuple[str, bool, int, Kill]] = [
    ("a worker, beside another one", True, 2, kill_worker),
    ("the only worker, started again", True, 1, kill_worker_and_start_it),
    ("a process of the only worker", True, 1, kill_process_of_worker),
    ("the web process without a broker, started again", False, 1, kill_worker_and_start_it),
]
"""What is killed, whether there is a broker, how many processes run, and how."""


def take_over(bench: Bench, count: int, kill: Kill) -> tuple[float, float]:
    """Seconds from the kill until somebody else is at it, and until the summary is there; with so many programs."""
    bench.ask_for_a_summary()
    while len(bench.programs) < count:
        bench.start()
    wait_until(bench.is_asked, GIVE_UP_S, "the first call of the model")
    time.sleep(random.uniform(0, PHASE_S))
    dead = bench.holder()
    killed_at = time.monotonic()
    kill(bench)
    bench.emulator.disarm()
    wait_until(lambda: bench.holder() not in (0, dead) or bench.is_ready(), GIVE_UP_S, "somebody else")
    taken_s = time.monotonic() - killed_at
    wait_until(bench.is_ready, GIVE_UP_S, "the summary")
    return taken_s, time.monotonic() - killed_at


@contextmanager
def running(directory: Path, emulator: Emulator, has_broker: bool) -> Iterator[Bench]:
    """To start workers with a broker, or web processes without one."""
    directory.mkdir()
    with running_valkey() if has_broker else nullcontext("") as redis_url:
        bench = Bench(directory, emulator, redis_url, WORKER if has_broker else WEB)
        try:
            yield bench
        finally:
            bench.stop()


def prepare_database(directory: Path) -> None:
    """The one that `DATABASE_URL` names, or a file, for this process and those that it starts."""
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{directory / 'bench.sqlite3'}")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    use_settings_of_tests()
    django.setup()
    call_command("migrate", verbosity=0)
    create_account("alice")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    slowest_s = 0.0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        prepare_database(directory)
        emulator = Emulator(directory / "emulator")
        print("| killed | taken over after, s | at most | summary there after, at most |")
        print("| --- | ---: | ---: | ---: |", flush=True)
        for number, (what, has_broker, count, kill) in enumerate(KILLS):
            with running(directory / str(number), emulator, has_broker) as bench:
                times = [take_over(bench, count, kill) for _ in range(rounds)]
            taken, ready = zip(*times, strict=True)
            middle_s, _, longest_s = spread(taken)
            print(f"| {what} | {middle_s:.1f} | {longest_s:.1f} | {max(ready):.1f} |", flush=True)
            slowest_s = max(slowest_s, longest_s)
        emulator.stop()
    if slowest_s > WITHIN_S:
        raise SystemExit("what somebody had in hand lay for more than a minute")


if __name__ == "__main__":
    main()
