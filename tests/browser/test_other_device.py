"""A call goes on on another device: told from both pages, over a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.peer import Peer
from tests.browser.test_scenarios import ask
from tests.services.emulator import Emulator


@pytest.fixture
def page(sign_in_quietly: Callable[..., Page]) -> Page:
    """The call page of Alice's in a quiet room: what is heard before she mutes it would be answered, too."""
    return sign_in_quietly("alice")


@pytest.fixture
def phone(sign_in_quietly: Callable[..., Page]) -> Page:
    """Another browser in which Alice is logged in, in the hand."""
    return sign_in_quietly("alice", viewport={"width": 390, "height": 844})


def start_call(page: Page) -> None:
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def shown_link(page: Page) -> str:
    page.get_by_role("button", name="Other device").click()
    expect(page.get_by_role("img", name="Code of the link")).to_be_visible()
    return page.get_by_role("textbox", name="Link").input_value()


def test_a_call_is_taken_to_another_browser_and_back_with_everything_that_was_said(
    page: Page, phone: Page, emulator: Emulator
) -> None:
    start_call(page)
    ask(page, "my code word is PLUM-42")
    link = shown_link(page)
    phone.goto(link)
    expect(phone.get_by_role("heading", name="Continue your call here")).to_be_visible()
    phone.get_by_role("button", name="Continue the call").click()
    expect(phone.locator("html")).to_have_attribute("data-state", "live")
    expect(phone.locator(".turn").first).to_contain_text("PLUM-42")
    assert "take=" not in phone.url
    expect(page.get_by_role("heading", name="Call moved")).to_be_visible()
    expect(ask(phone, "What is my code word?")).to_contain_text("PLUM-42")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    expect(phone.get_by_role("heading", name="Call moved")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(4)
    expect(ask(page, "Tell me my code word again.")).to_contain_text("PLUM-42")
    assert len({entry["session"] for entry in emulator.entries("text_in")}) == 1
    page.get_by_role("button", name="Hang up").click()


def test_a_link_that_was_used_says_so_and_offers_a_new_call(page: Page, phone: Page) -> None:
    start_call(page)
    link = shown_link(page)
    page.get_by_role("button", name="Stay here").click()
    phone.goto(link)
    phone.get_by_role("button", name="Continue the call").click()
    expect(phone.locator("html")).to_have_attribute("data-state", "live")
    phone.get_by_role("button", name="Hang up").click()
    phone.goto(link)
    phone.get_by_role("button", name="Continue the call").click()
    expect(phone.locator("[data-ended-reason]")).to_contain_text("was used already")
    expect(phone.get_by_role("button", name="New call")).to_be_visible()


def test_a_page_that_is_asked_to_release_sends_what_it_has_and_says_so(played_page: Page) -> None:
    peer = Peer(played_page, "call")
    start_call(played_page)
    peer.wait_for(lambda: len(peer.of("audio")) > 5, "frames")
    peer.say("release")
    peer.wait_for(lambda: bool(peer.of("released")), "the answer")
    assert peer.heard.index(peer.of("released")[0]) > peer.heard.index(peer.of("audio")[-1])


def test_a_page_that_takes_a_call_over_numbers_its_frames_from_where_the_other_stood(played_page: Page) -> None:
    peer = Peer(played_page, "call", action="attached", ack=70, next=100)
    played_page.goto("/call/?take=ticket-1")
    played_page.get_by_role("button", name="Continue the call").click()
    peer.wait_for(lambda: len(peer.of("audio")) > 5, "frames")
    assert peer.of("start")[0]["take"] == "ticket-1"
    assert peer.numbers()[:3] == [100, 101, 102]


def test_when_no_link_can_be_made_the_dialog_says_why_and_tries_again(played_page: Page) -> None:
    Peer(played_page, "call")
    start_call(played_page)
    played_page.get_by_role("button", name="Other device").click()
    expect(played_page.get_by_role("dialog")).to_contain_text("There is no call that could go on elsewhere.")
    expect(played_page.get_by_role("button", name="New code")).to_be_visible()
    played_page.keyboard.press("Escape")
    expect(played_page.get_by_role("dialog")).to_be_hidden()
