"""The version, the changelog and the licence agree with each other."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APACHE_2_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""Of the text as the Apache Software Foundation publishes it."""


@pytest.fixture
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(text_of("pyproject.toml"))["project"]
    return table


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_has_a_dated_section_in_the_changelog(project: dict[str, Any]) -> None:
    dated = re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d{2}-\d{2}$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert dated[:1] == [project["version"]]


def test_the_changelog_has_room_for_what_comes_next() -> None:
    headings = re.findall(r"^## (.*)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"


def test_the_licence_that_is_named_is_the_one_that_lies_there_whole(project: dict[str, Any]) -> None:
    assert project["license"] == "Apache-2.0"
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_SHA256
    assert [name for name in project["license-files"] if not (ROOT / name).is_file()] == []
    assert project["license-files"][0] == "LICENSE"


def test_the_notice_names_those_whom_the_project_names_as_its_authors(project: dict[str, Any]) -> None:
    (author,) = project["authors"]
    assert re.search(rf"^Copyright \d{{4}} {author['name']}$", text_of("NOTICE"), re.MULTILINE)
