"""How much script a page brings: every module that it imports, compressed as it is served; worklets come on top."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"
PAGES = sorted((STATIC / "js" / "pages").glob("*_page.js"))
LIMIT_BYTES = 150_000
IMPORTED = re.compile(r"""^(?:import|export)(?:[^"'();]*\bfrom)?\s*["'](\.[^"']+)["']""", re.MULTILINE)


def modules_of(entry: Path) -> set[Path]:
    """A module and all that it imports, directly or not."""
    found, left = set[Path](), [entry]
    while left:
        module = left.pop().resolve()
        if module not in found:
            found.add(module)
            left += [module.parent / name for name in IMPORTED.findall(module.read_text(encoding="utf-8"))]
    return found


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_no_page_brings_more_than_150_kilobytes_of_scripts(page: Path) -> None:
    modules = modules_of(page)
    assert sum(len(gzip.compress(module.read_bytes())) for module in modules) < LIMIT_BYTES


def test_the_walk_finds_what_is_imported_by_what_is_imported() -> None:
    names = {module.name for module in modules_of(STATIC / "js" / "pages" / "call_page.js")}
    assert {"outbox.js", "purify.min.js"} <= names
