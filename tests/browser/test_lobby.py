"""Before a conversation begins: how to begin it, and whether the microphone hears anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.peer import Peer
from tests.browser.test_accessibility import overflow_px


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


def test_a_starter_is_put_into_the_composer_and_sent_by_its_user_and_then_all_are_gone(page: Page) -> None:
    peer = Peer(page, "text")
    page.goto("/text/")
    starters = page.locator("[data-starter]")
    expect(starters).to_have_count(4)
    words = starters.last.inner_text()
    starters.last.click()
    composer = page.get_by_role("textbox", name="Message")
    expect(composer).to_have_value(words)
    expect(composer).to_be_focused()
    expect(starters.first).to_be_visible()
    composer.press("Enter")
    peer.wait_for(lambda: [message["text"] for message in peer.of("text")] == [words], "the message")
    expect(starters.first).to_be_hidden()


def test_what_one_could_say_stands_in_the_lobby_and_in_the_call_until_something_is_said(page: Page, peer: Peer) -> None:
    expect(page.locator(".lobby .sayings li")).to_have_count(4)
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    sayings = page.locator(".call .sayings")
    expect(sayings).to_be_visible()
    peer.turn(0, "user", "Hello")
    expect(page.get_by_text("Hello", exact=True)).to_be_visible()
    expect(sayings).to_be_hidden()


def test_the_lobby_leads_to_the_settings_and_fits_a_phone_with_large_letters(page: Page, peer: Peer) -> None:
    for width, height in ((360, 740), (740, 360)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow_px(page) <= 0
    page.get_by_role("link", name="Settings: Voice Kore").click()
    page.wait_for_url("**/settings/#talk")
