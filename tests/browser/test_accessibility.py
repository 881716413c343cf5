"""Every page with axe in both themes, on a phone and on a desk; and what axe cannot see."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.peer import Peer
from tests.services.cast import PASSWORD
from tests.services.web import WebServer

AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text(encoding="utf-8")
PHONE = {"width": 360, "height": 780}
DESK = {"width": 1440, "height": 900}
OPEN_PAGES = [
    *("/", "/accounts/login/", "/accounts/signup/", "/nowhere/"),
    *("/accounts/reset/", "/accounts/reset/sent/", "/accounts/reset/x/y/"),
]
ACCOUNT_PAGES = ["/account/", "/account/email/", "/account/password/", "/account/keys/new/", "/account/delete/"]
LONG_TURNS = [
    {"turn": 0, "role": "user", "text": "Whatverylongword" * 30, "status": "complete"},
    {
        "turn": 1,
        "role": "model",
        "text": "# Title\n\nwords " * 20
        + "\n\n```\n"
        + "code " * 60
        + "\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[x](https://example.com)",
        "status": "complete",
    },
    {"turn": 2, "role": "system", "text": "A notice.", "status": "complete"},
    {"turn": 3, "role": "model", "text": "Cut off", "status": "interrupted"},
    {"turn": 4, "role": "model", "text": "Still [growing](https://example.com)", "status": "partial"},
]

LOW_ENERGY = {
    "mode": "call",
    "level": 1,
    "previous": 3,
    "max": 3,
    "word": "low",
    "model": "gemini-2.5-flash-native-audio-preview-12-2025",
    "resets_at": "2100-01-01T08:00:00+00:00",
}
WAITING_STATES: list[tuple[str, str, dict[str, Any]]] = [
    ("falling_back", "", {}),
    ("exhausted", "quota", {}),
    ("reconnecting", "busy", {}),
    ("connecting", "queued", {"place": 3}),
]


def violations(page: Page, part: str = "html") -> list[str]:
    """What axe has to say against the page as it is now, or a part of it, once it is whole and nothing moves."""
    page.wait_for_load_state()
    page.evaluate(
        """Promise.all(document.getAnimations()
            .filter((animation) => animation.effect.getTiming().iterations === 1)
            .map((animation) => animation.finished.catch(() => "cancelled")))"""
    )
    if page.evaluate("typeof axe === 'undefined'"):  # half a megabyte, once for each page that is loaded
        page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("(part) => axe.run(part, { resultTypes: ['violations'] })", part)
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def overflow_px(page: Page) -> int:
    """By how much the page is wider than the window, once it is whole."""
    page.wait_for_load_state()
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


@pytest.fixture
def open_page(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    """A page of Alice's, or a visitor's, on which no conversation is opened but with a `Peer`."""

    def open_page(size: dict[str, int], theme: str = "light", *, logged_in: bool = True) -> Page:
        context = open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce")
        return sign_in(context, "alice", played=True) if logged_in else context.new_page()

    return open_page


in_each_theme_and_size = pytest.mark.parametrize(
    ("theme", "size"), [("dark", PHONE), ("light", DESK)], ids=["dark-phone", "light-desk"]
)
"""Contrast depends on the theme and layout on the size, and neither on the other."""


@in_each_theme_and_size
def test_pages_for_everybody_can_be_used_by_everybody(
    open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme, logged_in=False)
    for path in OPEN_PAGES:
        page.goto(path)
        assert violations(page) == [], path
        assert overflow_px(page) <= 0, path


@in_each_theme_and_size
def test_the_pages_about_ones_account_can_be_used_by_everybody(
    open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme)
    for path in ACCOUNT_PAGES:
        page.goto(path)
        assert violations(page) == [], path
        assert overflow_px(page) <= 0, path
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_label("Your password", exact=True)).to_be_focused()
    page.get_by_label("Your password", exact=True).fill("wrong")
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    assert violations(page) == []


@in_each_theme_and_size
def test_an_access_key_can_be_made_read_and_revoked_by_everybody(
    open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme)
    page.goto("/account/")
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Name", exact=True).fill("The machine in the cellar, which waters the plants")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text(re.compile("^hl_"))).to_be_visible()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    page.get_by_role("link", name="I have it").click()
    expect(page.get_by_text("not used yet")).to_be_visible()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    page.get_by_role("button", name="Revoke The machine in the cellar").click()
    expect(page.get_by_role("status")).to_contain_text("That key is revoked.")
    expect(page.get_by_text("You have none.")).to_be_visible()


def test_a_refused_log_in_can_be_understood_by_everybody(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE, logged_in=False)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("This name and password do not go together.")
    assert violations(page) == []


def test_whoever_has_to_wait_before_they_try_again_is_told_for_how_long(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE, "dark", logged_in=False)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("nobody")
    refused = page.get_by_role("alert").filter(has_text="Too many tries. You can try again in")
    for _ in range(12):  # each wait is longer than the one before, and in the end longer than a slow machine takes
        if refused.is_visible():
            break
        page.get_by_label("Password", exact=True).fill("wrong")
        with page.expect_navigation():
            page.get_by_label("Password", exact=True).press("Enter")
    expect(refused).to_contain_text("A browser in which you have logged in before lets you in at once.")
    expect(page.get_by_label("Username")).to_have_value("nobody")
    assert violations(page) == []
    assert overflow_px(page) <= 0


def test_a_user_in_the_admin_is_told_so_in_a_way_that_everybody_understands(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE)
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="For operators only")).to_be_visible()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    expect(page.get_by_role("button", name="Log in as somebody else")).to_be_visible()


def test_the_lists_of_the_admin_can_be_read_by_everybody(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> None:
    """Django's own, in our colours: what axe calls serious or critical."""
    page = sign_in(open_context(web, viewport=DESK, reduced_motion="reduce"), "sam")
    lists = (
        "sessions_app/conversation",
        "sessions_app/recordingusage",
        "summarization/callhistory",
        "energy/energychange",
    )
    for path in ("/admin/", "/admin/line/", *(f"/admin/{name}/" for name in lists)):
        page.goto(path)
        assert violations(page) == [], path
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/admin/sessions_app/turnusage/")
    box = page.locator("#searchbar").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360


@in_each_theme_and_size
def test_home_and_the_text_chat_in_all_its_states_can_be_used_by_everybody(
    open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme)
    page.goto("/")
    assert violations(page) == []
    assert overflow_px(page) <= 0
    peer = Peer(page, "text")
    page.goto("/text/")
    expect(page.get_by_role("heading", name="Say something.")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert violations(page) == []
    peer.say_ready(action="resumed", transcript=LONG_TURNS)
    peer.say("state", state="reconnecting", attempt=3, retry_in_ms=60_000, reason="network")
    for level in ("info", "success", "error"):
        peer.say("toast", code="x.y", level=level, text=f"A toast of level {level}.", ms=0)
    peer.say("error", code="x.y", text="An error.", fatal=False)
    expect(page.locator(".toast")).to_have_count(3)
    expect(page.locator(".turn")).to_have_count(5)
    assert violations(page) == []
    assert overflow_px(page) <= 0
    for _ in range(3):
        page.locator(".toast__close").first.click()
    peer.say("state", state="live", attempt=0, retry_in_ms=None, reason="")
    page.get_by_role("button", name="Chats").click()
    expect(page.locator("[data-chats]")).to_be_visible()
    assert violations(page) == []


@in_each_theme_and_size
def test_the_call_in_all_its_stages_can_be_used_by_everybody(
    open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme)
    peer = Peer(page, "call")
    page.goto("/call/")
    assert violations(page) == []
    page.get_by_text("Microphone and speaker", exact=True).first.click()
    assert violations(page, ".lobby") == []
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert violations(page) == []
    page.get_by_role("button", name="Microphone and speaker").click()
    assert violations(page, "[data-call-devices]") == []
    page.keyboard.press("Escape")
    peer.say_ready(action="resumed", transcript=LONG_TURNS)
    expect(page.locator(".turn")).to_have_count(len(LONG_TURNS))
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Hold to talk")).to_be_visible()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("heading", name="Call ended")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(
    ("mode", "theme", "size"),
    [("text", "light", PHONE), ("text", "dark", DESK), ("call", "dark", PHONE), ("call", "light", DESK)],
    ids=["text-light-phone", "text-dark-desk", "call-dark-phone", "call-light-desk"],
)
def test_every_level_of_energy_and_every_wait_can_be_used_by_everybody(
    open_page: Callable[..., Page], mode: str, theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme)
    peer = Peer(page, mode)
    page.goto(f"/{mode}/")
    if mode == "call":
        page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.say("energy", **LOW_ENERGY)
    peer.turn(0, "system", "The quota of the best model is used up. " * 6)
    expect(page.locator(".turn")).to_have_count(1)
    about = page.get_by_role("button", name="About the energy")
    about.click()
    expect(page.locator("#energy-details")).to_be_visible()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    about.click()
    peer.say("energy", **{**LOW_ENERGY, "level": 0, "word": "exhausted", "model": ""})
    for state, reason, more in WAITING_STATES:
        peer.say("state", **{"state": state, "reason": reason, "attempt": 0, "retry_in_ms": 60_000, **more})
        expect(page.locator("html")).to_have_attribute("data-state", state)
        assert violations(page) == [], (state, reason)
        assert overflow_px(page) <= 0, (state, reason)


@pytest.mark.parametrize("path", ["/", "/text/", "/call/", "/account/"])
def test_what_is_pressed_is_large_enough_for_a_finger(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(PHONE)
    Peer(page, "text")
    page.goto(path)
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), textarea")]
            .filter((node) => node.checkVisibility() && !node.matches(".skip-link, .switch__input"))
            .map((node) => [node.outerHTML.slice(0, 90), node.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
            .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
    )
    assert small == []


@pytest.mark.parametrize("path", ["/text/", "/call/"])
def test_with_large_letters_on_a_small_screen_nothing_of_a_conversation_is_cut(
    open_page: Callable[..., Page], path: str
) -> None:
    page = open_page(PHONE)
    peer = Peer(page, path.strip("/"))
    page.goto(path)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    if path == "/call/":
        page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.say("go_away", time_left_ms=45_000)
    expect(page.locator("[data-status-mark]")).to_be_visible()
    expect(page.locator(".live__bar")).to_have_css("display", "flex")
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".live__bar, .live__bar *, .live__foot, .live__foot *")]
            .filter((node) => node.checkVisibility() && !node.closest("svg, .visually-hidden, .live__bar-word"))
            .filter((node) => node.getBoundingClientRect().right > innerWidth + 1
                || (node.matches("div") && node.scrollHeight > node.clientHeight + 1))
            .map((node) => node.outerHTML.slice(0, 90))"""
    )
    assert cut == []
    assert overflow_px(page) <= 0
    bar, next_part = page.locator(".live__bar").bounding_box(), page.locator(".transcript").bounding_box()
    assert bar is not None
    assert next_part is not None
    assert bar["y"] + bar["height"] <= next_part["y"]
    assert next_part["height"] > 100


def test_a_stylesheet_that_was_lost_on_the_way_is_asked_for_again(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE)
    lost = iter([True, True])
    page.route("**/live.css", lambda route: route.abort() if next(lost, False) else route.continue_())
    page.goto("/text/")
    expect(page.locator(".live__bar")).to_have_css("display", "flex")


def test_the_whole_call_can_be_led_from_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page(DESK)
    Peer(page, "call")
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Mute")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Unmute")).to_be_focused()
    page.keyboard.type("hh")
    expect(page.locator("[data-ended]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="New call")).to_be_focused()


def test_the_skip_link_leads_past_the_header(open_page: Callable[..., Page]) -> None:
    page = open_page(DESK)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_logging_in_leads_home(open_page: Callable[..., Page]) -> None:
    page = open_page(DESK, logged_in=False)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
    expect(page.get_by_text("Logged in as alice")).to_be_visible()


def test_a_password_can_be_looked_at_while_it_is_typed(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE, logged_in=False)
    page.goto("/accounts/login/")
    box = page.get_by_label("Password", exact=True)
    show = page.get_by_role("button", name="Show password")
    show.click()
    expect(box).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    show.click()
    expect(box).to_have_attribute("type", "password")


def test_the_transcript_follows_the_newest_line_until_the_reader_scrolls_up(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE)
    peer = Peer(page, "text")
    page.goto("/text/")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    scroller = page.locator("[data-scroller]")
    gap = "(node) => node.scrollHeight - node.scrollTop - node.clientHeight"
    for number in range(30):
        peer.turn(number, "model", f"line {number}")
    expect(page.locator(".turn")).to_have_count(30)
    peer.wait_for(lambda: scroller.evaluate(gap) < 2, "the newest line")
    scroller.hover()
    page.mouse.wheel(0, -600)
    to_latest = page.get_by_role("button", name="Go to the newest message")
    expect(to_latest).to_be_visible()
    where = scroller.evaluate("(node) => node.scrollTop")
    peer.turn(30, "model", "one more line")
    expect(page.locator(".turn")).to_have_count(31)
    assert scroller.evaluate("(node) => node.scrollTop") == where
    to_latest.click()
    peer.wait_for(lambda: scroller.evaluate(gap) < 2, "the newest line again")
    expect(to_latest).to_be_hidden()
