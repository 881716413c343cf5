"""What can be done with the messages of a conversation, and what they say of themselves. The server is the test."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.modules import run
from tests.browser.peer import Peer
from tests.browser.test_accessibility import violations

QUESTION = "Why are there two tides a day?"
ANSWER = "The Moon stretches the sea."


def line(number: int, role: str, text: str, at: str = "2026-03-02T10:15:00+00:00") -> dict[str, Any]:
    return {"turn": number, "role": role, "text": text, "status": "complete", "at": at}


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


def opened(page: Page, *lines: dict[str, Any]) -> Peer:
    """A text chat in which that was said."""
    peer = Peer(page, "text", action="resumed", transcript=list(lines))
    page.goto("/text/")
    expect(page.locator(".turn")).to_have_count(len(lines))
    return peer


def message(page: Page, number: int) -> Locator:
    return page.locator(f"[data-turn='{number}']")


def test_each_message_can_be_copied_as_it_was_written_also_ones_own(page: Page) -> None:
    opened(page, line(1, "user", QUESTION), line(2, "model", "**Bold** words"))
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    for number, written in ((1, QUESTION), (2, "**Bold** words")):
        button = message(page, number).get_by_role("button", name="Copy message")
        button.click()
        expect(message(page, number).get_by_text("Copied")).to_be_visible()
        assert page.evaluate("window.copied") == written


def test_a_quote_stands_in_the_composer_and_what_is_written_below_it_is_sent_with_it(page: Page) -> None:
    peer = opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    box = page.get_by_role("textbox", name="Message")
    box.fill("Wait.")
    message(page, 2).get_by_role("button", name="Quote message").click()
    expect(box).to_have_value(f"Wait.\n\n> {ANSWER}\n\n")
    expect(box).to_be_focused()
    page.keyboard.type("How far?")
    page.keyboard.press("Enter")
    peer.wait_for(lambda: bool(peer.of("text")), "the message")
    assert peer.of("text")[0]["text"] == f"Wait.\n\n> {ANSWER}\n\nHow far?"
    sent = page.locator(".turn[data-role=user]").last
    expect(sent.locator("blockquote")).to_have_text(ANSWER)
    expect(sent.locator("p").first).to_have_text("Wait.")


def test_of_a_message_that_is_selected_in_part_that_part_is_quoted(page: Page) -> None:
    opened(page, line(2, "model", ANSWER))
    message(page, 2).locator(".turn__body p").evaluate(
        "(node) => getSelection().setBaseAndExtent(node.firstChild, 4, node.firstChild, 8)"
    )
    message(page, 2).get_by_role("button", name="Quote message").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("> Moon\n\n")


def test_the_time_of_a_message_is_told_to_who_listens_and_shown_to_who_points_at_it(page: Page) -> None:
    opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    time = message(page, 1).locator("time")
    assert time.get_attribute("datetime") == "2026-03-02T10:15:00+00:00"
    shown = time.evaluate("(node) => new Date(node.dateTime).toTimeString().slice(0, 5)")
    expect(time).to_have_text(shown)
    expect(time).to_have_css("opacity", "0")
    message(page, 1).hover()
    expect(time).to_have_css("opacity", "1")
    message(page, 2).get_by_role("button", name="Quote message").focus()
    expect(message(page, 2).locator("time")).to_have_css("opacity", "1")


def test_a_day_that_begins_within_a_conversation_is_named_once(page: Page) -> None:
    page.clock.set_fixed_time("2026-03-04T12:00:00")
    peer = opened(
        page,
        line(1, "user", "one", "2026-03-02T12:00:00"),
        line(2, "model", "two", "2026-03-02T12:01:00"),
        line(3, "user", "three", "2026-03-03T12:00:00"),
        line(4, "user", "four", "2026-03-04T11:00:00"),
    )
    days = page.locator(".day")
    expect(days).to_have_text(["Monday 2 March", "Yesterday", "Today"])
    peer.turn(5, "model", "five", at="2026-03-04T11:01:00")
    expect(page.locator(".turn")).to_have_count(5)
    expect(days).to_have_count(3)
    assert violations(page) == []


def test_a_conversation_of_today_has_no_day(page: Page) -> None:
    peer = opened(page)
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.keyboard.press("Enter")
    peer.wait_for(lambda: bool(peer.of("text")), "the message")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".day")).to_have_count(0)


def test_a_message_is_read_in_the_direction_of_its_script(page: Page) -> None:
    opened(page, line(1, "user", "שלום עולם"), line(2, "model", "مرحبا\n\nHello"))
    direction = "(node) => getComputedStyle(node).direction"
    assert message(page, 1).locator(".turn__body p").evaluate(direction) == "rtl"
    assert [node.evaluate(direction) for node in message(page, 2).locator(".turn__body p").all()] == ["rtl", "ltr"]
    page.get_by_role("textbox", name="Message").fill("שלום")
    assert page.get_by_role("textbox", name="Message").evaluate(direction) == "rtl"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("one\n\n two ", "> one\n>\n>  two\n\n"),
        (" \n ", ""),
        ("word " * 200, "> " + ("word " * 119).strip() + " …\n\n"),
    ],
)
def test_a_quote_marks_each_line_and_is_bounded(modules: Page, text: str, written: str) -> None:
    assert run(modules, "session/quotes.js", "return m.quoted(argument);", text) == written


def test_a_message_is_told_apart_from_what_it_quotes(modules: Page) -> None:
    text = "> one\n> two\n\nWhy?\n\n>three"
    assert run(modules, "session/quotes.js", "return m.partsOf(argument);", text) == [
        {"isQuote": True, "text": "one\ntwo"},
        {"isQuote": False, "text": "Why?"},
        {"isQuote": True, "text": "three"},
    ]
