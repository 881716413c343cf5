"""Conversations that survive what the provider does, told from the page: real server, real SDK, emulated provider."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.services.emulator import Emulator
from tests.services.processes import PATIENCE_S, wait_until
from tests.services.web import WebServer

HELLO = Path(__file__).parent / "fixtures" / "hello.wav"
IN_TIME = "60s"
"""An end that is announced so early comes after the next connection has taken over, however long that takes here."""


@pytest.fixture
def toasts(page: Page) -> list[str]:
    """The codes of all toasts that were shown, as they come."""
    codes: list[str] = []
    page.expose_function("noteToast", lambda code: codes.append(code))
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            new MutationObserver((changes) => {
                for (const change of changes) for (const node of change.addedNodes) noteToast(node.dataset.code);
            }).observe(document.querySelector("[data-toasts]"), { childList: true });
        });"""
    )
    return codes


def open_chat(page: Page) -> None:
    """Open a text chat without what earlier tests left in theirs."""
    page.goto("/text/")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    conversation = page.locator("html").get_attribute("data-conversation") or ""
    in_the_bar = page.locator("[data-new-chat]").first
    if in_the_bar.is_enabled():
        if not in_the_bar.is_visible():  # on a phone it is among the chats
            page.get_by_role("button", name="Chats").click()
        page.get_by_role("button", name="New chat").click()
        expect(page.locator("html")).to_have_attribute("data-conversation", re.compile(f"^(?!{conversation}$)."))
    expect(page.locator(".turn")).to_have_count(0)


def ask(page: Page, text: str) -> Locator:
    """Type and wait for the whole answer, which is given back."""
    answers = page.locator(".turn[data-role=model][data-status=complete]")
    before = answers.count()
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(answers).to_have_count(before + 1)
    return answers.last


def session_that_heard(emulator: Emulator, text: str) -> str:
    """The provider's session in which this was typed, as soon as it has come there. Sessions of earlier tests may still
    be there."""

    def sessions() -> list[str]:
        return [str(entry["session"]) for entry in emulator.entries("text_in") if entry["text"] == text]

    wait_until(lambda: bool(sessions()), PATIENCE_S, f"{text!r} at the provider")
    return sessions()[-1]


def openings(emulator: Emulator, session: str) -> list[dict[str, Any]]:
    """Each connection that this session was opened or resumed through."""
    return [entry for entry in emulator.entries("opened") if entry["session"] == session]


def hurt(emulator: Emulator, session: str, kind: str, **params: Any) -> None:
    """Let a fault happen to the present connection of a session."""
    emulator.fault(kind, connection=openings(emulator, session)[-1]["connection"], **params)


def let_handles_die(emulator: Emulator, session: str) -> None:
    """From now on the provider knows no handle of a session. While nothing happens a fresh one would come."""
    hurt(emulator, session, "withhold_handles")
    hurt(emulator, session, "dead_handle")


def swapped(emulator: Emulator, session: str) -> bool:
    """Whether a second connection has taken the place of the first."""
    first, *later = openings(emulator, session)
    is_open = {connection["id"] for connection in emulator.connections()}
    return bool(later) and first["connection"] not in is_open


def present_sessions(emulator: Emulator) -> set[str]:
    """The provider's sessions that are connected."""
    return {connection["session"] for connection in emulator.connections()}


def turns(page: Page) -> list[tuple[str, str]]:
    """Role and status of each line that is shown."""
    lines = page.locator(".turn").all()
    return [(line.get_attribute("data-role") or "", line.get_attribute("data-status") or "") for line in lines]


# --- Text -----------------------------------------------------------------------------------------


def test_a_go_away_is_nothing_but_a_state_and_the_code_word_is_still_known(
    page: Page, emulator: Emulator, toasts: list[str]
) -> None:
    open_chat(page)
    ask(page, "my code word is PLUM-42")
    session = session_that_heard(emulator, "my code word is PLUM-42")
    hurt(emulator, session, "go_away", time_left=IN_TIME)
    wait_until(lambda: swapped(emulator, session), PATIENCE_S, "the new connection")
    expect(ask(page, "what is my code word?")).to_contain_text("PLUM-42")
    assert [entry["resumed"] for entry in openings(emulator, session)] == [False, True]
    assert turns(page) == [("user", "complete"), ("model", "complete")] * 2
    assert toasts == []


def test_after_a_cut_the_code_word_is_still_known_and_there_is_one_toast_at_most(
    page: Page, emulator: Emulator, toasts: list[str]
) -> None:
    open_chat(page)
    ask(page, "my code word is PLUM-42")
    session = session_that_heard(emulator, "my code word is PLUM-42")
    hurt(emulator, session, "cut")
    wait_until(lambda: swapped(emulator, session), PATIENCE_S, "the new connection")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    expect(ask(page, "what is my code word?")).to_contain_text("PLUM-42")
    assert [entry["resumed"] for entry in openings(emulator, session)] == [False, True]
    assert turns(page) == [("user", "complete"), ("model", "complete")] * 2
    assert len(toasts) <= 1


def test_a_dead_handle_means_a_new_session_and_the_toast_says_so(
    page: Page, emulator: Emulator, toasts: list[str]
) -> None:
    open_chat(page)
    ask(page, "my code word is PLUM-42")
    session = session_that_heard(emulator, "my code word is PLUM-42")
    let_handles_die(emulator, session)
    hurt(emulator, session, "cut")
    expect(page.locator(".toast")).to_contain_text("A new session was started")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert turns(page)[:2] == [("user", "complete"), ("model", "complete")]
    expect(page.locator("[data-log]")).to_contain_text("my code word is PLUM-42")
    assert [code for code in toasts if code.endswith("resumed")] == []


def test_a_page_that_is_loaded_again_shows_its_transcript_and_uses_no_handle(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    ask(page, "my code word is PLUM-42")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    expect(page.locator("[data-log]")).to_contain_text("my code word is PLUM-42")
    expect(ask(page, "what is my code word?")).to_contain_text("PLUM-42")
    session = session_that_heard(emulator, "what is my code word?")
    assert session != session_that_heard(emulator, "my code word is PLUM-42")
    assert [entry["handle_given"] for entry in openings(emulator, session)] == [False]


def test_the_answer_is_spoken_aloud_and_can_be_silenced(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    ask(page, "say good morning to you")
    expect(page.locator("html")).to_have_attribute("data-output-peak", re.compile(r"0\.[1-9]"))
    page.get_by_role("switch").uncheck(force=True)
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")
    expect(page.locator("html")).to_have_attribute("data-output-level", "0.000")
    heard = page.locator("html").get_attribute("data-played-ms")
    ask(page, "say it again, please")
    assert page.locator("html").get_attribute("data-played-ms") == heard
    page.reload()
    expect(page.get_by_role("switch")).not_to_be_checked()


def test_an_answer_that_is_there_before_the_loudspeaker_is_heard_all_the_same(page: Page, emulator: Emulator) -> None:
    page.add_init_script(
        """const held = new Promise((resolve) => { window.letTheLoudspeakerLoad = resolve; });
        const { addModule } = AudioWorklet.prototype;
        AudioWorklet.prototype.addModule = async function (url) {
            await held;
            return addModule.call(this, url);
        };"""
    )
    open_chat(page)
    ask(page, "say good morning to you")
    assert page.locator("html").get_attribute("data-played-ms") is None
    page.evaluate("letTheLoudspeakerLoad()")
    expect(page.locator("html")).to_have_attribute("data-output-peak", re.compile(r"0\.[1-9]"))


def test_stopping_an_answer_marks_it_interrupted(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    page.get_by_role("textbox", name="Message").fill("tell me a long story")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(page.locator("[data-growing] .turn[data-role=model]")).to_have_count(1)
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".turn[data-status=interrupted]")).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")


def test_what_was_not_played_any_more_of_a_stopped_answer_is_marked_here_and_in_the_history(
    page: Page, emulator: Emulator
) -> None:
    open_chat(page)
    page.get_by_role("textbox", name="Message").fill("tell me a long story")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(page.locator("html")).to_have_attribute("data-played-ms", re.compile(r"^([2-9]\d{3}|\d{5,})$"))
    page.get_by_role("button", name="Stop the answer").click()
    unheard = page.locator(".turn[data-status=interrupted] .turn__unheard")
    expect(unheard).to_contain_text("Not heard:")
    rest = unheard.inner_text().removeprefix("Not heard:").strip()
    whole = page.locator(".turn[data-status=interrupted] .turn__body").inner_text()
    assert rest
    assert len(whole) > len(rest) + len("Not heard:") + 10
    expect(page.locator(".turn[data-role=user]")).to_have_attribute("data-delivery", "delivered")  # and all is stored
    page.goto(f"/history/{page.locator('html').get_attribute('data-conversation')}/")
    # Where it begins is told once more when the page has said how far it came; where it ends stays.
    expect(page.locator(".turn__unheard").last).to_contain_text(rest[-20:])


def test_a_new_chat_knows_nothing_of_the_one_before_which_is_kept_and_goes_on(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    ask(page, "my code word is PLUM-42")
    first = page.locator("html").get_attribute("data-conversation")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    expect(ask(page, "what is my code word?")).not_to_contain_text("PLUM-42")
    page.get_by_role("button", name="Chats").click()
    chats = page.get_by_role("dialog", name="Chats").locator(".chat")
    expect(chats.nth(0).locator(".chat__title[aria-current=page]")).to_have_text("what is my code word?")
    chats.nth(1).get_by_role("button", name=re.compile("^Pin")).click()
    pinned = page.get_by_role("dialog", name="Chats").locator(".chat[data-pinned]")
    expect(pinned.get_by_role("button", name=re.compile("^Unpin"))).to_be_focused()
    pinned.get_by_role("link", name="Rename").click()
    page.get_by_label("Title").fill("Plums")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/text/$"))
    pinned.get_by_role("link", name="Plums", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-conversation", first or "")
    expect(page).to_have_url(re.compile("/text/$"))
    expect(page.locator(".turn")).to_have_count(2)
    expect(ask(page, "what is my code word?")).to_contain_text("PLUM-42")
    page.reload()
    expect(page.locator(".turn")).to_have_count(4)
    page.get_by_role("button", name="New chat").click()
    page.get_by_role("link", name="Go back to it").click()
    expect(page.locator(".turn")).to_have_count(4)


def test_a_draft_is_still_there_after_the_page_is_loaded_again(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    box = page.get_by_role("textbox", name="Message")
    box.fill("not sent yet")
    page.reload()
    expect(box).to_have_value("not sent yet")


def test_the_longest_message_is_counted_and_one_longer_cannot_be_sent(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    box = page.get_by_role("textbox", name="Message")
    box.fill("x" * 32_000)
    expect(page.get_by_text("32,000 of 32,000")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    box.fill("x" * 32_001)
    expect(page.get_by_role("button", name="Send")).to_be_disabled()


# --- Calls ----------------------------------------------------------------------------------------


@pytest.fixture
def caller(web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]) -> Page:
    """Bob on the call page, whose microphone hears a greeting."""
    page = sign_in(open_context(web, wav=HELLO), "bob")
    page.goto("/call/")
    return page


def test_a_spoken_call_is_transcribed_answered_aloud_and_survives_a_go_away(caller: Page, emulator: Emulator) -> None:
    caller.get_by_role("button", name="Start the call").click()
    said = caller.locator(".turn[data-role=user][data-status=complete] .turn__body").first
    expect(said).not_to_be_empty()
    expect(caller.locator(".turn[data-role=model][data-status=complete]")).to_have_count(1)
    expect(caller.locator("html")).to_have_attribute("data-output-peak", re.compile(r"0\.[1-9]"))
    expect(caller.locator("html")).to_have_attribute("data-played-ms", re.compile(r"^([5-9]\d\d|\d{4,})$"))

    session = emulator.entries("speech_in")[-1]["session"]
    hurt(emulator, session, "go_away", time_left=IN_TIME)
    wait_until(lambda: swapped(emulator, session), PATIENCE_S, "the new connection")
    assert [entry["resumed"] for entry in openings(emulator, session)] == [False, True]
    answer = ask(caller, "what did I say first?")
    expect(answer).to_contain_text(said.inner_text())
    expect(caller.locator(".toast")).to_have_count(0)


@pytest.fixture
def silent_caller(sign_in_quietly: Callable[..., Page]) -> Page:
    """Bob on the call page in a quiet room."""
    page = sign_in_quietly("bob")
    page.goto("/call/")
    return page


def test_a_call_that_is_loaded_again_starts_empty_and_uses_no_handle(silent_caller: Page, emulator: Emulator) -> None:
    caller = silent_caller
    caller.get_by_role("button", name="Start the call").click()
    ask(caller, "my code word is PLUM-42")
    caller.reload()
    caller.get_by_role("button", name="Begin a new call").click()
    expect(caller.locator("html")).to_have_attribute("data-state", "live")
    expect(caller.locator("[data-log]")).not_to_contain_text("PLUM-42")
    expect(ask(caller, "what is my code word?")).not_to_contain_text("PLUM-42")
    session = session_that_heard(emulator, "what is my code word?")
    assert [entry["handle_given"] for entry in openings(emulator, session)] == [False]


def test_a_call_that_was_left_goes_on_with_all_that_was_said_when_its_user_wants_that(silent_caller: Page) -> None:
    caller = silent_caller
    caller.get_by_role("button", name="Start the call").click()
    ask(caller, "my code word is PLUM-42")
    caller.reload()
    caller.get_by_role("button", name="Continue", exact=True).click()
    expect(caller.locator("[data-log]")).to_contain_text("PLUM-42")
    expect(ask(caller, "what is my code word?")).to_contain_text("PLUM-42")


def test_speaking_over_a_reply_silences_it_at_once(
    web: WebServer,
    emulator: Emulator,
    open_context: Callable[..., BrowserContext],
    sign_in: Callable[..., Page],
) -> None:
    page = sign_in(open_context(web), "bob")
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Mute").click()  # the beep that is heard now would be speech already under way
    page.get_by_role("textbox", name="Message").fill("tell me a long story")
    page.get_by_role("textbox", name="Message").press("Enter")
    story = page.locator(".turn[data-role=model]", has_text="lighthouse")
    expect(story).to_have_attribute("data-status", "partial")
    page.get_by_role("button", name="Unmute").click()
    expect(story).to_have_attribute("data-status", "interrupted")
    expect(page.locator("html")).to_have_attribute("data-queued-ms", "0")


def test_after_hanging_up_the_provider_is_let_go(silent_caller: Page, emulator: Emulator) -> None:
    caller = silent_caller
    caller.get_by_role("button", name="Start the call").click()
    ask(caller, "hello in writing")
    session = session_that_heard(emulator, "hello in writing")
    caller.get_by_role("button", name="Hang up").click()
    expect(caller.get_by_role("heading", name="Call ended")).to_be_visible()
    wait_until(lambda: session not in present_sessions(emulator), PATIENCE_S, "the end of the connection")


def test_a_message_that_is_not_answered_says_so_and_can_be_asked_again(page: Page, emulator: Emulator) -> None:
    open_chat(page)
    ask(page, "my code word is PLUM-42")
    session = session_that_heard(emulator, "my code word is PLUM-42")
    hurt(emulator, session, "empty_turn", count=1)
    page.get_by_role("textbox", name="Message").fill("What is my code word?")
    page.get_by_role("textbox", name="Message").press("Enter")
    notice = page.locator(".turn[data-role=system]").last
    expect(notice).to_contain_text("No answer was given to this.")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")
    notice.get_by_role("button", name="Ask again").click()
    answers = page.locator(".turn[data-role=model]")
    expect(answers).to_have_count(2)
    expect(answers.last).to_contain_text("PLUM-42")
