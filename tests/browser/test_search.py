"""Searching the history in a browser: each hit leads to its turn, for everybody."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import DESK, PHONE, overflow_px, violations
from tests.browser.test_history import TOO_SMALL
from tests.services.web import WebServer

CONVERSE = """
from django.contrib.auth.models import User
from tests.pages.history_rows import converse
said = [f"Turn {{number}}. We talk about many things, and then about more of them." for number in range(120)]
said[3] = "The first word of {word} comes early. Then other things."
said[90] = "Later somebody says that the {word} was seen in the 测试 of the Hôtel. Nobody knows why."
for number in (100, 101, 104):
    said[number] = "And {word} again."
alice = User.objects.get(username="alice")
print(converse(alice, *said, title="A long talk about {word}").pk)
"""


@pytest.fixture
def open_page(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    def open_page(size: dict[str, int], theme: str = "light") -> Page:
        return sign_in(open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce"), "alice")

    return open_page


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", DESK)], ids=["dark-phone", "light-desk"])
def test_a_hit_is_reached_from_the_keyboard_and_shown_where_it_was_said(
    web: WebServer, open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    word = f"zeppelin{uuid.uuid4().hex[:6]}"
    id = web.shell(CONVERSE.format(word=word)).strip()
    page = open_page(size, theme)
    page.goto(f"/history/?q={word.upper()}+hotel")
    assert violations(page) == []
    assert overflow_px(page) == 0
    assert page.evaluate(TOO_SMALL) == []
    hit = page.get_by_role("link", name="Later somebody says")
    expect(hit.locator("mark")).to_have_text([word, "Hôtel"])
    expect(page.get_by_text("and in 2 more turns")).to_be_visible()
    hit.press("Enter")
    page.wait_for_url(f"**/history/{id}/?q=*#turn-90")
    turn = page.locator("#turn-90")
    expect(turn).to_be_focused()
    expect(turn).to_be_in_viewport(ratio=1)
    expect(turn.locator("mark")).to_have_text([word, "Hôtel"])
    assert violations(page) == []
    assert overflow_px(page) == 0
    page.get_by_role("link", name="Results").press("Enter")
    expect(page.get_by_label("Search", exact=True)).to_have_value(f"{word.upper()} hotel")
