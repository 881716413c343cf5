"""Secrets that are made once and kept."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config.secrets_on_disk import read_or_create


def test_a_secret_is_made_once_and_read_after_that(tmp_path: Path) -> None:
    numbers = itertools.count()
    path = tmp_path / "below" / "secret"
    assert read_or_create(path, lambda: f"secret {next(numbers)}") == "secret 0"
    assert read_or_create(path, lambda: f"secret {next(numbers)}") == "secret 0"
    assert [file.name for file in path.parent.iterdir()] == ["secret"]


def test_a_secret_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    read_or_create(tmp_path / "secret", lambda: "x")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_those_who_come_at_the_same_time_agree(tmp_path: Path) -> None:
    numbers = itertools.count()
    with ThreadPoolExecutor(8) as pool:
        secrets = pool.map(lambda _: read_or_create(tmp_path / "s", lambda: str(next(numbers))), range(8))
        assert len(set(secrets)) == 1
