"""Names of processes in rows."""

from __future__ import annotations

import datetime
import socket
import subprocess

import pytest

from sessions_app.process_names import NAME_LENGTH, has_ended, own_name

NOW = datetime.datetime.now(tz=datetime.UTC)


@pytest.mark.parametrize("host", ["web-1", "h" * 200])
def test_a_process_is_known_by_its_name_however_long_that_of_its_machine_is(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert len(own_name()) <= NAME_LENGTH
    assert not has_ended(own_name(), NOW)


def test_a_process_of_this_machine_that_has_ended_is_known_to_have() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert has_ended(f"{own_name().rpartition(':')[0]}:{gone.pid}", NOW)


@pytest.mark.parametrize("name", ["", "nobody", "another-machine:1", f"{socket.gethostname()}:many"])
def test_nothing_is_said_of_processes_that_cannot_be_looked_at(name: str) -> None:
    assert not has_ended(name, NOW)
