"""The conversation pages in low and narrow windows, and with letters twice as large: what is needed stays in sight."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.peer import Peer
from tests.services.web import WebServer

USUAL: ViewportSize = {"width": 360, "height": 740}
LOW = [(740, 360), (844, 390), (720, 450), (640, 360), (568, 320)]
"""Phones on their side, and desks whose pages are shown at twice their size."""
TINY = [(320, 256), (180, 370)]
"""A desk at four times, a phone at twice the size."""
CAPTIONS_PX = 128
TURNS = [
    {"turn": number, "role": "model" if number % 2 else "user", "text": "Some words. " * 12, "status": "complete"}
    for number in range(4)
]

SEEN = """(selectors) => selectors.map((selector) => {
    const { top, bottom, left, right } = document.querySelector(selector).getBoundingClientRect();
    return left < -1 || right > innerWidth + 1 ? 0 : Math.min(bottom, innerHeight) - Math.max(top, 0);
})"""
BEYOND = """() => [...document.querySelectorAll(".live *, .toasts *")]
    .filter((node) => node.checkVisibility() && !node.closest("svg, .visually-hidden, .transcript__scroller"))
    .map((node) => [node.outerHTML.slice(0, 90), node.getBoundingClientRect()])
    .filter(([, { left, right }]) => left < -1 || right > innerWidth + 1)
    .map(([html, { left, right }]) => `${left}..${right} ${html}`)"""

DRAWN = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


@pytest.fixture
def small_page(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Iterator[Page]:
    """A phone's, which a test may turn on its side."""
    page = sign_in(open_context(web, viewport=USUAL, reduced_motion="reduce"), "alice", played=True)
    yield page
    page.set_viewport_size(USUAL)


def started(page: Page) -> Peer:
    peer = Peer(page, "call")
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.say_ready(action="resumed", transcript=TURNS)
    expect(page.locator(".turn")).to_have_count(len(TURNS))
    return peer


def resize(page: Page, width: int, height: int) -> None:
    """Another size, and the page as it is drawn then."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(DRAWN)


def seen_px(page: Page, width: int, height: int, *selectors: str) -> list[float]:
    """How much of the height of each is inside the window, when its end is looked at."""
    resize(page, width, height)
    page.evaluate("document.body.scrollTo(0, 1e6); scrollTo(0, 1e6)")
    seen: list[float] = page.evaluate(SEEN, list(selectors))
    return seen


def test_captions_and_buttons_of_a_call_are_seen_together_in_a_low_window(small_page: Page) -> None:
    started(small_page)
    for size in [*LOW, *TINY]:
        captions, mute, hang_up = seen_px(small_page, *size, ".transcript__scroller", "[data-mute]", "[data-hang-up]")
        assert captions >= CAPTIONS_PX, size
        assert min(mute, hang_up) >= 44, size
    small_page.keyboard.press("m")
    for size in LOW:
        captions, push = seen_px(small_page, *size, ".transcript__scroller", "[data-push-to-talk]")
        assert captions >= CAPTIONS_PX, size
        assert push >= 44, size


def test_a_low_window_shows_a_whole_call_without_scrolling(small_page: Page) -> None:
    started(small_page)
    for width, height in LOW:
        resize(small_page, width, height)
        assert small_page.evaluate("document.documentElement.scrollHeight") <= height, (width, height)


def test_nothing_of_a_call_is_beyond_the_edge_of_a_small_window(small_page: Page) -> None:
    peer = Peer(small_page, "call")
    small_page.goto("/call/")
    small_page.get_by_text("Microphone and speaker", exact=True).first.click()
    for width, height in [*LOW, *TINY]:
        resize(small_page, width, height)
        assert small_page.evaluate(BEYOND) == [], (width, height)
    small_page.set_viewport_size(USUAL)
    small_page.get_by_role("button", name="Start the call").click()
    expect(small_page.locator("html")).to_have_attribute("data-state", "live")
    peer.say("go_away", time_left_ms=45_000)
    expect(small_page.locator("[data-status-mark]")).to_be_visible()
    for box in ("About the energy", "Microphone and speaker"):
        small_page.set_viewport_size(USUAL)
        small_page.get_by_role("button", name=box).click()
        for width, height in [*LOW, *TINY]:
            resize(small_page, width, height)
            assert small_page.evaluate(BEYOND) == [], (box, width, height)
        small_page.keyboard.press("Escape")


def test_on_a_phone_a_box_is_a_sheet_at_the_foot_that_can_be_closed_by_a_finger(small_page: Page) -> None:
    started(small_page)
    for name, box in (("About the energy", "#energy-details"), ("Microphone and speaker", "#call-devices")):
        small_page.get_by_role("button", name=name).click()
        sheet = small_page.locator(box).bounding_box()
        assert sheet is not None
        assert (sheet["x"], sheet["width"], sheet["y"] + sheet["height"]) == (0, USUAL["width"], USUAL["height"])
        small_page.locator(box).get_by_role("button", name="Close").click()
        expect(small_page.locator(box)).to_be_hidden()
        expect(small_page.get_by_role("button", name=name)).to_be_focused()


def test_what_stands_in_an_empty_chat_is_read_from_its_beginning(small_page: Page) -> None:
    Peer(small_page, "text")
    small_page.goto("/text/")
    expect(small_page.locator("html")).to_have_attribute("data-state", "live")
    small_page.evaluate("document.documentElement.style.fontSize = '200%'")
    small_page.evaluate(DRAWN)
    scroller = small_page.locator("[data-scroller]")
    assert scroller.evaluate("(element) => element.scrollHeight > element.clientHeight")
    assert scroller.evaluate("(element) => element.scrollTop") == 0


def test_where_less_motion_is_wished_a_page_is_at_once_what_it_becomes(small_page: Page) -> None:
    """A page that passed through a state in between would be measured in it, as by this folder's tests of overflow."""
    small_page.goto("/settings/")
    before, at_once = small_page.evaluate(
        """() => {
            const root = document.documentElement;
            const before = root.scrollHeight;
            root.style.fontSize = "200%";
            return [before, root.scrollHeight];
        }"""
    )
    small_page.evaluate(DRAWN)
    assert at_once == small_page.evaluate("document.documentElement.scrollHeight") > 2 * before
