"""Known vulnerabilities of what is pinned: found, passed over for a time, and never made up when nobody answers."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.services.processes import ANSWERS_WITHIN_S, free_port
from tools.supply_chain.audit import ACCEPTED, LONGEST_ACCEPTED, Accepted, accepted, audit

VULNERABILITY = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "Reads what it should not",
    "affected": [{"package": {"name": "attrs", "ecosystem": "PyPI"}, "versions": ["26.1.0"]}],
}


class Database(ThreadingHTTPServer):
    """The part of OSV's interface that uv asks: in `attrs` it knows of something; `answers` off, it is out of order."""

    answers = True
    asked: list[str]


class Answer(BaseHTTPRequestHandler):
    server: Database

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        self.server.asked += [f"{query['package']['name']} {query['version']}" for query in queries]
        found = {"vulns": [{name: VULNERABILITY[name] for name in ("id", "modified")}]}
        self._tell({"results": [found if query["package"]["name"] == "attrs" else {} for query in queries]})

    def do_GET(self) -> None:
        """Uv also asks its index about each project; the answer makes no sense to it, and it goes on."""
        self._tell(VULNERABILITY)

    def _tell(self, words: Any) -> None:
        self.send_response(200 if self.server.answers else 503)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(words).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    server = Database(("127.0.0.1", 0), Answer)
    monkeypatch.setattr("tools.supply_chain.audit.PATIENCE_S", ANSWERS_WITHIN_S)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/")
    server.asked = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    """A list with a version for each of two systems, and one package with something wrong."""
    file = tmp_path / "list.txt"
    file.write_text(
        "amqp==5.4.2 \\\n    --hash=sha256:00\nattrs==26.1.0 \\\n    --hash=sha256:01\n"
        "tzdata==2026.6 ; sys_platform == 'win32' \\\n    --hash=sha256:02\n"
        "tzdata==2026.5 ; sys_platform != 'win32' \\\n    --hash=sha256:03\n"
    )
    return file


def at(database: Database) -> tuple[str, str]:
    return "--service-url", f"http://127.0.0.1:{database.server_port}/"


def test_what_is_known_of_a_pinned_version_is_told(database: Database, pinned: Path) -> None:
    went_well, words = audit([pinned], [], *at(database))
    assert not went_well
    assert "attrs 26.1.0" in words
    assert "GHSA-aaaa-bbbb-cccc" in words
    assert sorted(database.asked) == ["amqp 5.4.2", "attrs 26.1.0", "tzdata 2026.5", "tzdata 2026.6"]


def test_what_is_accepted_is_passed_over(database: Database, pinned: Path) -> None:
    went_well, words = audit([pinned], ["GHSA-aaaa-bbbb-cccc"], *at(database))
    assert went_well, words
    assert "no known vulnerabilities" in words


@pytest.mark.parametrize("answers", [True, False], ids=["nobody is there", "it is out of order"])
def test_without_an_answer_nothing_fails_and_that_is_said(database: Database, pinned: Path, answers: bool) -> None:
    database.answers = False
    address = ("--service-url", f"http://127.0.0.1:{free_port()}/") if answers else at(database)
    went_well, words = audit([pinned], [], *address)
    assert went_well, words
    assert words.startswith("4 packages were not looked up, the database was not reached (")


def test_a_tool_that_does_not_understand_what_it_is_asked_fails(database: Database, pinned: Path) -> None:
    """Or nothing would be looked up any more, and nobody would notice."""
    went_well, words = audit([pinned], [], "--no-such-option", *at(database))
    assert not went_well
    assert "--no-such-option" in words


def test_what_is_accepted_has_a_reason_and_a_day(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text('[[accepted]]\nid = "GHSA-x"\nuntil = 2026-12-31\nreason = "Only on Windows."\n')
    assert accepted(file) == [Accepted("GHSA-x", datetime.date(2026, 12, 31), "Only on Windows.")]
    file.write_text('[[accepted]]\nid = "GHSA-x"\nuntil = 2026-12-31\nreason = " "\n')
    with pytest.raises(ValueError, match="without a reason"):
        accepted(file)
    file.write_text('[[accepted]]\nid = "GHSA-x"\nreason = "Only on Windows."\n')
    with pytest.raises(TypeError):
        accepted(file)


def test_nothing_is_accepted_for_long() -> None:
    today = datetime.datetime.now(tz=datetime.UTC).date()
    assert [entry.id for entry in accepted(ACCEPTED) if entry.until - today > LONGEST_ACCEPTED] == []
