"""How much script a page brings: the modules it imports and the words of its language, compressed as they are served.

Worklets come on top, and what is loaded once it is needed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from config.translations.languages import version
from sessions_app.user_settings.terms import PAGE_LANGUAGES

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


@pytest.fixture(params=PAGE_LANGUAGES)
def words_bytes(request: pytest.FixtureRequest, client: Client) -> int:
    """What the words of a language weigh; English pages load none."""
    if request.param == "en":
        return 0
    answer = client.get(reverse("words", args=(request.param, version())), headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    return len(answer.content)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_no_page_brings_more_than_150_kilobytes_of_scripts(page: Path, words_bytes: int) -> None:
    modules = modules_of(page)
    assert words_bytes + sum(len(gzip.compress(module.read_bytes())) for module in modules) < LIMIT_BYTES


def test_the_walk_finds_what_is_imported_by_what_is_imported() -> None:
    names = {module.name for module in modules_of(STATIC / "js" / "pages" / "call_page.js")}
    assert {"outbox.js", "purify.min.js"} <= names
