"""From a copy of the checkout to an answer, with an empty home and nothing on the PATH: what a new user does first.

Tools that happen to be on the machine of whoever tests hide what is missing elsewhere, so none of them can be found.
"""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.first_start.interpreters import HERE, interpreters
from tests.scenarios.page import Page
from tests.services.processes import Program, free_port
from tools.paths import BASE, VENV

pytestmark = pytest.mark.timeout(900)

KEPT = re.compile(r"(PIP_|UV_|SSL_).*|(HTTPS?|ALL|NO)_PROXY|REQUESTS_CA_BUNDLE|LANG|TMPDIR", re.IGNORECASE)
"""What may be needed to get through to the packages, and cannot hide a tool."""

NOT_COPIED = (".git", ".venv", "var", "__pycache__", ".hypothesis", "*_cache", ".env")
START_LIMIT_S = 600
WAYS = [(version, "pip") for version in sorted(interpreters())] + [(HERE, "uv")]


@dataclass
class Started:
    """A Holdline that has been started by its first command."""

    program: Program
    url: str
    host: str
    password: str


class Newcomer:
    """A checkout, an interpreter of a version, an empty home, and a PATH with `tools` alone."""

    def __init__(self, directory: Path, home: Path, version: str, tools: tuple[Path, ...]) -> None:
        self.version = version
        self.checkout = directory / "holdline"
        shutil.copytree(BASE, self.checkout, ignore=shutil.ignore_patterns(*NOT_COPIED))
        path = directory / "bin"
        path.mkdir()
        for tool in tools:
            (path / tool.name).symlink_to(tool)
        kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
        self._environment = kept | {"HOME": str(home), "PATH": str(path), "PYTHONUNBUFFERED": "1"}
        self._interpreter = str(interpreters()[version])
        self._directory = directory
        self.programs: list[Program] = []

    def start(self) -> Started:
        """`./run --no-browser`, until it tells where it is."""
        log = self._directory / f"run-{len(self.programs)}.log"
        port = free_port()
        command = [self._interpreter, "run", "--no-browser", "--port", str(port)]
        program = Program(command, self._environment, log, self.checkout)
        self.programs.append(program)
        program.wait_until(lambda: "Ctrl-C stops it." in program.output(), START_LIMIT_S, "the address")
        password = re.search(r"Demo log-in: demo / (\S+)", program.output())
        assert password is not None
        return Started(program, f"http://127.0.0.1:{port}", f"127.0.0.1:{port}", password[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty at first. It is shared so that what one has fetched, the next one need not."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(params=WAYS, ids="-".join)
def newcomer(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[Newcomer]:
    version, installer = request.param
    tools = (VENV / "bin" / "uv",) if installer == "uv" else ()
    newcomer = Newcomer(tmp_path, home, version, tools)
    yield newcomer
    for program in newcomer.programs:
        program.stop()
    shutil.rmtree(tmp_path, ignore_errors=True)  # hundreds of megabytes


async def test_the_first_command_installs_starts_and_answers(newcomer: Newcomer) -> None:
    first = newcomer.start()
    async with Page(first, "text", user="demo", password=first.password) as page:
        await page.start()
        await page.say("my code word is PLUM-42")
        assert "PLUM-42" in await page.reply()
    first.program.send(signal.SIGTERM)
    assert first.program.wait() == 0, first.program.output()
    assert "Traceback" not in first.program.output()
    if newcomer.version != HERE:  # nothing that a second start does depends on the version
        return

    again = newcomer.start()
    assert "Installing" not in again.program.output()
    assert again.password == first.password
    again.program.send(signal.SIGINT)
    assert again.program.wait() == 0
