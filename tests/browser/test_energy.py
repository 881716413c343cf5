"""How strong the service is, as the pages show it: the meter, a change of level, a place in line, and nothing left."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.peer import ENERGY, Peer
from tests.services.web import WebServer

LOW = {"mode": "text", "level": 1, "previous": 2, "max": 2, "word": "low", "model": "gemini-y", "resets_at": None}
FRAMES_PER_SECOND = 25
NOTICE = "The quota of the best model is used up. The text chat goes on at low energy, on gemini-y."


@pytest.fixture
def open_peer(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Peer]:
    """The far end of a conversation page of Alice's, whose clock stands in Berlin."""

    def open_peer(mode: str, *, answers: bool = True) -> Peer:
        page = sign_in(open_context(web, timezone_id="Europe/Berlin"), "alice", played=True)
        peer = Peer(page, mode)
        peer.answers = answers
        page.goto(f"/{mode}/")
        if mode == "call":
            page.get_by_role("button", name="Start the call").click()
        peer.wait_for(lambda: bool(peer.of("start")), "the start")
        return peer

    return open_peer


def say_state(peer: Peer, state: str, reason: str = "", **more: Any) -> None:
    peer.say("state", **{"state": state, "attempt": 0, "retry_in_ms": None, "reason": reason, **more})


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("textbox", name="Message").press("Enter")


def announced(page: Page) -> str:
    """What was said to screen readers last about the line."""
    return page.locator("[data-announcer]").text_content() or ""


def test_the_meter_tells_the_model_and_the_time_of_return_by_keyboard_and_pointer(
    open_peer: Callable[..., Peer],
) -> None:
    peer = open_peer("text")
    page = peer.page
    # In two days, for the reader's today may be tomorrow already in UTC.
    back = (datetime.now(UTC) + timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
    peer.say("energy", **{**LOW, "resets_at": back.isoformat()})
    by_the_readers_clock = page.evaluate(
        "(at) => new Date(at).toLocaleString('en-GB', {weekday: 'long', hour: '2-digit', minute: '2-digit'})",
        back.isoformat(),
    )
    weekday, hour = re.split(r"\W+", by_the_readers_clock, maxsplit=1)[0], by_the_readers_clock[-5:]
    expect(page.get_by_role("meter", name="Energy")).to_have_attribute(
        "aria-valuetext", f"low, 1 of 2, gemini-y, back on {weekday} at {hour}"
    )
    button = page.get_by_role("button", name="About the energy")
    details = page.locator("#energy-details")
    expect(details).to_be_hidden()
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(details).to_contain_text("gemini-y")
    expect(details).to_contain_text(f"on {weekday} at {hour}")
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    expect(details).to_be_visible()
    page.locator("[data-scroller]").click()
    expect(details).to_be_hidden()


def test_a_step_down_stands_as_a_notice_between_the_turns(open_peer: Callable[..., Peer]) -> None:
    peer = open_peer("text")
    page = peer.page
    peer.turn(0, "user", "Hello?")
    say_state(peer, "falling_back")
    expect(page.locator("[data-status-word]")).to_have_text("Changing to another model")
    peer.say("energy", **LOW)
    peer.turn(1, "system", NOTICE)
    peer.say_ready(action="rebuilt", energy=LOW)
    say_state(peer, "live")
    peer.say("toast", code="energy.lower", level="warning", text=NOTICE, ms=8000)
    peer.turn(2, "model", "Hello.")
    lines = page.get_by_role("log").get_by_role("article")
    expect(lines).to_have_count(3)
    expect(lines.nth(1)).to_have_text(f"Notice{NOTICE}")
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.get_by_role("meter", name="Energy")).to_have_attribute("aria-valuenow", "1")
    strip = page.locator("[data-incident]")
    expect(strip).to_contain_text("A better model cannot be used at present.")
    expect(strip).to_contain_text("gemini-y answers.")
    strip.get_by_role("button", name="All right").click()
    expect(strip).to_be_hidden()


def test_who_waits_in_line_sees_the_place_may_write_and_is_let_in(open_peer: Callable[..., Peer]) -> None:
    peer = open_peer("text", answers=False)
    page = peer.page
    say_state(peer, "connecting", "queued", place=3)
    expect(page.locator("[data-status-word]")).to_have_text("Third in line")
    peer.wait_for(lambda: announced(page) == "You are third in line. The chat starts by itself.", "the third place")
    write(page, "Is it my turn?")
    expect(page.locator(".turn[data-delivery=sending]")).to_contain_text("Is it my turn?")
    say_state(peer, "connecting", "queued", place=2)
    peer.wait_for(lambda: announced(page) == "You are second in line. The chat starts by itself.", "the second place")
    peer.say_ready()
    expect(page.locator(".turn[data-delivery=sent]")).to_contain_text("Is it my turn?")
    assert [message["text"] for message in peer.of("text")] == ["Is it my turn?"]


def test_the_line_can_be_left(open_peer: Callable[..., Peer]) -> None:
    peer = open_peer("text", answers=False)
    say_state(peer, "connecting", "queued", place=11)
    expect(peer.page.locator("[data-status-word]")).to_have_text("Place 11 in line")
    peer.page.get_by_role("button", name="Leave the line").click()
    peer.wait_for(lambda: bool(peer.of("hangup")), "the end")
    peer.close(1000)
    expect(peer.page.locator("html")).to_have_attribute("data-state", "ended")


def test_a_call_in_line_says_so_can_be_hung_up_and_keeps_nothing_of_what_the_room_says(
    open_peer: Callable[..., Peer],
) -> None:
    peer = open_peer("call", answers=False)
    page = peer.page
    say_state(peer, "connecting", "queued", place=1)
    expect(page.locator("[data-status-word]")).to_have_text("First in line")
    page.get_by_role("button", name="Hang up").hover()
    listening_s = page.evaluate("performance.now()") / 1000  # at most: since the page was opened
    page.wait_for_timeout(2000 + 1000 * listening_s)  # the microphone hears a beep all the time
    let_in = time.monotonic()
    peer.say_ready()
    peer.wait_for(lambda: len(peer.numbers()) > 5, "what is said from now on")
    listening_s += time.monotonic() - let_in
    assert len(peer.numbers()) <= FRAMES_PER_SECOND * (listening_s + 1)
    say_state(peer, "connecting", "queued", place=1)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("heading", name="Call ended")).to_be_visible()


def test_without_a_model_the_page_counts_down_keeps_what_is_typed_and_can_ask_again(
    open_peer: Callable[..., Peer],
) -> None:
    peer = open_peer("text")
    page = peer.page
    peer.turn(0, "model", "What was said stays.")
    back = datetime.now(UTC) + timedelta(minutes=10)
    spent = {**LOW, "level": 0, "previous": 1, "word": "exhausted", "model": "", "resets_at": back.isoformat()}
    peer.say("energy", **spent)
    say_state(peer, "exhausted", "quota", retry_in_ms=600_000)
    peer.say("toast", code="energy.exhausted", level="error", text="The quota of every model is used up.", ms=0)
    detail = page.locator("[data-status-detail]")
    expect(detail).to_have_text(re.compile(r"^The quota is used up for now\. Back .*at \d\d:\d\d, in (10:00|9:5\d)\.$"))
    expect(page.locator(".energy__battery i.is-full")).to_have_count(0)
    expect(page.get_by_role("meter", name="Energy")).to_have_attribute("aria-valuenow", "0")
    peer.wait_for(lambda: announced(page).startswith("Out of energy. Back"), "the state")
    said, shown = announced(page), detail.inner_text()
    expect(detail).not_to_have_text(shown)
    assert announced(page) == said
    write(page, "Later, then.")
    expect(page.locator(".turn[data-delivery=sending]")).to_contain_text("Later, then.")
    page.get_by_role("button", name="Try again").click()
    peer.wait_for(lambda: bool(peer.of("retry")), "a retry")
    peer.say_ready(action="rebuilt", energy=LOW)
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator(".turn[data-delivery=sent]")).to_contain_text("Later, then.")
    expect(page.get_by_text("What was said stays.")).to_be_visible()


def test_a_limit_of_the_user_and_a_busy_provider_have_words_of_their_own(open_peer: Callable[..., Peer]) -> None:
    peer = open_peer("call")
    word, detail = peer.page.locator("[data-status-word]"), peer.page.locator("[data-status-detail]")
    say_state(peer, "reconnecting", "busy", attempt=1, retry_in_ms=59_000)
    expect(word).to_have_text("Gemini is busy")
    expect(detail).to_have_text(re.compile(r"next in 0:[1-5]\d"))
    peer.say("energy", **{**ENERGY, "level": 2, "word": "reduced"})
    say_state(peer, "exhausted", "fair-use", retry_in_ms=7_200_000)
    expect(word).to_have_text("Limit reached")
    expect(detail).to_have_text(re.compile(r"^You have reached a limit of this server\. Back .*at \d\d:\d\d\.$"))
