"""The environment of a laptop, and the file it may come from."""

from pathlib import Path

import pytest

from tools import environment
from tools.environment import env_file, laptop_environment
from tools.telling import Refusal


def test_an_env_file_holds_names_and_values(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# comment\n\nDEBUG=1\nexport A = b=c \nQUOTED='two words'\nEMPTY=\n")
    assert env_file(file) == {"DEBUG": "1", "A": "b=c", "QUOTED": "two words", "EMPTY": ""}
    assert env_file(tmp_path / "missing") == {}


def test_a_line_of_an_env_file_that_means_nothing_is_refused_with_its_number(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEBUG=1\nwhat is this\n")
    with pytest.raises(Refusal, match=r"Line 2 of \.env"):
        env_file(tmp_path / ".env")


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"HOLDLINE_DATA_DIR={tmp_path}\nLOG_FORMAT=json\nLOG_LEVEL=DEBUG\n")
    monkeypatch.setattr(environment, "BASE", tmp_path)
    monkeypatch.delenv("HOLDLINE_DATA_DIR")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    laptop = laptop_environment()
    assert laptop["LOG_FORMAT"] == "json"
    assert laptop["LOG_LEVEL"] == "ERROR"


def test_the_mail_of_a_laptop_goes_to_its_log_unless_there_is_a_mail_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOLDLINE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("EMAIL_URL", raising=False)
    assert laptop_environment()["EMAIL_URL"] == "console:"
    monkeypatch.setenv("EMAIL_URL", "smtps://mail.example")
    assert laptop_environment()["EMAIL_URL"] == "smtps://mail.example"
