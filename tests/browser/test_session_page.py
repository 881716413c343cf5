"""The session page while the provider does what it does: its figures are those of the emulator's log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.test_accessibility import in_each_theme_and_size, overflow_px, violations
from tests.browser.test_messages import NOTE_WORDS
from tests.browser.test_scenarios import (
    IN_TIME,
    ask,
    hurt,
    let_handles_die,
    open_chat,
    openings,
    session_that_heard,
)
from tests.services.emulator import Emulator
from tests.services.web import WebServer

CODE_WORD = "my code word is PLUM-77"
ANYTHING = re.compile(".*")

Looking = tuple[Page, Page]


@pytest.fixture
def looking(web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]) -> Looking:
    """The text chat, and beside it the session page of the same user."""
    context = open_context(web)
    chat = sign_in(context, "alice")
    page = context.new_page()
    return chat, page


def figure(page: Page, name: str, mode: str = "text") -> Locator:
    return page.locator(f"[data-session-mode={mode}] [data-figure={name}]")


def card(page: Page, mode: str = "text") -> Locator:
    return page.locator(f"[data-session-mode={mode}]")


def expect_newest_swap(
    page: Page,
    why: str | re.Pattern[str] = ANYTHING,
    kind: str | re.Pattern[str] = ANYTHING,
    how: str | re.Pattern[str] = ANYTHING,
) -> None:
    """The newest swap comes to be this one. It is told by its row, which is stored when the session has moved on."""
    newest = card(page).locator("[data-swaps] tbody tr").first
    expect(newest.locator("td")).to_have_text([why, kind, how, ANYTHING])


def report(page: Page, words: bool = False) -> dict[str, Any]:
    told: dict[str, Any] = page.request.get(f"/api/session/{'?words=1' if words else ''}").json()
    return told


def handles(emulator: Emulator) -> set[str]:
    """Every handle that the provider has issued."""
    return {str(value) for entry in emulator.log() for name, value in entry.items() if name == "handle" and value}


def test_through_go_away_cut_and_dead_handle_the_figures_are_those_of_the_provider(
    looking: Looking, emulator: Emulator
) -> None:
    chat, page = looking
    open_chat(chat)
    page.goto("/session/")
    ask(chat, CODE_WORD)
    session = session_that_heard(emulator, CODE_WORD)
    expect(card(page)).to_have_attribute("data-state", "live")
    expect(figure(page, "handle")).to_have_text("there")
    expect(figure(page, "connections")).not_to_have_text("0")
    before = int(figure(page, "connections").inner_text())

    hurt(emulator, session, "go_away", time_left=IN_TIME)
    expect(figure(page, "connections")).to_have_text(str(before + 1))
    expect(figure(page, "action")).to_have_text("resumed by its handle")
    expect_newest_swap(page, "Announced by Gemini", "planned", "resumed")
    assert [entry["resumed"] for entry in openings(emulator, session)] == [False, True]

    hurt(emulator, session, "cut")
    expect(figure(page, "connections")).to_have_text(str(before + 2))
    expect_newest_swap(page, "Connection lost", "unplanned", "resumed")
    assert [entry["resumed"] for entry in openings(emulator, session)] == [False, True, True]

    card(page).get_by_role("button", name="Refresh").click()
    expect(figure(page, "connections")).to_have_text(str(before + 3))
    expect_newest_swap(page, "You asked for it", "planned", "resumed")
    assert len(openings(emulator, session)) == 4

    let_handles_die(emulator, session)
    hurt(emulator, session, "cut")
    expect(figure(page, "action")).to_have_text("rebuilt, given the conversation")
    expect_newest_swap(page, how="rebuilt")
    expect(ask(chat, "what is my code word?")).to_contain_text("PLUM-77")

    expect(figure(page, "turns")).to_have_text(re.compile("^[2-9]"))
    told = report(page)["modes"]["text"]
    assert told["connections"] == int(figure(page, "connections").inner_text())
    assert told["lost"] == {"ms": 0, "messages": 0}
    assert told["usage"]["turns"] >= 2
    said = json.dumps(report(page))
    issued = handles(emulator)
    assert issued
    assert not [handle for handle in issued if handle in said or handle in page.content()]
    assert "PLUM-77" not in said
    assert "PLUM-77" in json.dumps(report(page, words=True))


def test_quota_that_runs_out_is_shown_as_a_lower_level_and_another_model(
    looking: Looking, emulator: Emulator, web: WebServer
) -> None:
    chat, page = looking
    open_chat(chat)
    page.goto("/session/")
    expect(card(page)).to_have_attribute("data-state", "live")
    expect(figure(page, "level")).to_have_text("3 of 3, full")
    model = figure(page, "model").inner_text()
    try:
        emulator.fault("quota", model=model, limit="day", connection="all")
        ask(chat, "are you still there?")
        expect(figure(page, "level")).to_have_text("2 of 3, reduced")
        expect(figure(page, "model")).not_to_have_text(model)
        session = session_that_heard(emulator, "are you still there?")
        expect(figure(page, "model")).to_have_text(openings(emulator, session)[-1]["model"])
        expect_newest_swap(page, kind="unplanned")
    finally:
        emulator.disarm()
        web.shell(
            "from energy.models import EnergyState, ModelQuota\n"
            "ModelQuota.objects.all().delete(); EnergyState.objects.all().delete()"
        )


def test_what_is_wished_for_a_session_happens_on_its_page_and_an_end_is_asked_about_first(
    looking: Looking, emulator: Emulator
) -> None:
    chat, page = looking
    open_chat(chat)
    ask(chat, CODE_WORD)
    page.goto("/session/")
    hurt(emulator, session_that_heard(emulator, CODE_WORD), "withhold_handles")  # a fresh one would come soon
    card(page).get_by_role("button", name="Forget the handle").click()
    expect(card(page).locator("[data-result]")).to_have_text("The handle is forgotten.")
    expect(figure(page, "handle")).to_have_text("none")

    card(page).get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(chat.locator(".turn")).to_have_count(2)
    card(page).get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(card(page).locator("[data-result]")).to_have_text("A new conversation has begun.")
    expect(chat.locator(".turn")).to_have_count(0)
    expect(ask(chat, "what is my code word?")).not_to_contain_text("PLUM-77")

    card(page).get_by_role("button", name="Disconnect").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(chat.locator("html")).to_have_attribute("data-state", "ended")
    expect(card(page)).to_have_attribute("data-state", "none")
    expect(card(page)).to_contain_text("hung up")
    expect(card(page).get_by_role("link", name="Go to the text chat")).to_be_visible()


def test_the_report_can_be_copied_and_has_what_was_said_only_when_that_is_wanted(
    looking: Looking, emulator: Emulator
) -> None:
    chat, page = looking
    open_chat(chat)
    ask(chat, CODE_WORD)
    page.goto("/session/")
    # What was copied cannot be read there: the server's policy forbids it.
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    expect(card(page)).to_have_attribute("data-state", "live")
    button = page.get_by_role("button", name="Copy as JSON")
    button.evaluate(NOTE_WORDS)
    button.click()
    page.wait_for_function("() => window.words.includes('Copied')")
    copied = page.evaluate("window.copied")
    told = json.loads(copied)["modes"]["text"]
    assert told["active"]
    assert told["conversation"] == chat.locator("html").get_attribute("data-conversation")
    assert "PLUM-77" not in copied
    page.get_by_role("checkbox").check()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "holdline-session.json"
    assert "PLUM-77" in download.value.path().read_text(encoding="utf-8")


def test_a_token_for_a_client_of_ones_own_is_shown_once_and_a_refusal_said(looking: Looking) -> None:
    _, page = looking
    page.goto("/session/")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.get_by_role("button", name="Create token").click()
    token = page.get_by_label("The token.")
    expect(token).to_have_value(re.compile("^auth_tokens/."))
    expect(token).to_be_focused()
    expect(page.locator("[data-token-said]")).to_contain_text("It can begin one session with ")
    button = page.get_by_role("button", name="Copy the token")
    button.evaluate(NOTE_WORDS)
    button.click()
    page.wait_for_function("() => window.words.includes('Copied')")
    assert page.evaluate("window.copied") == token.input_value()
    assert violations(page, "[data-tokens]") == []
    box = page.get_by_role("checkbox").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    refusal = {"error": {"code": "day_spent", "text": "You have had as many tokens as you may in 24 hours."}}
    page.route("**/api/tokens/", lambda route: route.fulfill(status=429, json=refusal))
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("[data-token-said]")).to_have_text(refusal["error"]["text"])
    expect(token).to_be_hidden()
    expect(token).to_have_value("")


@in_each_theme_and_size
def test_the_session_page_can_be_used_by_everybody(
    web: WebServer,
    emulator: Emulator,
    open_context: Callable[..., BrowserContext],
    sign_in: Callable[..., Page],
    theme: str,
    size: dict[str, int],
) -> None:
    context = open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce")
    chat = sign_in(context, "alice")
    open_chat(chat)
    ask(chat, CODE_WORD)
    hurt(emulator, session_that_heard(emulator, CODE_WORD), "cut")
    page = context.new_page()
    page.goto("/session/")
    expect(card(page).locator("[data-swaps] tbody tr")).not_to_have_count(0)
    card(page).get_by_text("The same as a table").click()
    assert "gap" in (card(page).get_by_role("img").get_attribute("aria-label") or "")
    assert violations(page) == []
    assert overflow_px(page) <= 0
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) <= 0
    page.evaluate("document.documentElement.style.fontSize = ''")
    card(page).get_by_role("button", name="Reset").click()
    assert violations(page) == []
    page.keyboard.press("Escape")


def test_a_page_that_nobody_can_see_asks_for_nothing(looking: Looking) -> None:
    _, page = looking
    page.goto("/session/")
    expect(page.locator("html")).to_have_attribute("data-link", "told")
    page.evaluate(
        """Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));"""
    )
    expect(page.locator("html")).to_have_attribute("data-link", "hidden")
    page.evaluate("delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("html")).to_have_attribute("data-link", "told")
