"""Stopping a server sends its pages away first. Real servers, real sockets, real signals."""

import asyncio
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.config.commands import ROOT, SECRET_KEY, clean_environment
from tests.services.processes import ANSWERS_WITHIN_S, HANGS_AFTER_S, PreparedProgram, Program, free_port
from tests.services.web import SERVERS

RESTARTING = 4012
IN_THE_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Starts a command as a script does that puts it into the background: SIGINT is ignored."""
EXIT_CODES = {"daphne": 0, "uvicorn": -signal.SIGTERM}
"""uvicorn ends by the signal that stopped it, as a program without a handler would."""
PATIENT_S = 600
"""A drain that does not end by itself while a test looks on."""


class Site:
    """A running server with the site of `drain_site.py`."""

    def __init__(self, server: str, directory: Path, *, limit_s: float = PATIENT_S, before: Sequence[str] = ()) -> None:
        self.port = free_port()
        module, *options = SERVERS[server]
        arguments = [*options, str(self.port), "tests.config.drain_site:application"]
        log = directory / "server.log"
        environment = clean_environment(
            SECRET_KEY=SECRET_KEY, HOLDLINE_DATA_DIR=str(directory), DRAIN_SITE_LIMIT_S=str(limit_s)
        )
        self.program: Program
        if before:
            self.program = Program([*before, sys.executable, "-m", module, *arguments], environment, log, ROOT)
        else:
            self.program = PreparedProgram(module, arguments, environment, log, ROOT)
        self.program.wait_until(self._answers, HANGS_AFTER_S, "an answer")

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    async def open(self, kind: str = "page") -> ClientConnection:
        """A socket that has been answered once."""
        socket = await connect(
            f"ws://127.0.0.1:{self.port}/ws/{kind}/", open_timeout=ANSWERS_WITHIN_S, ping_interval=None
        )
        await socket.send("hello")
        assert await socket.recv() == "hello"
        return socket


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def start_site(server: str, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def start(**options: Any) -> Site:
        sites.append(Site(server, tmp_path, **options))
        return sites[-1]

    yield start
    for site in sites:
        site.program.stop()


@pytest.fixture
def site(start_site: Callable[..., Site]) -> Site:
    return start_site()


async def close_code(socket: ClientConnection) -> int | None:
    """The code the server closed with, None if the connection was cut."""
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(socket.recv(), ANSWERS_WITHIN_S)
    await socket.wait_closed()
    return closed.value.rcvd.code if closed.value.rcvd else None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_pages_are_sent_away_with_4012_before_the_server_stops(
    site: Site, server: str, number: signal.Signals
) -> None:
    sockets = [await site.open() for _ in range(3)]
    site.program.send(number)
    assert [await close_code(socket) for socket in sockets] == [RESTARTING] * 3
    code = await asyncio.to_thread(site.program.wait)
    assert code in (EXIT_CODES[server], 0, -number)
    assert "Traceback" not in site.program.output()


async def test_a_socket_that_the_drain_does_not_know_does_not_crash_the_server(site: Site, server: str) -> None:
    """Daphne on CPython 3.11.7 would end with a segmentation fault."""
    known, stray = await site.open(), await site.open("stray")
    site.program.send(signal.SIGTERM)
    assert await close_code(known) == RESTARTING
    assert await close_code(stray) != RESTARTING
    assert await asyncio.to_thread(site.program.wait) == EXIT_CODES[server]


async def test_a_page_that_does_not_leave_is_not_waited_for_without_end(
    start_site: Callable[..., Site], server: str
) -> None:
    site = start_site(limit_s=1)
    stuck, page = await site.open("stuck"), await site.open()
    site.program.send(signal.SIGTERM)
    assert await close_code(page) == RESTARTING
    assert await close_code(stuck) != RESTARTING
    assert await asyncio.to_thread(site.program.wait) == EXIT_CODES[server]
    assert "not everybody left in time" in site.program.output()


async def test_a_second_signal_goes_straight_to_the_server(site: Site, server: str) -> None:
    await site.open("stuck")
    page = await site.open()
    site.program.send(signal.SIGTERM)
    assert await close_code(page) == RESTARTING  # so the drain is under way
    site.program.send(signal.SIGTERM)
    assert await asyncio.to_thread(site.program.wait) == EXIT_CODES[server]
    assert "not everybody left in time" not in site.program.output()


@pytest.mark.parametrize("server", ["daphne"], indirect=True)
async def test_a_signal_that_the_server_ignores_sends_nobody_away(start_site: Callable[..., Site], server: str) -> None:
    """Daphne would stay after such a SIGINT, without its pages, and send away whoever comes. uvicorn ignores none."""
    site = start_site(before=IN_THE_BACKGROUND)
    page = await site.open()
    site.program.send(signal.SIGINT)
    await page.send("still there?")
    assert await page.recv() == "still there?"
    site.program.send(signal.SIGTERM)
    assert await close_code(page) == RESTARTING
    assert await asyncio.to_thread(site.program.wait) == EXIT_CODES[server]
    assert site.program.output().count("draining") == 1
