"""Every word of a template can be said in another language, and every page turns round for one that is written so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import translation
from pytest_django import Settings

from config.error_pages import own_fault
from config.manifest import manifest
from config.translations.catalogues import PSEUDO_LANGUAGE
from sessions_app.numbers import in_digits
from tests.pages.history_rows import converse
from tests.pages.routes import path_of, routes
from tests.unmarked.templates import Unmarked, unmarked_in

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
WITHIN_A_TAG = {"settings/_described.html"}
"""Pieces that are attributes: what they hold are names."""

UNMARKED = [
    ("<p>Hang up</p>", "Hang up"),
    ('<p>{% include "icon.html" %}Hang up</p>', "Hang up"),
    ("<p>Of {{ name }}</p>", "Of …"),
    ('<button aria-label="Hang up"></button>', "Hang up"),
    ('<a title="Keys of {{ name }}"></a>', "Keys of …"),
    ('<input placeholder="A message">', "A message"),
    ('<img alt="{% if here %}A code{% endif %}">', "A code"),
    ('<input type="submit" value="Search">', "Search"),
    ('<meta name="description" content="A line">', "A line"),
    ('<meta property="og:title" content="A line">', "A line"),
    ("{% block title %}Call · Holdline{% endblock %}", "Call · Holdline"),
    ('{% include "part.html" with label="Captions" %}', "Captions"),
    ('{{ address|default:"None yet" }}', "None yet"),
    ("<p>{{ count }} {{ count|pluralize }}</p>", "count|pluralize"),
    ("<p>日本</p>", "日本"),
]

NO_WORDS = [
    '{% translate "Hang up" %}',
    "{% blocktranslate with name=user %}Of {{ name }}{% endblocktranslate %}",
    "{% blocktranslate count n=2 %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}",
    '<button aria-label="{% translate "Hang up" %}" class="button" value="close" data-hang-up></button>',
    '{% include "part.html" with label=_("Captions") place="lobby" %}',
    '{{ moment|date:"j M Y" }}',
    "{# Why it is so #}{% comment %}Why it is so{% endcomment %}<!-- Why it is so -->",
    "<script>const word = 1;</script><style>.word { color: red }</style>",
    "{% block main_class %}page page--narrow{% endblock %}",
    '<{{ heading }} class="title">{{ title }}</{{ heading }}>',
    "<p>Holdline, 100 % · {{ name }}</p>",
]


@pytest.mark.parametrize(("source", "words"), UNMARKED)
def test_words_that_are_not_marked_are_found(source: str, words: str) -> None:
    assert [found.words for found in unmarked_in(source)] == [words]


@pytest.mark.parametrize("source", NO_WORDS)
def test_nothing_else_is_taken_for_words(source: str) -> None:
    assert unmarked_in(source) == []


def test_words_that_are_not_marked_are_found_in_their_line() -> None:
    source = '{% load i18n %}\n<p>\n  {% translate "Call" %}\n</p>\n<p title="Keys">\n  Hang up\n</p>\n'
    assert unmarked_in(source) == [Unmarked(5, "Keys"), Unmarked(6, "Hang up")]


def test_every_word_of_every_template_is_marked_for_translation() -> None:
    files = [file for suffix in ("html", "txt") for file in TEMPLATES.rglob(f"*.{suffix}")]
    found = {str(file.relative_to(TEMPLATES)): unmarked_in(file.read_text()) for file in files}
    assert len(found) > 70
    assert {name: words for name, words in found.items() if words and name not in WITHIN_A_TAG} == {}


@pytest.fixture
def from_right_to_left(settings: Settings) -> dict[str, str]:
    """The headers of a browser whose user reads so."""
    settings.LANGUAGES = [*settings.LANGUAGES, (PSEUDO_LANGUAGE, "Pseudo-Arabic")]
    return {"Accept-Language": PSEUDO_LANGUAGE}


@pytest.mark.parametrize(("who", "at_least"), [("nobody", 5), ("alice", 15), ("sam", 40)])
def test_every_page_turns_round(
    client: Client, alice: User, sam: User, who: str, at_least: int, from_right_to_left: dict[str, str]
) -> None:
    """Pages of errors, too: many of these routes lead nowhere."""
    user = {"alice": alice, "sam": sam}.get(who)
    conversation = converse(user or alice, "How deep is it?", "Two metres.")
    pages = {}
    for route in routes():
        if user:
            client.force_login(user)  # some of the routes end a session
        answer = client.get(path_of(route, conversation), headers=from_right_to_left)
        is_page = answer.get("Content-Type", "").startswith("text/html") and not answer.streaming
        root = re.search(rb"<html[^>]*>", answer.content) if is_page else None
        if root:
            pages[route] = root[0].decode()
    assert len(pages) >= at_least
    turned = f'<html lang="{PSEUDO_LANGUAGE}" dir="rtl"'
    assert {route: root for route, root in pages.items() if not root.startswith(turned)} == {}


def test_the_page_of_a_fault_turns_round_also_where_nothing_else_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: object) -> None:
        raise ValueError

    monkeypatch.setattr("config.error_pages.server_error", fail)
    with translation.override(PSEUDO_LANGUAGE):
        page = own_fault(RequestFactory().get("/")).content.decode()
    assert f'<html lang="{PSEUDO_LANGUAGE}" dir="rtl">' in page


def test_an_installed_application_is_described_in_the_language_of_the_browser() -> None:
    with translation.override(PSEUDO_LANGUAGE):
        told = json.loads(manifest(RequestFactory().get("/manifest.webmanifest")).content)
    assert (told["lang"], told["dir"]) == (PSEUDO_LANGUAGE, "rtl")


@pytest.mark.parametrize(("language", "written"), [("en", "1,234,567"), ("de", "1.234.567")])
def test_large_numbers_are_written_as_the_language_does(language: str, written: str) -> None:
    with translation.override(language):
        assert in_digits(1_234_567) == written
