"""The client of `docs/examples`, as somebody runs it who has an account here and no key of the provider."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S, PATIENCE_S, wait_until
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop

SCRIPT = Path(__file__).resolve().parent.parent.parent / "docs" / "examples" / "own_client.py"

MAKE_KEY = """
from django.contrib.auth.models import User
from sessions_app.accounts import access_keys
print(access_keys.make(User.objects.get(username="alice"), "own client").value)
"""
WHO_HAD_ONE = """
from sessions_app.models import EphemeralToken
print(*EphemeralToken.objects.order_by("made_at").values_list("access_key__name", "user__username"))
"""


class OwnClient:
    """The program, its keyboard and what it has written."""

    def __init__(self, web: WebServer, emulator: Emulator, key: str) -> None:
        environment = {name: emulator.environment[name] for name in ("GOOGLE_GEMINI_BASE_URL", "SSL_CERT_FILE")}
        self._program = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env={"PATH": os.environ["PATH"], **environment, "HOLDLINE_URL": web.url, "HOLDLINE_ACCESS_KEY": key},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.written = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._program.stdout
        while text := self._program.stdout.read(1):
            self.written += text

    def type(self, line: str) -> None:
        assert self._program.stdin
        self._program.stdin.write(f"{line}\n")
        self._program.stdin.flush()

    def ask(self, line: str, words: str) -> None:
        """Type something, and wait until these words are in what comes of it."""
        before = len(self.written)
        self.type(line)
        wait_until(lambda: words in self.written[before:], HANGS_AFTER_S, f"{words!r} in {self.written!r}")

    def leave(self) -> int:
        """Ctrl-D; its exit code."""
        assert self._program.stdin
        self._program.stdin.close()
        return self.wait()

    def wait(self) -> int:
        code = self._program.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for pipe in (self._program.stdin, self._program.stdout):
            assert pipe
            pipe.close()
        return code

    def stop(self) -> None:
        self._program.kill()
        self.wait()


@pytest.fixture
def web(start_web: Callable[..., WebServer]) -> WebServer:
    return start_web(EPHEMERAL_TOKENS="1", LOG_LEVEL="DEBUG")


@pytest.fixture
def start(web: WebServer, emulator: Emulator) -> Iterator[Callable[[str], OwnClient]]:
    """Start the client with a key."""
    clients: list[OwnClient] = []

    def start_one(key: str) -> OwnClient:
        clients.append(OwnClient(web, emulator, key))
        return clients[-1]

    yield start_one
    for client in clients:
        client.stop()


def resumed(emulator: Emulator) -> list[bool]:
    return [entry["resumed"] for entry in emulator.entries("opened")]


def test_it_keeps_its_conversation_through_a_go_away_and_a_cut(
    web: WebServer, emulator: Emulator, start: Callable[[str], OwnClient]
) -> None:
    key = web.shell(MAKE_KEY).strip()
    client = start(key)
    client.ask("My code word is PLUM-42.", "PLUM-42")
    emulator.fault("go_away", time_left="10s")
    wait_until(lambda: resumed(emulator) == [False, True], PATIENCE_S, "a connection that resumes the session")
    client.ask("What is my code word?", "PLUM-42")
    wait_until(lambda: len(emulator.connections()) == 1, PATIENCE_S, "the old connection to be closed")
    emulator.fault("cut")
    client.ask("And what is my code word now?", "PLUM-42")
    assert resumed(emulator) == [False, True, True]
    assert client.leave() == 0, client.written
    wait_until(lambda: not emulator.connections(), PATIENCE_S, "the last connection to be closed")
    assert [entry["by"] for entry in emulator.entries("closed")] == ["client", "cut", "client"]
    assert web.shell(WHO_HAD_ONE).strip() == " ".join(["('own client', 'alice')"] * 3)
    assert "made an ephemeral token" in web.log()
    assert key not in web.log()
    assert "auth_tokens/" not in web.log()


def test_without_a_key_that_counts_it_says_what_holdline_says(
    web: WebServer, start: Callable[[str], OwnClient]
) -> None:
    client = start("hl_nonsense")
    assert client.wait() == 1
    assert "Holdline gives no token: This access key lets nobody in." in client.written
