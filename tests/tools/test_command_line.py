"""What is said to `./run`, and how it answers."""

import importlib
from pathlib import Path

import pytest

from tests.config.commands import clean_environment, run_python
from tools.command_line import SUPPLY_CHAIN, from_directory, parse, supply_chain
from tools.serve import serve
from tools.telling import Refusal
from tools.worker import worker


def test_help_names_every_command() -> None:
    told = run_python("run", "--help", environment=clean_environment()).stdout
    for word in (
        "serve",
        "worker",
        "test",
        "bench",
        "screenshots",
        "picture",
        "engines",
        "manage",
        "backup",
        "restore",
        "doctor",
        "lock",
        "--no-browser",
        "--port",
        *SUPPLY_CHAIN,
    ):
        assert word in told


@pytest.mark.parametrize("name", SUPPLY_CHAIN)
def test_each_command_about_what_others_made_is_a_module(name: str) -> None:
    options = parse([name])
    assert options.command is supply_chain
    assert callable(importlib.import_module(f"tools.supply_chain.{options.module}").main)


@pytest.mark.parametrize("arguments", [["-k", "drain", "-x"], ["--", "-q"], ["tests/config"]])
def test_what_follows_test_is_handed_on_as_it_is(arguments: list[str]) -> None:
    assert parse(["test", *arguments]).arguments == arguments


def test_a_worker_needs_a_broker_and_hands_its_arguments_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert parse(["worker", "--concurrency", "8"]).arguments == ["--concurrency", "8"]
    monkeypatch.setenv("HOLDLINE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(Refusal, match="Without REDIS_URL"):
        worker(parse(["worker"]))


def test_a_backup_goes_where_it_was_asked_for(tmp_path: Path) -> None:
    """`./run` itself works in the checkout, wherever it is called from."""
    assert parse(["restore", "a.backup", "--replace"]).arguments == ["a.backup", "--replace"]
    assert from_directory(tmp_path, "a.backup") == str(tmp_path / "a.backup")
    assert from_directory(tmp_path, "/b.backup") == "/b.backup"
    assert from_directory(tmp_path, "-") == "-"


def test_without_a_command_it_serves() -> None:
    assert parse([]).command is serve
    assert parse(["--no-browser", "--port", "8100"]).port == 8100
    assert parse(["serve", "--port", "8100"]).port == 8100
