"""The parts of `./run` that can be tried without installing anything."""

import importlib.util
import socket
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests.config.commands import ROOT, clean_environment, run_python


@pytest.fixture(scope="module")
def run() -> ModuleType:
    loader = SourceFileLoader("run", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    writing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = writing
    return module


def test_help_names_every_command() -> None:
    told = run_python("run", "--help", environment=clean_environment()).stdout
    for word in ("serve", "worker", "test", "bench", "manage", "lock", "--no-browser", "--port"):
        assert word in told


@pytest.mark.parametrize("arguments", [["-k", "drain", "-x"], ["--", "-q"], ["tests/config"]])
def test_what_follows_test_is_handed_on_as_it_is(run: ModuleType, arguments: list[str]) -> None:
    assert run.parse(["test", *arguments]).arguments == arguments


def test_a_worker_needs_a_broker_and_hands_its_arguments_on(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run.parse(["worker", "--concurrency", "8"]).arguments == ["--concurrency", "8"]
    monkeypatch.setenv("HOLDLINE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(run.Refusal, match="Without REDIS_URL"):
        run.worker(run.parse(["worker"]))


def test_without_a_command_it_serves(run: ModuleType) -> None:
    assert run.parse([]).command is run.serve
    assert run.parse(["--no-browser", "--port", "8100"]).port == 8100
    assert run.parse(["serve", "--port", "8100"]).port == 8100


def test_an_env_file_holds_names_and_values(run: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# comment\n\nDEBUG=1\nexport A = b=c \nQUOTED='two words'\nEMPTY=\n")
    assert run.env_file(file) == {"DEBUG": "1", "A": "b=c", "QUOTED": "two words", "EMPTY": ""}
    assert run.env_file(tmp_path / "missing") == {}


def test_a_line_of_an_env_file_that_means_nothing_is_refused_with_its_number(run: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEBUG=1\nwhat is this\n")
    with pytest.raises(run.Refusal, match=r"Line 2 of \.env"):
        run.env_file(tmp_path / ".env")


def test_the_environment_wins_over_the_env_file(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"HOLDLINE_DATA_DIR={tmp_path}\nLOG_FORMAT=json\nLOG_LEVEL=DEBUG\n")
    monkeypatch.setattr(run, "BASE", tmp_path)
    monkeypatch.delenv("HOLDLINE_DATA_DIR")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    environment = run.laptop_environment()
    assert environment["LOG_FORMAT"] == "json"
    assert environment["LOG_LEVEL"] == "ERROR"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_refused(run: ModuleType, taken_port: int) -> None:
    with pytest.raises(run.Refusal, match=f"Port {taken_port} is taken"):
        run.choose_port(taken_port, {})
    with pytest.raises(run.Refusal, match=f"Port {taken_port} is taken"):
        run.choose_port(None, {"PORT": str(taken_port)})


def test_the_next_free_port_is_taken_and_told_when_nobody_asked_for_one(
    run: ModuleType, taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "DEFAULT_PORT", taken_port)
    assert run.choose_port(None, {}) > taken_port
    assert f"Port {taken_port} is taken" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["80x", "0", "70000", "-1"])
def test_a_port_variable_that_is_no_port_is_refused(run: ModuleType, text: str) -> None:
    with pytest.raises(run.Refusal, match="PORT is"):
        run.choose_port(None, {"PORT": text})


@pytest.mark.parametrize(
    ("environment", "control_page", "expected"),
    [
        ({}, "http://x", "emulator, SQLite, in-memory layer, background work in process"),
        (
            {"DATABASE_URL": "postgresql://h/n", "REDIS_URL": "redis://h"},
            "",
            "real Gemini API, PostgreSQL, Redis, background work by Celery workers",
        ),
    ],
)
def test_the_mode_is_told_in_words(
    run: ModuleType, environment: dict[str, str], control_page: str, expected: str
) -> None:
    assert run.mode(environment, control_page) == expected


def test_tests_are_counted_over_all_reports(run: ModuleType, tmp_path: Path) -> None:
    for name, numbers in (
        ("a", 'tests="5" failures="1" errors="1" skipped="1"'),
        ("b", 'tests="3" failures="0" errors="0" skipped="0"'),
    ):
        (tmp_path / f"{name}.xml").write_text(f"<testsuites><testsuite {numbers}/></testsuites>")
    assert run.count(tmp_path) == (5, 2, 1)


PIP_CONFIGURATION = """\
:env:.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'
global.extra-index-url='https://overruled.example/simple'
global.index-url='https://packages.example/simple'
install.find-links='/wheels /more-wheels'
"""


def test_uv_fetches_from_where_pip_is_configured_to(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    environment = run.uv_environment(run.parse_pip_configuration(PIP_CONFIGURATION))
    assert environment["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert environment["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert environment["UV_FIND_LINKS"] == "/wheels,/more-wheels"


def test_what_uv_itself_is_told_wins(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    environment = run.uv_environment(run.parse_pip_configuration(PIP_CONFIGURATION))
    assert environment["UV_DEFAULT_INDEX"] == "https://own.example/simple"
