"""The commands of the deployment files, as they stand there, bring a production server up on PostgreSQL and Valkey."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.config.commands import KEPT, SECRET_KEY
from tests.deployment.files import COMMON, Command, compose, dockerfile, seconds, started_by, unit, units
from tests.scenarios.page import Page
from tests.services.cast import PASSWORD
from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S, Program, eventually, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(sys.executable).parent


class Machine:
    """A machine on which Holdline is installed, with the environment that an operator gives it."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self._directory = directory
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        own = {"PATH": f"{PROGRAMS}:{os.defpath}", "HOSTNAME": socket.gethostname(), "PYTHONUNBUFFERED": "1"}
        self.environment = {**kept, **own, **variables}
        self.running: list[Program] = []

    def start(self, name: str, command: Command) -> Program:
        program = Program(_found(command), self.environment, self._directory / f"{name}.log", ROOT)
        self.running.append(program)
        return program

    def run(self, command: Command, **variables: str) -> str:
        """Run a command to its end, which must be a good one; its output."""
        environment = {**self.environment, **variables}
        done = subprocess.run(
            _found(command),
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=HANGS_AFTER_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@dataclass
class Site:
    """One of the web processes."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def _found(command: Command) -> list[str]:
    program = PROGRAMS / command[0]
    return [str(program) if program.exists() else command[0], *command[1:]]


def command_of(unit_name: str, setting: str = "ExecStart", instance: str = "") -> Command:
    (command,) = started_by(units()[f"holdline-{unit_name}.service"], setting)
    return tuple(word.replace("%i", instance) for word in command)


def build_of_image(data: Path) -> Command:
    """What the image is built with, of Holdline itself: it knows no variables."""
    steps = [text for step, text in dockerfile() if step == "RUN" and ("manage.py" in text or "compileall" in text)]
    assert len(steps) == 2
    return ("env", "-i", f"PATH={PROGRAMS}", f"HOLDLINE_DATA_DIR={data}", "/bin/sh", "-c", " && ".join(steps))


def _files_below(directory: Path) -> dict[str, int]:
    """Names with the times of the last change."""
    return {str(path): path.stat().st_mtime_ns for path in directory.rglob("*")}


def _has_started(web: Program) -> bool:
    return "startup complete" in web.output()


def _summary_of_the_only_conversation(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT summary FROM summarization_callhistory WHERE state = 'ready'").fetchone()
    return "" if row is None else str(row[0])


@contextmanager
def services() -> Iterator[dict[str, str]]:
    """A PostgreSQL and a Valkey of another process; the variables that name them."""
    command = [sys.executable, "-m", "tests.services", "sh", "-c", "echo $DATABASE_URL; echo $REDIS_URL; cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield {name: process.stdout.readline().strip() for name in ("DATABASE_URL", "REDIS_URL")}
        process.stdin.close()  # which ends `cat`, and then both


@pytest.fixture
def machine(emulator: Emulator, tmp_path: Path) -> Iterator[Machine]:
    with services() as urls:
        chosen = {"SECRET_KEY": SECRET_KEY, "ALLOWED_HOSTS": "127.0.0.1", "HOLDLINE_DATA_DIR": str(tmp_path / "data")}
        machine = Machine(tmp_path, {**chosen, **urls, **emulator.environment})
        yield machine
        for program in machine.running:
            program.stop()


async def test_the_units_bring_a_server_up_whose_processes_can_be_restarted_one_after_the_other(
    machine: Machine, tmp_path: Path
) -> None:
    image = machine.start("image", build_of_image(tmp_path / "image"))
    for command in started_by(units()["holdline-release.service"]):
        machine.run(command)
    machine.run(
        ("python", "manage.py", "createsuperuser", "--no-input", "--username", "sam", "--email", "sam@example.org"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    assert image.wait(HANGS_AFTER_S) == 0, image.output()
    written = _files_below(tmp_path / "data")

    sites = [Site(free_port()), Site(free_port())]
    webs = [machine.start(f"web-{site.port}", command_of("web@", instance=str(site.port))) for site in sites]
    worker = machine.start("worker", command_of("worker"))
    beat = machine.start("beat", command_of("beat"))
    for site, web in zip(sites, webs, strict=True):
        # The unit has a minute for it, which a machine that is busy with others may exceed.
        web.wait_until(partial(_has_started, web), HANGS_AFTER_S, "the web process")
        machine.run(command_of("web@", "ExecStartPost", str(site.port)))

    page = Page(sites[0], "text", "sam", password=PASSWORD)
    await page.connect()
    await page.start()
    await page.say("My code word is PLUM-42.")
    assert "PLUM-42" in await page.reply()

    webs[0].send(signal.SIGTERM)
    assert await page.wait_closed() == 4012
    page.web = sites[1]
    await page.connect()
    assert (await page.start())["action"] == "resumed"
    await page.say("What is my code word?")
    assert "PLUM-42" in await page.reply()
    await page.hang_up()
    database_url = machine.environment["DATABASE_URL"]
    await eventually(lambda: "PLUM-42" in _summary_of_the_only_conversation(database_url))

    beat.wait_until(lambda: "beat: Starting" in beat.output(), HANGS_AFTER_S, "the beat")
    ping = compose()["worker"]["healthcheck"]["test"]
    assert ping[0] == "CMD-SHELL"
    well = machine.run(("python", "manage.py", "doctor", "--url", sites[1].url))
    assert "failed" not in well
    assert "take from all queues" in well
    assert "1 node online" in machine.run(("sh", "-c", ping[1].replace("$$", "$")))

    for program in (webs[1], worker, beat):
        program.send(signal.SIGTERM)
    limit_s = seconds(unit(COMMON)["TimeoutStopSec"][0])
    ends = [program.wait(limit_s) for program in (*webs, worker, beat)]
    assert ends == [-15, -15, 0, 0], "uvicorn ends by the signal, as a program without a handler would"
    assert _files_below(tmp_path / "data") == written, "what runs writes nothing: it may be mounted read-only"
    assert not list(ROOT.glob("celerybeat*"))
    for program in machine.running:
        assert "Traceback" not in program.output()
