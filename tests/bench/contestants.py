"""The processes that are compared: the web process on each server, and the bare relay, with callers for each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emulator.certificate import ensure_certificate
from tests.bench.measuring import EVERY_CORE, MAKE_CALLERS, memory_kb, put_on, running
from tests.services.processes import free_port
from tests.services.valkey import running_valkey
from tests.services.web import WebServer

NOBODY = "-"


@dataclass(frozen=True)
class Provider:
    """Where the provider of the benchmark listens, and the certificate that proves it."""

    host: str
    certificate: str
    pid: int


@dataclass(frozen=True)
class Counted:
    """What callers have counted: frames, chunks, and how long it took each time until a frame was answered."""

    sent: int
    heard: int
    took_ms: list[float]


@dataclass(frozen=True)
class Contestant:
    """A process under test. `cookies`: of as many callers as there may be. `before_kb`: its memory before any call,
    with everything loaded."""

    name: str
    pid: int
    url: str
    cookies: Sequence[str]
    before_kb: int = field(init=False)

    def __post_init__(self) -> None:
        with self.call(1) as caller:  # what is loaded once is not the cost of a call
            caller.hang_up()
        object.__setattr__(self, "before_kb", memory_kb(self.pid))

    @contextmanager
    def call(self, calls: int, cores: Iterable[int] = EVERY_CORE) -> Iterator[Callers]:
        """So many calls to it, all of which talk; their process runs on these cores."""
        callers = Callers(self.url, self.cookies[:calls])
        try:
            put_on(cores, callers.pid)
            callers.talk()
            yield callers
        finally:
            callers.end()


class Callers:
    """Calls in a process of their own."""

    def __init__(self, url: str, cookies: Sequence[str]) -> None:
        origin = url.replace("ws://", "http://").split("/ws/")[0].rstrip("/")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.callers", url, origin],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        print(*cookies, file=self._input, flush=True)

    def talk(self) -> None:
        """Wait until all of them do."""
        if self._output.readline().strip() != "READY":
            raise RuntimeError("not every caller could talk")

    def hang_up(self) -> Counted:
        self._input.close()
        return Counted(**json.loads(self._output.readline()))

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def provider(kind: str, directory: Path) -> Iterator[Provider]:
    certificate = ensure_certificate(directory, "127.0.0.1")
    port = free_port()
    paths = (str(certificate), str(certificate.with_name("key.pem")))
    with running("provider", str(port), *paths, kind, port=port, directory=directory) as program:
        yield Provider(f"127.0.0.1:{port}", paths[0], program.pid)


@contextmanager
def bare_relay(to: Provider, directory: Path, calls: int) -> Iterator[Contestant]:
    port = free_port()
    arguments = (str(port), f"wss://{to.host}/", to.certificate)
    with running("relay", *arguments, port=port, directory=directory) as relay:
        yield Contestant("bare relay", relay.pid, f"ws://127.0.0.1:{port}/", [NOBODY] * calls)


@contextmanager
def relay_on(kind: str, to: Provider, directory: Path, calls: int) -> Iterator[Contestant]:
    """The bare relay as an application of a server: what the server costs alone."""
    environment = {"RELAY_PROVIDER_URL": f"wss://{to.host}/", "SSL_CERT_FILE": to.certificate, "DATABASE_URL": ""}
    server = WebServer(directory / f"relay-{kind}", environment, kind, "tests.bench.relay_application:application")
    try:
        yield Contestant(f"bare relay on {kind}", server.pid, f"ws://{server.host}/", [NOBODY] * calls)
    finally:
        server.stop()


@contextmanager
def web(kind: str, to: Provider, directory: Path, calls: int) -> Iterator[Contestant]:
    """The web process as in production, where others write the summaries; on SQLite."""
    with running_valkey() as broker:
        environment = {
            "GOOGLE_GEMINI_BASE_URL": f"https://{to.host}",
            "SSL_CERT_FILE": to.certificate,
            "GEMINI_API_KEY": "bench",
            "REDIS_URL": broker,
            "LOG_LEVEL": "WARNING",
        }
        server = WebServer(directory / kind, environment, kind)
        try:
            cookies = server.shell(MAKE_CALLERS.format(calls=calls)).split()
            yield Contestant(f"Holdline on {kind}", server.pid, f"ws://{server.host}/ws/call/", cookies)
        finally:
            server.stop()
