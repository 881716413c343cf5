"""Settings in a browser: saved, refused, undone, and what comes of them on other pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import DESK, in_each_theme_and_size, overflow_px, violations
from tests.services.web import WebServer


@pytest.fixture
def open_settings(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Iterator[Callable[..., Page]]:
    """The page of Bob's settings, which are the defaults again when the test is over."""
    opened: list[Page] = []

    def open_one(size: dict[str, int] = DESK, theme: str = "light", *, script: bool = True) -> Page:
        context = open_context(web, color_scheme=theme, viewport=size, java_script_enabled=script)
        opened.append(sign_in(context, "bob"))
        opened[-1].goto("/settings/")
        return opened[-1]

    yield open_one
    page = opened[-1]
    page.goto("/settings/")
    back = page.get_by_role("button", name="Back to the defaults")
    if back.count():
        back.click()
        expect(page.get_by_role("status").first).to_contain_text("Back to the defaults.")


def test_settings_are_saved_refused_at_their_field_and_undone(open_settings: Callable[..., Page]) -> None:
    page = open_settings()
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_hidden()
    page.get_by_role("radio", name="Dark").check()
    expect(save).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(save).to_be_hidden()

    page.get_by_role("radio", name="Dark").check()
    page.get_by_label("How should it talk?").fill("Like a pirate.")
    silence = page.get_by_label("Silence before it answers")
    silence.fill("soon")
    save.click()
    expect(silence).to_be_focused()
    expect(silence).to_have_value("soon")
    expect(silence).to_have_accessible_description(
        "From 100 to 3,000. A second is 1,000. This is a whole number from 100 to 3,000."
    )
    expect(page.get_by_label("How should it talk?")).to_have_value("Like a pirate.")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")

    silence.fill("800")
    save.click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    expect(save).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_css("color-scheme", "dark")

    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Undone.")
    expect(page.get_by_label("How should it talk?")).to_have_value("")
    expect(page.locator("html")).to_have_css("color-scheme", "light dark")


def test_calls_and_chats_begin_as_it_was_chosen_until_a_browser_departs_from_it(
    open_settings: Callable[..., Page],
) -> None:
    page = open_settings()
    page.get_by_role("switch", name="Push to talk").check()
    page.get_by_role("switch", name="Captions in calls").uncheck()
    page.get_by_role("switch", name="Answers aloud in text chats").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    page.goto("/call/")
    expect(page.locator("html")).to_have_attribute("data-captions", "off")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-mic", "muted")
    page.get_by_role("button", name="Captions").click()
    page.get_by_role("button", name="Hang up").click()
    page.goto("/text/")
    expect(page.get_by_role("switch", name="Aloud")).not_to_be_checked()
    page.goto("/call/")
    expect(page.locator("html")).to_have_attribute("data-captions", "on")


def test_a_voice_can_be_listened_to_before_it_is_chosen(open_settings: Callable[..., Page]) -> None:
    page = open_settings()
    page.get_by_label("Voice", exact=True).select_option("Puck")
    listen = page.get_by_role("button", name="Listen to the voice")
    said = page.locator("[data-listen-said]")
    sound = page.locator("[data-listen-sound]")
    sound.evaluate("(audio) => { audio.loop = true; }")  # it goes on until it is stopped
    listen.focus()
    page.keyboard.press("Enter")
    expect(said).to_have_text("This is Puck.")
    assert sound.evaluate("(audio) => !audio.paused && audio.duration > 1")
    page.get_by_label("Voice", exact=True).select_option("Zephyr")
    assert sound.evaluate("(audio) => audio.paused")
    expect(said).to_have_text("")

    page.route("**/settings/voices/**", lambda route: route.fulfill(status=503, json={"error": "Not now."}))
    listen.click()
    expect(said).to_have_text("Not now.")
    page.unroute("**/settings/voices/**")
    page.get_by_label("Voice", exact=True).select_option("Puck")
    listen.click()
    expect(said).to_have_text("This is Puck.")
    page.get_by_role("button", name="Stop the voice").click()
    assert sound.evaluate("(audio) => audio.paused")
    expect(listen).to_be_focused()

    listen.click()
    expect(said).to_have_text("This is Puck.")
    sound.evaluate("(audio) => { audio.loop = false; audio.currentTime = audio.duration; }")
    expect(said).to_have_text("")
    expect(listen).to_be_visible()


def test_without_a_script_everything_can_be_saved_and_undone(open_settings: Callable[..., Page]) -> None:
    page = open_settings(script=False)
    expect(page.get_by_text("Listen", exact=True)).to_be_hidden()
    page.get_by_role("radio", name="Light").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("Undone.")).to_be_visible()


@in_each_theme_and_size
def test_the_settings_can_be_used_by_everybody(
    open_settings: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_settings(size, theme)
    assert violations(page) == []
    assert overflow_px(page) <= 0
    page.get_by_label("Shorten at").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Shorten at")).to_be_focused()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.set_viewport_size({"width": 360, "height": 780})
    assert overflow_px(page) <= 0


def test_colours_are_changed_at_the_foot_of_a_page_and_kept_without_a_flash(
    web: WebServer, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(web, color_scheme="light").new_page()
    page.goto("/")
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    bars = """[...document.querySelectorAll("meta[name=theme-color]")]
        .filter((bar) => matchMedia(bar.media).matches).map((bar) => bar.content)"""
    assert page.evaluate(bars) == ["#f3f5f4"]
    page.get_by_role("radio", name="System").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    assert (page.evaluate(scheme), page.evaluate(bars)) == ("dark", ["#10191b"])
    with page.expect_response("/accounts/login/") as sent:
        page.get_by_role("link", name="Log in").first.click()
    assert 'data-theme="dark"' in sent.value.text()
    page.wait_for_url("**/accounts/login/")
    assert (page.evaluate(scheme), page.evaluate(bars)) == ("dark", ["#10191b"])
    page.get_by_role("radio", name="System").check()
    assert (page.evaluate(scheme), page.evaluate(bars)) == ("light dark", ["#f3f5f4"])
    assert [cookie for cookie in page.context.cookies() if cookie.get("name") == "theme"] == []
