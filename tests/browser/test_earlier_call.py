"""Whether a new call goes on from the last one: the question before and after a call, and where the answer goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.peer import Peer
from tests.browser.test_accessibility import DESK, PHONE, in_each_theme_and_size, overflow_px, violations
from tests.services.web import WebServer

BEGAN_AT = datetime.now().astimezone() - timedelta(days=3)
WEEKDAY = (BEGAN_AT + timedelta(minutes=10)).strftime("%A")
CONVERSE = f"""
from datetime import datetime
from django.contrib.auth.models import User
from tests.pages.history_rows import converse
bob, began_at = User.objects.get(username="bob"), datetime.fromisoformat("{BEGAN_AT.isoformat()}")
print(converse(bob, "Where to?", "To Rome.", title="A trip", started_at=began_at).pk)
"""
SETTING = """
from django.contrib.auth.models import User
from sessions_app.models import UserSettings
UserSettings.objects.update_or_create(user=User.objects.get(username="bob"), defaults={{"new_call": "{new_call}"}})
"""
FORGET = """
from sessions_app.models import Conversation, UserSettings
Conversation.objects.filter(user__username="bob").delete()
UserSettings.objects.filter(user__username="bob").delete()
"""
LINE = {"turn": 0, "role": "system", "text": "It goes on.", "status": "complete", "code": "call.goes_on"}

OpenLobby = Callable[..., tuple[Page, Peer]]


@pytest.fixture(scope="module")
def earlier(web_program: WebServer) -> Iterator[str]:
    """The id of Bob's last call, of three days ago."""
    web_program.shell(FORGET)
    yield web_program.shell(CONVERSE).strip()
    web_program.shell(FORGET)


@pytest.fixture
def open_lobby(
    web: WebServer, earlier: str, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> OpenLobby:
    """The call page of Bob's before anything was pressed, and its far end."""

    def open_lobby(size: dict[str, int] = DESK, theme: str = "light") -> tuple[Page, Peer]:
        context = open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce")
        page = sign_in(context, "bob", played=True)
        peer = Peer(page, "call")
        page.goto("/call/")
        return page, peer

    return open_lobby


def question(page: Page) -> Locator:
    return page.get_by_role("checkbox", name="Go on from your call of")


def hang_up(page: Page) -> None:
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("html")).to_have_attribute("data-stage", "ended")


@in_each_theme_and_size
def test_the_question_can_be_answered_by_everybody(open_lobby: OpenLobby, theme: str, size: dict[str, int]) -> None:
    page, _ = open_lobby(size, theme)
    expect(page.get_by_role("checkbox", name=f"Go on from your call of {WEEKDAY}? A trip")).not_to_be_checked()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    box = page.locator("label", has=question(page)).bounding_box()
    assert box is not None
    assert box["height"] >= 44


def test_unanswered_means_no_and_yes_goes_out_with_the_start(open_lobby: OpenLobby, earlier: str) -> None:
    page, peer = open_lobby()
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    page.reload()
    question(page).press("Space")
    peer.answers = False
    page.get_by_role("button", name="Start the call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the start")
    peer.answers = True
    peer.close(1011)
    peer.wait_for(lambda: len(peer.of("start")) == 3, "the page to come back")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.close(1011)
    peer.wait_for(lambda: len(peer.of("start")) == 4, "the page to come back once more")
    assert [start.get("goes_on_from") for start in peer.of("start")] == [None, earlier, earlier, None]


def test_the_first_line_leads_to_the_earlier_call_and_leaves_this_one_alone(
    open_lobby: OpenLobby, earlier: str
) -> None:
    page, peer = open_lobby()
    ended_at = (BEGAN_AT + timedelta(minutes=10)).isoformat()
    peer.ready |= {
        "transcript": [LINE],
        "goes_on_from": {"conversation": earlier, "title": "A trip", "ended_at": ended_at},
    }
    page.get_by_role("button", name="Start the call").click()
    line = page.get_by_role("article").filter(has_text=f"This call goes on from your call of {WEEKDAY}: A trip")
    link = line.get_by_role("link", name=f"your call of {WEEKDAY}")
    expect(link).to_have_attribute("href", f"/history/{earlier}/")
    expect(link).to_have_attribute("target", "_blank")
    assert violations(page) == []
    peer.say_ready(goes_on_from=None)
    expect(page.get_by_text("It goes on.")).to_be_visible()
    expect(link).to_have_count(0)


def test_after_a_call_the_question_is_about_that_one_and_about_the_one_before_if_nothing_was_said(
    open_lobby: OpenLobby, earlier: str
) -> None:
    page, peer = open_lobby(PHONE)
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    hang_up(page)
    expect(question(page)).to_have_accessible_name(f"Go on from your call of {WEEKDAY}? A trip")
    question(page).check()
    page.get_by_role("button", name="New call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second call")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.turn(1, "user", "Hello")
    expect(page.get_by_text("Hello", exact=True)).to_be_visible()
    hang_up(page)
    expect(question(page)).to_have_accessible_name("Go on from your call of a moment ago?")
    expect(question(page)).not_to_be_checked()
    assert violations(page) == []
    assert overflow_px(page) <= 0
    question(page).check()
    page.get_by_role("button", name="New call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 3, "the third call")
    assert [start.get("goes_on_from") for start in peer.of("start")] == [None, earlier, "c1"]
    assert [start.get("fresh", False) for start in peer.of("start")] == [False, True, True]


def test_where_the_present_call_can_be_had_back_nothing_is_asked(open_lobby: OpenLobby) -> None:
    page, peer = open_lobby()
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.turn(1, "user", "Hello")
    expect(page.locator("html")).to_have_attribute("data-turns", "1")
    peer.close(4409)
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    expect(question(page)).to_have_count(0)
    page.goto("/call/?continue=00000000-0000-4000-8000-000000000000")
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()
    expect(question(page)).to_have_count(0)


def test_always_is_ticked_and_can_be_undone_and_never_asks_nothing(
    web: WebServer, open_lobby: OpenLobby, earlier: str
) -> None:
    web.shell(SETTING.format(new_call="always"))
    page, peer = open_lobby()
    expect(question(page)).to_be_checked()
    expect(question(page)).to_have_accessible_name(f"Go on from your call of {WEEKDAY} A trip")
    question(page).uncheck()
    page.get_by_role("button", name="Start the call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 1, "the start")
    page.reload()
    expect(question(page)).to_be_checked()
    page.get_by_role("button", name="Start the call").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    assert [start.get("goes_on_from") for start in peer.of("start")] == [None, earlier]
    web.shell(SETTING.format(new_call="never"))
    page.reload()
    expect(page.get_by_role("button", name="Start the call")).to_be_visible()
    expect(question(page)).to_have_count(0)
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.turn(1, "user", "Hello")
    hang_up(page)
    expect(page.get_by_role("button", name="New call")).to_be_visible()
    expect(question(page)).to_have_count(0)
    web.shell(SETTING.format(new_call=""))
