"""Which port is taken."""

import socket
from collections.abc import Iterator

import pytest

from tools import ports
from tools.ports import choose_port
from tools.telling import Refusal


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_refused(taken_port: int) -> None:
    with pytest.raises(Refusal, match=f"Port {taken_port} is taken"):
        choose_port(taken_port, {})
    with pytest.raises(Refusal, match=f"Port {taken_port} is taken"):
        choose_port(None, {"PORT": str(taken_port)})


def test_the_next_free_port_is_taken_and_told_when_nobody_asked_for_one(
    taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ports, "DEFAULT_PORT", taken_port)
    assert choose_port(None, {}) > taken_port
    assert f"Port {taken_port} is taken" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["80x", "0", "70000", "-1"])
def test_a_port_variable_that_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="PORT is"):
        choose_port(None, {"PORT": text})
