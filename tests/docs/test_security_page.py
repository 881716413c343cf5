"""The page on security speaks of settings, files and a version that there are."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`]+)`", PAGE)


def test_the_version_that_gets_fixes_is_the_present_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    series = project["version"].rpartition(".")[0]
    assert f"| {series}.x, and the main branch | yes |" in PAGE


def test_every_file_it_points_to_exists() -> None:
    files = [name for name in QUOTED if re.fullmatch(r"[\w./]+/[\w.]+\.(py|js|md)", name)]
    assert len(files) > 10
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_every_setting_it_names_can_be_set() -> None:
    settings = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = {re.sub(r"=.*|\*$", "", name) for name in QUOTED if re.fullmatch(r"[A-Z]+_[A-Z_]*\*?(=\w+)?", name)}
    assert len(names) > 5
    assert [name for name in sorted(names) if not re.search(rf"^#{name}", settings, re.MULTILINE)] == []
