"""The demo log-in is made once and kept for its owner's eyes."""

import re
from pathlib import Path

from tools.demo import demo_password


def test_the_password_is_readable_and_stays_the_same(tmp_path: Path) -> None:
    environment = {"HOLDLINE_DATA_DIR": str(tmp_path)}
    password = demo_password(environment)
    assert re.fullmatch(r"[a-z]{5}(-[a-z]{5}){3}", password)
    assert demo_password(environment) == password
    assert (tmp_path / "demo_password").stat().st_mode & 0o777 == 0o600


def test_each_data_directory_has_a_password_of_its_own(tmp_path: Path) -> None:
    passwords = {demo_password({"HOLDLINE_DATA_DIR": str(tmp_path / name)}) for name in ("a", "b")}
    assert len(passwords) == 2
