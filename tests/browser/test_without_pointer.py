"""A call from its beginning to where it is found again, by keys alone and by the accessibility tree alone: through five
faults and to another device and back, with the true state of the line in the tree at each step."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_scenarios import IN_TIME, hurt, let_handles_die, openings, session_that_heard
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, PATIENCE_S, wait_until

ANSWER_MS = ANSWERS_WITHIN_S * 1000
LOOK_EVERY_MS = 250
MOST_TABS = 90


FAULTS: dict[str, dict[str, Any]] = {
    "go_away": {"time_left": IN_TIME},
    "cut": {},
    "close": {"code": 1011},
    "dead_handle": {},
}
"""What the provider does to the line, one after the other; the fifth fault is the network's."""


class Means(Protocol):
    """How somebody acts who sees no page and has no pointer."""

    def press(self, page: Page, role: str, name: str) -> None:
        """A button or a link."""

    def say(self, page: Page, text: str) -> None:
        """Type a message and send it."""


class Keys:
    """Tab, Enter, Escape and letters."""

    def press(self, page: Page, role: str, name: str) -> None:
        self._go_to(page, wanted(page, role, name))
        page.keyboard.press("Enter")

    def say(self, page: Page, text: str) -> None:
        self._go_to(page, wanted(page, "textbox", "Message"))
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    def _go_to(self, page: Page, target: Locator) -> None:
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate("(element) => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")


class Tree:
    """What assistive technology does: finds things by role and name, and sets them off without going there."""

    def press(self, page: Page, role: str, name: str) -> None:
        target = wanted(page, role, name)
        expect(target).to_be_visible()
        target.dispatch_event("click")

    def say(self, page: Page, text: str) -> None:
        wanted(page, "textbox", "Message").fill(text)
        self.press(page, "button", "Send")


def wanted(page: Page, role: str, name: str) -> Locator:
    return page.get_by_role(role, name=re.compile(rf"^{re.escape(name)}")).first  # type: ignore[arg-type]


def expect_in_tree(page: Page, words: str) -> None:
    """The accessibility tree of the page comes to hold these words."""
    pattern = re.compile(words)
    for _ in range(ANSWER_MS // LOOK_EVERY_MS):
        if pattern.search(page.locator("body").aria_snapshot()):
            return
        page.wait_for_timeout(LOOK_EVERY_MS)
    raise AssertionError(f"nobody is told {words!r}; the tree is\n{page.locator('body').aria_snapshot()}")


@pytest.fixture(params=[Keys(), Tree()], ids=["by keys", "by the tree"])
def means(request: pytest.FixtureRequest) -> Means:
    chosen: Means = request.param
    return chosen


@pytest.fixture
def page(sign_in_quietly: Callable[..., Page]) -> Page:
    """A page of Alice's in a quiet room."""
    return sign_in_quietly("alice")


@pytest.fixture
def phone(sign_in_quietly: Callable[..., Page]) -> Page:
    """Alice's other device."""
    return sign_in_quietly("alice")


def hurt_until_another_takes_over(emulator: Emulator, session: str, fault: str) -> None:
    before = len(openings(emulator, session))
    hurt(emulator, session, fault, **FAULTS[fault])
    wait_until(lambda: len(openings(emulator, session)) > before, PATIENCE_S, "the new connection")


def answers_on(page: Page) -> Locator:
    return page.locator(".turn[data-role=model][data-status=complete]")


def ask(means: Means, page: Page, before: int) -> None:
    """The model still knows what it was told; its answer is in the tree, behind those that were there `before`."""
    answers = answers_on(page)
    expect(answers).to_have_count(before)
    means.say(page, "What is my code word?")
    expect(answers).to_have_count(before + 1)
    assert "PLUM-42" in answers.last.aria_snapshot()


def test_a_call_through_five_faults_and_to_another_device_needs_no_pointer_and_no_sight(
    means: Means, page: Page, phone: Page, emulator: Emulator
) -> None:
    page.goto("/")
    means.press(page, "link", "Call")
    page.wait_for_url("**/call/")
    means.press(page, "button", "Start the call")
    expect_in_tree(page, "Listening|Muted")
    means.press(page, "button", "Mute")
    expect_in_tree(page, 'button "Unmute"')
    means.say(page, "my code word is PLUM-42")
    expect_in_tree(page, "PLUM-42")
    session = session_that_heard(emulator, "my code word is PLUM-42")

    for answered, fault in enumerate(FAULTS, start=1):
        expect(answers_on(page)).to_have_count(answered)
        if fault == "dead_handle":
            let_handles_die(emulator, session)
            hurt(emulator, session, "cut")
            expect_in_tree(page, "new session was started")
        else:
            hurt_until_another_takes_over(emulator, session, fault)
        expect(page.locator("html")).to_have_attribute("data-state", "live")
        ask(means, page, answered)
    page.context.set_offline(True)
    expect_in_tree(page, "You are offline")
    page.context.set_offline(False)
    expect_in_tree(page, "Listening|Muted")
    ask(means, page, len(FAULTS) + 1)

    means.press(page, "button", "Other device")
    expect_in_tree(page, 'textbox "Link"')
    phone.goto(page.get_by_role("textbox", name="Link").input_value())
    means.press(phone, "button", "Continue the call")
    expect_in_tree(phone, 'button "Mute"')
    expect_in_tree(page, 'heading "Call moved"')
    means.press(phone, "button", "Mute")
    ask(means, phone, len(FAULTS) + 2)
    means.press(page, "button", "Take it back")
    expect_in_tree(phone, 'heading "Call moved"')
    ask(means, page, len(FAULTS) + 3)

    means.press(page, "button", "Hang up")
    expect_in_tree(page, "Call ended|hung up")
    means.press(page, "link", "History")
    page.wait_for_url("**/history/")
    search = page.get_by_role("searchbox").first
    if isinstance(means, Keys):
        means._go_to(page, search)
        page.keyboard.type("PLUM-42")
        page.keyboard.press("Enter")
    else:
        search.fill("PLUM-42")
        means.press(page, "button", "Search")
    expect_in_tree(page, "code word is.*PLUM-42")
