"""What containers and units ask the web process of their machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config import healthcheck
from tests.services.processes import free_port


class Web(BaseHTTPRequestHandler):
    """Alive for those who ask for the right host, as Django is."""

    def do_GET(self) -> None:
        is_known = self.path == "/healthz" and self.headers["Host"] == "talk.example.org"
        self.send_response(200 if is_known else 400)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("hosts", "host"),
    [("", "localhost"), ("a.example", "a.example"), (" .b.example , a.example", "b.example"), ("[::1]", "[::1]")],
)
def test_it_asks_for_a_host_that_is_allowed(hosts: str, host: str) -> None:
    assert healthcheck.allowed_host(hosts) == host


def test_a_process_that_answers_is_well(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "talk.example.org,other.example.org")
    assert healthcheck.main([str(port)]) == 0


def test_a_refusal_is_told(port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("ALLOWED_HOSTS")
    assert healthcheck.main([str(port), "0"]) == 1
    assert capsys.readouterr().err == f"The web process on port {port} is not well: it answers 400.\n"


def test_where_nobody_listens_it_asks_until_the_time_is_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_s = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr(healthcheck.time, "monotonic", lambda: now_s)
    monkeypatch.setattr(healthcheck.time, "sleep", sleep)
    assert healthcheck.main([str(free_port()), "60"]) == 1
    assert 60 <= now_s < 61
    assert "refused" in capsys.readouterr().err
