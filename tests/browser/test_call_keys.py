"""The keys of a call: which do something where, and which ask first."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.modules import run
from tests.browser.peer import Peer

IN_CALL: dict[str, Any] = {"inCall": True, "isOn": True, "askedAtMs": None}


NEVER_AFTER = """(never) => {
    const later = setTimeout;
    window.setTimeout = (run, ms) => later(run, ms === never ? 600_000 : ms);
}"""
"""However slowly keys are pressed here, what the page does after so many milliseconds does not come between."""


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


def mic(page: Page) -> str | None:
    return page.locator("html").get_attribute("data-mic")


@pytest.mark.parametrize(
    ("key", "pressed", "page", "wish"),
    [
        ("m", {}, {}, "mute"),
        ("M", {}, {}, "mute"),
        ("m", {"isTyping": True}, {}, None),
        ("m", {"isModified": True}, {}, None),
        ("m", {"isRepeat": True}, {}, None),
        ("m", {}, {"inCall": False}, None),
        ("m", {}, {"isOn": False}, None),
        ("h", {}, {}, "ask"),
        ("h", {}, {"askedAtMs": 8000}, "hang-up"),
        ("h", {}, {"askedAtMs": 1000}, "ask"),
        ("h", {"isRepeat": True}, {"askedAtMs": 8000}, None),
        ("?", {}, {}, "help"),
        ("?", {}, {"inCall": False}, "help"),
        ("?", {}, {"isOn": False}, None),
        ("x", {}, {"askedAtMs": 8000}, None),
    ],
)
def test_each_key_has_its_wish(
    modules: Page, key: str, pressed: dict[str, bool], page: dict[str, Any], wish: str | None
) -> None:
    event = {"key": key, "isTyping": False, "isModified": False, "isRepeat": False, **pressed}
    body = "return m.keyWish(argument[0], argument[1], 10000);"
    assert run(modules, "session/call_keys.js", body, [event, {**IN_CALL, **page}]) == wish


@pytest.mark.parametrize(
    ("html", "after_ms"),
    [
        ("<p>", 0),
        ("<a href='#'>", 0),
        ("<input type=range>", 0),
        ("<button data-mute>", 0),
        ("<button>", 300),
        ("<summary>", 300),
        ("<input type=checkbox>", 300),
        ("<textarea>", None),
        ("<input type=text>", None),
        ("<input>", None),
        ("<select>", None),
        ("<p contenteditable>", None),
    ],
)
def test_the_space_bar_talks_everywhere_but_where_it_writes(modules: Page, html: str, after_ms: int | None) -> None:
    body = """
        document.body.innerHTML = argument;
        return m.talkAfterMs(document.body.firstElementChild);
    """
    assert run(modules, "session/call_keys.js", body, html) == after_ms


@pytest.mark.parametrize("name", ["Unmute", "Captions"])
def test_holding_the_space_bar_on_a_button_talks_and_leaves_the_button_as_it_was(
    page: Page, call: Peer, name: str
) -> None:
    page.get_by_role("button", name="Mute").click()
    button = page.get_by_role("button", name=name)
    pressed = button.get_attribute("aria-pressed")
    button.focus()
    page.keyboard.down("Space")
    expect(page.locator("html")).to_have_attribute("data-mic", "held")
    page.wait_for_timeout(400)  # how long it is held is what tells it from a press
    page.keyboard.up("Space")
    call.wait_for(lambda: call.of("audio", "mic")[-1] == {"type": "mic", "on": False}, "the mute again")
    assert mic(page) == "muted"
    expect(button).to_have_attribute("aria-pressed", pressed or "")


def test_a_short_press_of_the_space_bar_presses_what_has_the_focus(page: Page, call: Peer) -> None:
    page.evaluate(NEVER_AFTER, 300)
    page.get_by_role("button", name="Mute").press("Space")
    expect(page.locator("html")).to_have_attribute("data-mic", "muted")
    page.get_by_role("button", name="Unmute").press("Space")
    expect(page.locator("html")).to_have_attribute("data-mic", "on")


def test_a_single_key_hangs_up_only_when_it_is_pressed_again(page: Page, call: Peer) -> None:
    page.evaluate(NEVER_AFTER, 3000)
    page.keyboard.press("h")
    expect(page.get_by_role("status").filter(has_text="Press H again to hang up.")).to_be_attached()
    expect(page.locator("[data-hang-up-word]")).to_have_text("H again")
    page.keyboard.press("m")
    expect(page.locator("[data-hang-up-word]")).to_have_text("Hang up")
    page.keyboard.press("h")
    expect(page.locator("[data-hang-up-word]")).to_have_text("H again")
    assert not call.of("hangup")
    page.keyboard.type("hh")
    expect(page.get_by_role("heading", name="Call ended")).to_be_visible()


def test_the_keys_are_shown_and_can_be_switched_off_for_good(page: Page, call: Peer) -> None:
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("hold Space")
    dialog.get_by_text("Single keys").click()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    for key in ("m", "h", "h", "?"):
        page.keyboard.press(key)
    assert mic(page) == "on"
    assert page.locator("html").get_attribute("data-stage") == "call"
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-mute]")).not_to_have_attribute("aria-keyshortcuts", "m")
    page.reload()
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    page.keyboard.press("m")
    assert mic(page) == "on"
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_text("Single keys").click()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("m")
    expect(page.locator("html")).to_have_attribute("data-mic", "muted")
