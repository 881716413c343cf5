"""A conversation of the history is read as in the chat, and without a script as it comes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import DESK, PHONE, overflow_px, violations
from tests.services.web import WebServer

CODE = "Look, **here**:\n\n```python\ndef tide():\n    return 'high'\n```\n"

TELL = """
from datetime import timedelta
from django.contrib.auth.models import User
from sessions_app.models import Turn
from tests.pages.history_rows import converse
talk = converse(User.objects.get(username="alice"), "When is high tide?", "At nine.", "When is it in Husum?", {code!r})
turns = list(talk.turns.order_by("number"))
first, answer, second, last = turns
Turn.objects.filter(pk__in=[first.pk, answer.pk]).update(withdrawn=True)
Turn.objects.filter(pk=second.pk).update(replaces=first.number, at=second.at + timedelta(days=1))
Turn.objects.filter(pk=last.pk).update(at=last.at + timedelta(days=1))
print(talk.pk)
"""


@pytest.fixture
def talk(web: WebServer) -> str:
    return web.shell(TELL.format(code=CODE)).strip()


@pytest.fixture
def open_page(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    def open_page(path: str, size: dict[str, int] = DESK, theme: str = "light") -> Page:
        page = sign_in(open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce"), "alice")
        page.goto(path)
        return page

    return open_page


def test_markdown_and_code_stand_as_in_the_chat(open_page: Callable[..., Page], talk: str) -> None:
    page = open_page(f"/history/{talk}/")
    answer = page.locator(".turn[data-role=model]").last
    expect(answer.locator("strong")).to_have_text("here")
    expect(answer.locator("figcaption")).to_contain_text("python")
    expect(answer.locator(".hljs-keyword").first).to_have_text("def")


def test_each_message_is_copied_as_it_was_said(open_page: Callable[..., Page], talk: str) -> None:
    page = open_page(f"/history/{talk}/")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.locator(".turn[data-role=model]").last.get_by_role("button", name="Copy message").click()
    page.wait_for_function("() => window.copied !== undefined")
    assert page.evaluate("window.copied") == CODE


def test_days_are_told_apart(open_page: Callable[..., Page], talk: str) -> None:
    page = open_page(f"/history/{talk}/")
    expect(page.locator("[data-log] > .day")).to_have_count(2)


def test_an_earlier_version_is_folded_and_opens_where_words_of_it_are_found(
    open_page: Callable[..., Page], talk: str
) -> None:
    page = open_page(f"/history/{talk}/")
    earlier = page.get_by_text("At nine.")
    expect(earlier).to_be_hidden()
    page.get_by_role("button", name="Find in this conversation").click()
    page.get_by_role("searchbox").fill("at nine")
    expect(earlier).to_be_visible()
    assert violations(page) == []


def test_what_a_search_has_found_is_marked_in_what_is_set_in_markdown(
    open_page: Callable[..., Page], talk: str
) -> None:
    page = open_page(f"/history/{talk}/?q=here")
    expect(page.locator(".turn strong mark")).to_have_text("here")


def test_without_a_script_it_is_read_as_it_comes(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page], talk: str
) -> None:
    page = sign_in(open_context(web, java_script_enabled=False), "alice")
    page.goto(f"/history/{talk}/")
    expect(page.get_by_text("def tide()")).to_be_visible()
    expect(page.get_by_role("button", name="Find in this conversation")).to_have_count(0)
    page.get_by_text("Earlier version").click()
    expect(page.get_by_text("At nine.")).to_be_visible()


def test_filters_are_folded_on_a_phone_unless_one_is_set(open_page: Callable[..., Page], talk: str) -> None:
    page = open_page("/history/", PHONE)
    expect(page.get_by_label("Kind")).to_be_hidden()
    page.get_by_text("Filter", exact=True).click()
    expect(page.get_by_label("Kind")).to_be_visible()
    page.goto("/history/?mode=call&since=2020-01-01")
    expect(page.get_by_text("Filter: 2 set")).to_be_visible()
    expect(page.get_by_label("Kind")).to_be_visible()
    assert overflow_px(page) == 0


def test_on_a_wide_screen_nothing_is_folded(open_page: Callable[..., Page], talk: str) -> None:
    page = open_page("/history/", PHONE)
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    expect(page.get_by_label("Kind")).to_be_visible()
    expect(page.get_by_text("Filter", exact=True)).to_be_hidden()


@pytest.mark.parametrize("path", ["/history/", "/history/?q=sunday&since=2026-12-24&until=2026-01-01"])
def test_the_list_stands_within_a_phone_with_letters_twice_as_large(
    open_page: Callable[..., Page], talk: str, path: str
) -> None:
    page = open_page(path, PHONE)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) == 0
    search = page.get_by_role("searchbox").bounding_box()
    assert search
    assert search["width"] > 200


def test_a_conversation_stands_within_a_phone_with_letters_twice_as_large(
    open_page: Callable[..., Page], talk: str
) -> None:
    page = open_page(f"/history/{talk}/", {"width": 360, "height": 740})
    expect(page.get_by_role("button", name="Find in this conversation")).to_be_visible()
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) == 0
