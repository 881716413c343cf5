"""Reading what was said before the newest turns of a long conversation. The server is the test."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.peer import Peer
from tests.browser.test_accessibility import violations

FIRST = 400
SHOWN = 40


def lines(first: int, after: int) -> list[dict[str, Any]]:
    roles = ("user", "model")
    return [
        {"turn": number, "role": roles[number % 2], "text": f"line {number}", "status": "complete"}
        for number in range(first, after)
    ]


@pytest.fixture
def peer(page: Page) -> Peer:
    """The far end of a long text chat, of which the page has the newest lines."""
    peer = Peer(page, "text", action="resumed", transcript=lines(FIRST, FIRST + SHOWN), more=True)
    page.goto("/text/")
    expect(page.locator(".turn")).to_have_count(SHOWN)
    peer.wait_for(lambda: page.locator("[data-scroller]").evaluate(GAP) < 2, "the newest line")
    return peer


NOTE_LIVE = """(log) => {
    window.liveWhenChanged = [];
    const note = () => window.liveWhenChanged.push(log.getAttribute("aria-live"));
    new MutationObserver(note).observe(log, { childList: true });
}"""
"""Whether a screen reader hears the lines that come, each time some do."""

GAP = "(node) => node.scrollHeight - node.scrollTop - node.clientHeight"


def offer(page: Page, name: str = "Show earlier messages") -> Locator:
    return page.get_by_role("button", name=name)


def asked(peer: Peer, count: int) -> list[int]:
    """What was asked for so far, once there are so many questions."""
    peer.wait_for(lambda: len(peer.of("older")) >= count, "the question for earlier turns")
    return [question["before"] for question in peer.of("older")]


def top_of(page: Page, number: int) -> float:
    """Where a line stands on the screen."""
    box = page.locator(f"[data-turn='{number}']").bounding_box()
    assert box is not None
    return box["y"]


def test_the_button_brings_earlier_messages_and_the_reader_stays_where_they_read(page: Page, peer: Peer) -> None:
    offer(page).focus()
    page.keyboard.press("Enter")
    assert asked(peer, 1) == [FIRST]
    waiting = offer(page, "Loading earlier messages")
    expect(waiting).to_be_focused()
    expect(waiting).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    where = top_of(page, FIRST)
    peer.say("turns", turns=lines(FIRST - 30, FIRST), more=True)
    expect(page.locator(".turn")).to_have_count(SHOWN + 30)
    expect(page.locator(".turn .turn__body").first).to_have_text(f"line {FIRST - 30}")
    assert top_of(page, FIRST) == pytest.approx(where, abs=1)
    expect(offer(page)).to_be_focused()
    page.keyboard.press("Enter")
    assert asked(peer, 2) == [FIRST, FIRST - 30]
    peer.say("turns", turns=lines(0, FIRST - 30), more=False)
    expect(offer(page)).to_be_hidden()
    expect(page.locator("[data-scroller]")).to_be_focused()
    assert top_of(page, FIRST) == pytest.approx(where, abs=1)


def test_scrolling_up_brings_them_too_and_once_only(page: Page, peer: Peer) -> None:
    page.locator("[data-scroller]").hover()
    page.mouse.wheel(0, -100_000)
    assert asked(peer, 1) == [FIRST]
    where = top_of(page, FIRST)
    peer.say("turns", turns=lines(FIRST - 100, FIRST), more=True)
    expect(page.locator(".turn")).to_have_count(SHOWN + 100)
    assert top_of(page, FIRST) == pytest.approx(where, abs=1)
    peer.turn(FIRST + SHOWN, "model", "one more line")
    expect(page.locator(".turn")).to_have_count(SHOWN + 101)
    assert asked(peer, 1) == [FIRST]


def test_a_screen_reader_is_told_of_them_and_does_not_hear_them_all(page: Page, peer: Peer) -> None:
    said, log = page.locator("[data-earlier-said]"), page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    offer(page).click()
    expect(said).to_have_text("Loading earlier messages.")
    log.evaluate(NOTE_LIVE)
    peer.say("turns", turns=lines(FIRST - 30, FIRST), more=True)
    expect(log).to_contain_text(f"line {FIRST - 30}")
    assert set(page.evaluate("window.liveWhenChanged")) == {"off"}
    expect(said).to_have_text("Earlier messages are shown.")
    expect(log).to_have_attribute("aria-live", "polite")


def test_what_cannot_be_loaded_is_said_in_its_place_and_tried_again(page: Page, peer: Peer) -> None:
    offer(page).click()
    asked(peer, 1)
    peer.say("error", code="older.unavailable", text="No.", fatal=False)
    expect(page.locator("[data-earlier-problem]")).to_be_visible()
    expect(page.locator("[data-earlier-said]")).to_have_text("Earlier messages could not be loaded.")
    expect(page.locator("[data-notice]")).to_be_hidden()
    assert violations(page) == []
    offer(page, "Try again").click()
    assert asked(peer, 2) == [FIRST, FIRST]
    peer.say("turns", turns=lines(FIRST - 3, FIRST), more=False)
    expect(page.locator(".turn")).to_have_count(SHOWN + 3)
    expect(page.locator("[data-earlier-problem]")).to_be_hidden()


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(page: Page, peer: Peer) -> None:
    page.clock.install()
    offer(page).click()
    asked(peer, 1)
    page.clock.run_for(10_000)
    expect(offer(page, "Try again")).to_be_visible()


def test_a_question_that_was_lost_with_the_connection_is_asked_again(page: Page, peer: Peer) -> None:
    offer(page).click()
    asked(peer, 1)
    peer.close(4012)
    assert asked(peer, 2) == [FIRST, FIRST]
    peer.say("turns", turns=lines(FIRST - 3, FIRST), more=False)
    expect(page.locator(".turn")).to_have_count(SHOWN + 3)
    peer.close(4012)
    peer.wait_for(lambda: len(peer.of("start")) == 3, "the third connection")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.turn(FIRST + SHOWN, "model", "one more line")
    expect(page.locator(".turn")).to_have_count(SHOWN + 4)
    expect(offer(page)).to_be_hidden()


def test_a_short_conversation_offers_nothing(page: Page) -> None:
    peer = Peer(page, "text", transcript=lines(0, 3))
    page.goto("/text/")
    expect(page.locator(".turn")).to_have_count(3)
    expect(page.locator("[data-earlier]")).to_be_hidden()
    assert peer.of("older") == []


def test_a_call_that_continues_a_long_conversation_can_be_read_back_too(
    page: Page,
) -> None:
    peer = Peer(page, "call", transcript=lines(FIRST, FIRST + SHOWN), more=True)
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator(".turn")).to_have_count(SHOWN)
    offer(page).click()
    assert asked(peer, 1) == [FIRST]
    peer.say("turns", turns=lines(FIRST - 5, FIRST), more=False)
    expect(page.locator(".turn")).to_have_count(SHOWN + 5)
