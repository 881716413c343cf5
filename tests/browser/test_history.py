"""The history in a browser: for everybody, from the keyboard, and into the call that goes on with a conversation."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.peer import Peer
from tests.browser.test_accessibility import DESK, PHONE, overflow_px, violations
from tests.services.web import WebServer

CONVERSE = """
from django.contrib.auth.models import User
from tests.pages.history_rows import converse
events = (
    (0, "connected", {{"action": "new"}}),
    (9, "connection_lost", {{"reason": "network"}}),
    (12, "lost", {{"ms": 800, "messages": 1}}),
    (13, "connected", {{"action": "rebuilt", "outage_ms": 4000}}),
)
said = ("Whatverylongword" * 30, "Well. " * 90, "And then?")
alice = User.objects.get(username="alice")
print(converse(alice, *said, title="{title}", events=events, open_points=["One point"], facts=["x" * 90], {fields}).pk)
"""

TOO_SMALL = """() => [...document.querySelectorAll("button, a, summary, select, input:not([type=hidden])")]
    .filter((node) => node.checkVisibility() && !node.matches(".skip-link"))
    .map((node) => [node.outerHTML.slice(0, 90), node.getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
    .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""

WRITE_SUMMARY = """
from summarization.models import CallHistory
CallHistory.objects.filter(conversation="{id}").update(state="ready", summary="They talked at length.")
"""


@pytest.fixture
def converse(web: WebServer) -> Callable[..., str]:
    """A conversation of Alice's in the database of the server; its id."""

    def converse(title: str, fields: str = "") -> str:
        return web.shell(CONVERSE.format(title=title, fields=fields)).strip()

    return converse


@pytest.fixture
def open_page(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    """A page of Alice's."""

    def open_page(size: dict[str, int], theme: str = "light") -> Page:
        return sign_in(open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce"), "alice")

    return open_page


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", DESK)], ids=["dark-phone", "light-desk"])
def test_the_history_can_be_used_by_everybody(
    open_page: Callable[..., Page], converse: Callable[..., str], theme: str, size: dict[str, int]
) -> None:
    id = converse("A talk to look at")
    page = open_page(size, theme)
    paths = ["/", "/history/?q=!!&since=foo", "/history/?q=talk", f"/history/{id}/", f"/history/{id}/rename/"]
    for path in [*paths, f"/history/{id}/delete/", "/history/delete-all/"]:
        page.goto(path)
        assert violations(page) == [], path
        assert overflow_px(page) == 0, path
        assert page.evaluate(TOO_SMALL) == [], path


def test_a_conversation_is_found_opened_and_deleted_from_the_keyboard(
    open_page: Callable[..., Page], converse: Callable[..., str]
) -> None:
    title = f"Zeppelin {uuid.uuid4().hex[:8]}"
    converse(title)
    page = open_page(DESK)
    page.goto("/")
    page.get_by_role("link", name="History", exact=True).press("Enter")
    page.get_by_label("Search", exact=True).fill(title)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 conversation found")).to_be_visible()
    page.get_by_role("link", name=title).press("Enter")
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    page.get_by_role("link", name="Delete").press("Enter")
    expect(page.get_by_role("heading", name="Delete this conversation?")).to_be_visible()
    page.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("status").filter(has_text="The conversation was deleted.")).to_be_visible()


def test_a_summary_appears_when_it_is_written(
    web: WebServer, open_page: Callable[..., Page], converse: Callable[..., str]
) -> None:
    id = converse("A summary to come", 'state="pending", summary="", due_at=None')
    page = open_page(PHONE)
    page.goto(f"/history/{id}/")
    expect(page.get_by_text("The summary is being written.")).to_be_visible()
    web.shell(WRITE_SUMMARY.format(id=id))
    expect(page.get_by_text("They talked at length.")).to_be_visible()


def test_the_call_goes_on_with_the_conversation_once_and_only_once(
    open_page: Callable[..., Page], converse: Callable[..., str]
) -> None:
    id = converse("A call to go on with")
    page = open_page(DESK)
    peer = Peer(page, "call")
    page.goto(f"/history/{id}/")
    page.get_by_role("link", name="Continue", exact=True).click()
    page.wait_for_url(f"**/call/?continue={id}")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    expect(page).to_have_url(re.compile("/call/$"))
    peer.close(1011)
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the page to come back")
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("button", name="New call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 3, "a new call")
    assert [start.get("continue") for start in peer.of("start")] == [id, None, None]


def test_an_id_that_is_none_is_not_asked_for(open_page: Callable[..., Page]) -> None:
    page = open_page(DESK)
    peer = Peer(page, "text")
    page.goto("/text/?continue=../x")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert "continue" not in peer.of("start")[0]
