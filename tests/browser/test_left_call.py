"""A call that is left in the midst of it: the browser asks first, and the lobby offers to continue it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from tests.browser.peer import Peer
from tests.browser.test_accessibility import DESK, in_each_theme_and_size, overflow_px, violations
from tests.services.web import WebServer

SAY = """
from django.contrib.auth.models import User
from tests.summarization.talk import Talk, turns
talk = Talk(User.objects.get(username="bob"))
talk.say(turns(2))
print(talk.id)
"""
LEAVE = """
from sessions_app.models import LiveSession
from django.utils import timezone
LiveSession.objects.filter(conversation="{id}").update(ended_at=timezone.now(), end_reason="page-gone")
"""
FORGET = """
from sessions_app.models import Conversation
Conversation.objects.filter(user__username="bob").delete()
"""


@pytest.fixture(scope="module")
def spoken(web_program: WebServer) -> Iterator[str]:
    """The id of a call of Bob's in which something was said, and whose session stands."""
    web_program.shell(FORGET)
    yield web_program.shell(SAY).strip()
    web_program.shell(FORGET)


OpenLobby = Callable[..., tuple[Page, Peer]]


@pytest.fixture
def open_lobby(
    web: WebServer, spoken: str, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> OpenLobby:
    """The call page of Bob's before anything was pressed, and its far end, which has that call."""

    def open_lobby(size: dict[str, int] = DESK, theme: str = "light") -> tuple[Page, Peer]:
        context = open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce")
        page = sign_in(context, "bob", played=True)
        peer = Peer(page, "call", conversation=spoken)
        page.goto("/call/")
        return page, peer

    return open_lobby


@pytest.fixture
def questions(open_lobby: OpenLobby) -> Iterator[tuple[Page, Peer, list[str]]]:
    """A lobby, its far end, and the kinds of questions that the browser has asked; all are answered with yes."""
    page, peer = open_lobby()
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    yield page, peer, asked
    page.remove_listener("dialog", answer)


def start(page: Page) -> None:
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def expect_offer(page: Page) -> None:
    expect(page.get_by_role("heading", name="Your call of a moment ago")).to_be_visible()
    expect(page.get_by_role("button", name="Continue", exact=True)).to_be_visible()


def test_a_reload_in_the_midst_of_a_call_is_asked_about_and_the_call_is_offered_again(
    questions: tuple[Page, Peer, list[str]], spoken: str
) -> None:
    page, peer, asked = questions
    start(page)
    page.reload()
    assert asked == ["beforeunload"]
    expect_offer(page)
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert [message.get("continue") for message in peer.of("start")] == [None, spoken]
    page.get_by_role("button", name="Hang up").click()
    page.reload()
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_link_of_the_page_is_asked_about_too_and_whoever_says_no_stays_in_the_call(open_lobby: OpenLobby) -> None:
    page, _ = open_lobby()
    start(page)
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("link", name="History").first.click(no_wait_after=True)
    assert asked.value.type == "beforeunload"
    expect(page.locator("html")).to_have_attribute("data-stage", "call")
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("link", name="History").first.click()
    page.wait_for_url("**/history/")


def test_a_new_call_may_be_begun_in_its_place(open_lobby: OpenLobby) -> None:
    page, peer = open_lobby()
    start(page)
    page.goto("/")
    page.goto("/call/")
    expect_offer(page)
    page.get_by_role("button", name="Begin a new call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the new call")
    assert "continue" not in peer.of("start")[1]
    assert "goes_on_from" not in peer.of("start")[1]
    peer.say_ready(conversation="00000000-0000-4000-8000-00000000000c")
    page.get_by_role("button", name="Hang up").click()
    page.reload()
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()


def test_a_lobby_that_is_left_and_a_call_that_moved_ask_nothing_and_are_not_offered(
    questions: tuple[Page, Peer, list[str]],
) -> None:
    page, peer, asked = questions
    page.reload()
    start(page)
    peer.close(4409)
    expect(page.get_by_role("heading", name="Call moved")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()
    assert asked == []


def test_how_long_ago_it_was_goes_on_while_the_lobby_is_open(open_lobby: OpenLobby) -> None:
    page, _ = open_lobby()
    start(page)
    page.clock.install()
    page.clock.pause_at(time.time() + 60)  # no time passes but what is let pass
    page.reload()
    expect_offer(page)
    page.clock.run_for(25_000)
    expect(page.get_by_role("heading", name="Your call of 20 seconds ago")).to_be_visible()
    page.clock.run_for(60_000)
    expect(page.get_by_role("heading", name="Your call of a minute ago")).to_be_visible()


def test_what_another_user_left_in_this_browser_is_not_offered(open_lobby: OpenLobby) -> None:
    page, peer = open_lobby()
    peer.ready["conversation"] = "00000000-0000-4000-8000-00000000000a"
    start(page)
    page.reload()
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()
    expect(page.get_by_role("button", name="Continue", exact=True)).to_have_count(0)


@in_each_theme_and_size
def test_the_offer_of_a_call_that_another_browser_left_can_be_used_by_everybody(
    web: WebServer, open_lobby: OpenLobby, spoken: str, theme: str, size: dict[str, int]
) -> None:
    web.shell(LEAVE.format(id=spoken))
    page, _ = open_lobby(size, theme)
    expect(page.get_by_role("heading", name="Your call of")).to_be_visible()
    assert page.locator(".lobby .button--primary:visible").all_text_contents() == ["Continue"]
    assert violations(page) == []
    assert overflow_px(page) <= 0
