"""What a page does when its connection closes, and what it shows of what the server says. The server is the test."""

import re
import time
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.peer import Peer


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


@pytest.fixture
def peer(page: Page) -> Peer:
    """The far end of a text chat that is open."""
    peer = Peer(page, "text")
    page.goto("/text/")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    return peer


@pytest.fixture
def still(page: Page) -> Peer:
    """The same where no time passes in the page but what `page.clock.run_for` lets pass; nothing is drawn without."""
    page.clock.install()
    page.clock.pause_at(time.time() + 60)
    peer = Peer(page, "text")
    page.goto("/text/")
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    return peer


NOTHING_WAITS = """() => {
    const later = setTimeout;
    window.setTimeout = (run, ms) => later(run, ms > 0 ? ms + 600_000 : 0);
}"""
"""Only what is to happen at once does."""

FRAME_MS = 50
"""Longer than it takes to draw."""


def send(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("textbox", name="Message").press("Enter")


def status(page: Page) -> str:
    return page.locator("[data-status-word]").inner_text()


def test_a_page_begins_with_a_name_that_it_keeps_in_memory_only(page: Page, peer: Peer) -> None:
    start = peer.heard[0]
    assert start["type"] == "start"
    assert start["last_down"] == -1
    assert uuid.UUID(start["page_id"]).version == 4
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert start["page_id"] not in stored
    page.reload()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the start of the page that was loaded again")
    assert peer.of("start")[1]["page_id"] != start["page_id"]


@pytest.mark.parametrize("code", [4012, 4500, 4408])
def test_a_connection_that_is_lost_is_opened_again_at_once_by_the_same_page(page: Page, peer: Peer, code: int) -> None:
    peer.play(0, 300)
    send(page, "one")
    peer.wait_for(lambda: len(peer.of("text")) == 1, "the message")
    page.evaluate(NOTHING_WAITS)
    peer.close(code)
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    first, second = peer.of("start")
    assert second["page_id"] == first["page_id"]
    assert second["last_down"] == 2
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def test_a_typed_message_is_sent_again_until_it_is_acknowledged(page: Page, peer: Peer) -> None:
    send(page, "one")
    send(page, "two")
    peer.wait_for(lambda: len(peer.of("text")) == 2, "both messages")
    peer.say("ack", audio=0, ids=[peer.of("text")[0]["id"]])
    expect(page.locator(".turn[data-delivery=delivered]")).to_have_count(1)
    peer.close(4012)
    peer.wait_for(lambda: len(peer.of("text")) == 3, "the message that was not acknowledged")
    assert peer.of("text")[2] == peer.of("text")[1]


def test_a_message_typed_without_a_connection_waits_for_it(page: Page, peer: Peer) -> None:
    peer.answers = False
    peer.close(4012)
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    send(page, "are you there?")
    expect(page.locator(".turn[data-delivery=sending]")).to_contain_text("are you there?")
    assert not peer.of("text")
    peer.say_ready(action="attached")
    expect(page.locator(".turn[data-delivery=sent]")).to_contain_text("are you there?")


def test_a_reply_that_ended_while_the_page_was_away_is_over_and_one_that_did_not_goes_on(
    page: Page, peer: Peer
) -> None:
    peer.turn(0, "user", "Tell me a story.")
    peer.turn(1, "model", "Once upon a", "partial")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "speaking")
    story = {"turn": 1, "role": "model", "text": "Once upon a time.", "status": "complete"}
    peer.ready |= {"action": "attached", "transcript": [story]}
    peer.close(4012)
    expect(page.locator(".turn")).to_have_text([re.compile("story"), re.compile("time")])
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")
    peer.turn(2, "user", "And then?")
    peer.turn(3, "model", "Then", "partial")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "speaking")
    peer.ready["transcript"] = [story, {"turn": 3, "role": "model", "text": "Then a prince", "status": "partial"}]
    peer.close(4012)
    expect(page.locator("[data-growing]")).to_contain_text("a prince")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "speaking")


def test_a_message_stands_once_when_its_turn_comes_and_once_after_a_reconnection(page: Page, peer: Peer) -> None:
    send(page, "only once")
    peer.wait_for(lambda: len(peer.of("text")) == 1, "the message")
    line = {"turn": 0, "role": "user", "text": "only once", "status": "complete", "id": peer.of("text")[0]["id"]}
    peer.say("turn", **line)
    expect(page.locator(".turn[data-turn='0']")).to_be_visible()
    expect(page.locator(".turn[data-role=user]")).to_have_count(1)
    answer = {"turn": 1, "role": "model", "text": "Yes, once.", "status": "complete"}
    peer.ready |= {"action": "attached", "transcript": [line, answer]}
    peer.close(4012)
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    expect(page.locator(".turn[data-turn='1']")).to_be_visible()
    expect(page.locator(".turn[data-role=user]")).to_have_count(1)


def test_a_visitor_whose_session_ended_goes_to_log_in_and_comes_back(page: Page, peer: Peer) -> None:
    page.context.clear_cookies()
    peer.close(4401)
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=%2Ftext%2F&closed=1$"))
    expect(page.get_by_text("You were logged out, and your line was closed.")).to_be_visible()


def test_a_server_that_says_nothing_any_more_is_noticed_within_three_seconds(page: Page, still: Peer) -> None:
    send(page, "are you there?")
    page.clock.run_for(FRAME_MS)
    expect(page.locator(".turn[data-delivery=sent]")).to_have_count(1)
    still.answers_pings = False
    page.clock.run_for(3000)
    expect(page.locator("html")).to_have_attribute("data-state", "reconnecting")
    assert status(page) == "Reconnecting"
    expect(page.locator(".turn[data-delivery=sending]")).to_contain_text("are you there?")


def test_a_connection_that_goes_on_after_a_silence_is_kept_and_the_server_is_told_how_long_it_was(
    page: Page, still: Peer
) -> None:
    still.answers_pings = False
    page.clock.run_for(3000)
    expect(page.locator("html")).to_have_attribute("data-state", "reconnecting")
    send(page, "kept meanwhile")
    page.clock.run_for(FRAME_MS)
    expect(page.locator(".turn[data-delivery=sending]")).to_have_count(1)
    still.answers_pings = True
    still.say("pong", t=1)
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    still.wait_for(lambda: len(still.of("text")) == 1, "the message")
    assert [ping["away_ms"] > 1000 for ping in still.of("ping") if "away_ms" in ping] == [True]
    assert len(still.sockets) == 1


def test_a_page_that_comes_back_over_a_new_connection_says_how_long_it_was_away(page: Page, peer: Peer) -> None:
    assert "away_ms" not in peer.of("start")[0]
    peer.answers = peer.answers_pings = False
    peer.close(1011)
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    peer.close(1011)
    peer.wait_for(lambda: len(peer.of("start")) == 3, "the third start")
    first, second = peer.of("start")[1:]
    assert 0 < first["away_ms"] < second["away_ms"]


def test_a_browser_without_network_says_so_at_once_unless_the_server_answers_all_the_same(
    page: Page, peer: Peer
) -> None:
    page.context.set_offline(True)
    peer.wait_for(lambda: bool(peer.of("ping")), "a ping")
    page.wait_for_timeout(1500)
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    peer.answers_pings = False
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("[data-status-word]")).to_have_text("Offline")
    peer.answers_pings = True
    page.context.set_offline(False)
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def test_what_was_dialled_without_a_network_is_dialled_again_as_soon_as_there_is_one(page: Page, peer: Peer) -> None:
    page.evaluate(
        """() => {
            window.dials = 0;
            window.WebSocket = class {
                static OPEN = 1;
                readyState = 0;
                constructor() { window.dials += 1; }
                close() {}
            };
        }"""
    )
    peer.close(4012)
    peer.wait_for(lambda: page.evaluate("window.dials") == 1, "the dial")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    assert page.evaluate("window.dials") == 2


def test_audio_that_the_server_refused_is_sent_again_after_a_moment_and_without_a_word(page: Page) -> None:
    peer = Peer(page, "call")
    page.goto("/call/")
    page.locator("[data-start]").click()
    peer.wait_for(lambda: len(peer.of("audio")) > 10, "audio")
    heard = len(peer.of("audio"))
    peer.say("error", code="limit.audio_rate", text="Audio may come 3 times as fast.", fatal=False, audio=4)
    peer.wait_for(lambda: 4 in peer.numbers()[heard:], "the frame that was refused")
    again = peer.numbers()[peer.numbers().index(4, heard) :]
    peer.wait_for(lambda: len(peer.numbers()) > heard + 20, "what follows")
    again = peer.numbers()[peer.numbers().index(4, heard) :]
    assert again == list(range(4, 4 + len(again)))
    expect(page.locator("[data-notice]")).to_be_hidden()


@pytest.mark.parametrize("code", [4400, 4403, 4413, 4429])
def test_after_a_final_refusal_the_page_stops_and_says_why(page: Page, peer: Peer, code: int) -> None:
    send(page, "hello")
    peer.wait_for(lambda: len(peer.of("text")) == 1, "the message")
    peer.close(code)
    expect(page.locator("html")).to_have_attribute("data-state", "stopped")
    expect(page.locator("[data-status-detail]")).not_to_be_empty()
    expect(page.locator(".turn[data-delivery=failed]")).to_contain_text("Send again")
    assert len(peer.sockets) == 1
    page.get_by_role("button", name="Reload").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the page that was loaded again")


def test_a_page_too_many_says_so_and_comes_back_only_when_it_is_told_to(page: Page, peer: Peer) -> None:
    peer.say("error", code="limit.sockets", text="Too many of your pages are open.", fatal=True)
    peer.close(4429)
    expect(page.locator("html")).to_have_attribute("data-state", "stopped")
    expect(page.locator("[data-status-detail]")).to_contain_text("Too many of your pages are open")
    assert len(peer.sockets) == 1
    page.get_by_role("button", name="Reload").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the page that was loaded again")


def test_a_conversation_opened_in_another_place_can_be_taken_back(page: Page, peer: Peer) -> None:
    peer.close(4409)
    expect(page.locator("html")).to_have_attribute("data-state", "taken")
    assert status(page) == "Open in another place"
    page.get_by_role("button", name="Take it back").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    assert peer.of("start")[1]["page_id"] == peer.of("start")[0]["page_id"]


def test_that_a_conversation_is_over_in_the_other_place_is_seen(page: Page, peer: Peer) -> None:
    page.evaluate("() => { const every = setInterval; window.setInterval = (run, ms) => every(run, ms / 100); }")
    report = {"modes": {"text": {"known": True, "state": "live", "conversation": "c1"}}}
    page.route("**/api/session/", lambda route: route.fulfill(json=report))
    peer.close(4409)
    expect(page.locator("[data-incident]")).to_contain_text("It goes on there, with all that was said.")
    report["modes"]["text"] |= {"state": "none", "conversation": None}
    expect(page.locator("[data-incident]")).to_contain_text("It is over in the other place")
    page.get_by_role("button", name="Open it here").click()
    peer.wait_for(lambda: len(peer.of("start")) == 2, "the second start")
    expect(page.locator("[data-incident]")).to_be_hidden()


def test_a_countdown_of_the_server_is_shown_and_can_be_cut_short(page: Page, peer: Peer) -> None:
    peer.say("state", state="reconnecting", attempt=3, retry_in_ms=59_000, reason="network")
    detail = page.locator("[data-status-detail]")
    expect(detail).to_have_text(re.compile(r"Try 3, next in 0:[1-5]\d"))
    shown = detail.inner_text()
    expect(detail).not_to_have_text(shown)
    assert detail.inner_text() < shown
    page.get_by_role("button", name="Try now").click()
    peer.wait_for(lambda: bool(peer.of("retry")), "a retry")


def test_when_the_server_gave_up_the_page_asks_again_as_soon_as_it_is_online(page: Page, peer: Peer) -> None:
    peer.say("state", state="failed", attempt=9, retry_in_ms=None, reason="network")
    expect(page.locator("[data-status-detail]")).to_have_text("Gemini cannot be reached.")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    peer.wait_for(lambda: bool(peer.of("retry")), "a retry")


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("connecting", "Connecting"),
        ("live", "Connected"),
        ("handover", "Changing lines"),
        ("falling_back", "Changing to another model"),
        ("exhausted", "Out of energy"),
    ],
)
def test_each_state_of_the_protocol_has_a_word(page: Page, peer: Peer, state: str, word: str) -> None:
    peer.say("state", state=state, attempt=0, retry_in_ms=None, reason="")
    expect(page.locator("[data-status-word]")).to_have_text(word)
    expect(page.locator("html")).to_have_attribute("data-state", state)


def test_at_most_three_toasts_stand_and_the_oldest_leaves(page: Page, peer: Peer) -> None:
    for number in range(4):
        peer.say("toast", code="text.reconnected", level="success", text=f"toast {number}", ms=0)
    expect(page.locator(".toast")).to_have_count(3)
    expect(page.locator(".toast").first).to_contain_text("toast 1")


def test_a_toast_leaves_after_its_time_and_not_while_somebody_reads_it(page: Page, still: Peer) -> None:
    still.say("toast", code="text.reconnected", level="success", text="short", ms=2000)
    toast = page.locator(".toast")
    toast.hover()
    page.clock.run_for(2400)
    expect(toast).to_be_visible()
    page.mouse.move(2, 700)
    page.clock.run_for(2000)
    expect(toast).to_have_count(0)


def test_a_toast_is_said_by_a_live_region_and_an_error_by_an_assertive_one(page: Page, peer: Peer) -> None:
    peer.say("toast", code="text.rebuilt", level="info", text="A new session was started.", ms=0)
    expect(page.locator("[role=status]").get_by_text("A new session was started.")).to_be_visible()
    peer.say("toast", code="x.failed", level="error", text="It did not work.", ms=0)
    expect(page.locator("[role=alert]").filter(has_text="It did not work.")).to_be_visible()


def test_what_lasts_is_said_in_one_place_with_what_is_kept_and_what_can_be_done(page: Page, peer: Peer) -> None:
    peer.say("toast", code="text.failed", level="error", text="The connection could not be restored.", ms=0)
    peer.say("state", state="failed", attempt=9, retry_in_ms=None, reason="network")
    strip = page.locator("[data-incident]")
    expect(page.locator("[data-status-word]")).to_have_text("No connection")
    expect(strip).to_contain_text("Gemini cannot be reached. What you write is kept.")
    expect(strip).not_to_contain_text("No connection")
    expect(page.locator(".toast")).to_have_count(0)
    strip.get_by_role("button", name="Try now").click()
    peer.wait_for(lambda: bool(peer.of("retry")), "a retry")
    peer.say("state", state="live", attempt=0, retry_in_ms=None, reason="")
    expect(strip).to_be_hidden()


def test_an_interruption_that_is_over_at_once_has_no_strip(page: Page, still: Peer) -> None:
    page.evaluate(
        """() => {
            window.shown = 0;
            const strip = document.querySelector("[data-incident]");
            new MutationObserver(() => { shown += strip.hidden ? 0 : 1; }).observe(strip, { attributes: true });
        }"""
    )
    still.say("state", state="reconnecting", attempt=1, retry_in_ms=None, reason="network")
    expect(page.locator("[data-status-word]")).to_have_text("Reconnecting")
    page.clock.run_for(900)
    still.say("state", state="live", attempt=0, retry_in_ms=None, reason="")
    expect(page.locator("[data-status-word]")).to_have_text("Connected")
    page.clock.run_for(900)
    assert page.evaluate("shown") == 0


def test_what_was_lost_is_said_plainly_and_its_message_marked(page: Page, peer: Peer) -> None:
    send(page, "lost one")
    peer.wait_for(lambda: len(peer.of("text")) == 1, "the message")
    peer.say("lost", ms=4200, ids=[peer.of("text")[0]["id"]], reason="backlog-full")
    notice = page.locator("[data-notice-text]")
    expect(notice).to_have_text("4.2 seconds of what you said could not be saved. One message was not delivered.")
    page.get_by_role("button", name="Send again").click()
    peer.wait_for(lambda: len(peer.of("text")) == 2, "the message once more")
    assert peer.of("text")[1]["text"] == "lost one"
    assert peer.of("text")[1]["id"] != peer.of("text")[0]["id"]


def test_what_was_lost_stays_on_the_page_when_the_connection_is_back(page: Page, peer: Peer) -> None:
    peer.say("lost", ms=1000, ids=[], reason="backlog-full")
    peer.say_ready(action="resumed")
    expect(page.locator("html")).to_have_attribute("data-action", "resumed")
    expect(page.locator("[data-notice-text]")).to_have_text("1 second of what you said could not be saved.")


def test_an_error_is_shown_until_it_is_dismissed(page: Page, peer: Peer) -> None:
    peer.say("error", code="limit.message_rate", text="At most 20 messages a second are taken.", fatal=False)
    expect(page.get_by_text("At most 20 messages a second are taken.")).to_be_visible()
    page.locator("[data-notice]").get_by_role("button", name="Dismiss").click()
    expect(page.locator("[data-notice]")).to_be_hidden()


def test_the_energy_meter_says_level_word_and_model(page: Page, peer: Peer) -> None:
    meter = page.get_by_role("meter", name="Energy")
    expect(meter).to_have_attribute("aria-valuenow", "3")
    cells = page.locator("[data-energy] i.is-full")
    page.evaluate("Promise.all(document.getAnimations().map((change) => change.finished.catch(() => {})))")
    colour_at_the_top = cells.first.evaluate("element => getComputedStyle(element).backgroundColor")
    peer.say("energy", mode="text", level=1, previous=3, max=3, word="low", model="gemini-y", resets_at=None)
    expect(meter).to_have_attribute("aria-valuenow", "1")
    expect(meter).to_have_attribute("aria-valuetext", "low, 1 of 3, gemini-y")
    expect(cells).not_to_have_css("background-color", colour_at_the_top)
    peer.say("energy", mode="text", level=1, previous=1, max=1, word="full", model="gemini-y", resets_at=None)
    expect(page.locator("[data-energy] i")).to_have_count(1)
    expect(cells).to_have_css("background-color", colour_at_the_top)


def test_a_notice_names_its_moment_by_the_clock_of_the_page(page: Page, peer: Peer) -> None:
    at = page.evaluate("new Date(2026, 10, 27, 16, 16).getTime()")
    until = {"at": at, "words": "15:16 UTC"}
    text = "The call goes on at low energy, until 15:16 UTC."
    peer.turn(0, "system", text, code="energy.lower", at="2026-11-27T12:00:00Z", until=until)
    expect(page.get_by_role("log")).to_contain_text("at low energy, until 16:16.")
    peer.say("toast", code="energy.restored", level="success", text="Away until 15:16 UTC.", ms=0, until={**until})
    expect(page.locator(".toast")).to_contain_text("16:16.")
    expect(page.locator(".toast")).not_to_contain_text("UTC")


def test_a_screen_reader_hears_whole_turns_only_and_no_stored_ones(page: Page, peer: Peer) -> None:
    log = page.get_by_role("log")
    peer.turn(0, "user", "hello")
    peer.turn(1, "model", "Hello th", "partial")
    expect(page.locator("[data-growing][inert]")).to_contain_text("Hello th")
    expect(log).to_have_text(re.compile("hello"))
    expect(log).not_to_contain_text("Hello th")
    peer.turn(1, "model", "Hello there.")
    expect(log).to_contain_text("Hello there.")
    log.evaluate(
        """(log) => {
            window.told = [];
            const note = () => told.push([log.getAttribute("aria-live"), log.textContent.includes("stored")]);
            new MutationObserver(note).observe(log, { childList: true });
        }"""
    )
    peer.ready |= {
        "conversation": "c2",
        "transcript": [{"turn": 0, "role": "user", "text": "stored", "status": "complete"}],
    }
    peer.close(4012)
    expect(log).to_contain_text("stored")
    assert {live for live, is_stored in page.evaluate("told") if is_stored} == {"off"}
    expect(log).to_have_attribute("aria-live", "polite")


def test_an_interrupted_reply_says_so(page: Page, peer: Peer) -> None:
    peer.turn(0, "model", "I was about to", "interrupted")
    expect(page.locator(".turn[data-status=interrupted]")).to_contain_text("Interrupted")


def test_a_reply_that_the_line_cut_off_does_not_say_that_the_user_interrupted_it(page: Page, peer: Peer) -> None:
    peer.turn(0, "model", "I was about to", "interrupted", code="turn.cut")
    foot = page.locator(".turn .turn__state")
    expect(foot).to_have_text("Cut by the line")
    peer.turn(0, "model", "I was", "partial", code="turn.given_again")
    peer.turn(0, "model", "I was about to say it.", code="turn.given_again")
    expect(foot).to_have_text("Cut by the line, given again")
    expect(page.locator(".turn")).to_have_count(1)


def test_a_line_that_ends_soon_and_a_reply_that_is_whole_are_marked_and_nothing_is_said_of_it(
    page: Page, peer: Peer
) -> None:
    mark = page.locator("[data-status-mark]")
    peer.turn(1, "model", "Once upon a", "partial")
    expect(page.locator(".turn[data-writing]")).to_have_count(1)
    peer.say("go_away", time_left_ms=59_000)
    expect(mark).to_have_text(re.compile(r"^New line in 0:[1-5]\d$"))
    peer.say("generation_complete", turn=1)
    expect(page.locator(".turn[data-writing]")).to_have_count(0)
    peer.turn(1, "model", "Once upon a time.", "partial")
    expect(page.locator(".turn")).to_contain_text("Once upon a time.")
    expect(page.locator("[data-status-word]")).to_have_text("Connected")
    expect(page.locator(".turn[data-writing]")).to_have_count(0)
    peer.say("state", state="handover", attempt=0, retry_in_ms=None, reason="")
    expect(mark).to_be_hidden()
    peer.say("state", state="live", attempt=0, retry_in_ms=None, reason="")
    expect(page.locator("[data-status-word]")).to_have_text("Connected")
    expect(mark).to_be_hidden()
    expect(page.locator(".toast")).to_have_count(0)
    assert "line" not in page.locator("[data-announcer]").inner_text()


def test_with_the_sound_off_the_word_goes_back_to_the_user_when_all_of_the_text_is_there(
    page: Page, peer: Peer
) -> None:
    page.locator("[data-speak]").uncheck(force=True)
    peer.wait_for(lambda: [message["on"] for message in peer.of("sound")] == [False], "that the sound is off")
    send(page, "Tell me a story.")
    peer.turn(0, "user", "Tell me a story.")
    peer.turn(1, "model", "Once upon a time.", "partial")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "speaking")
    peer.say("generation_complete", turn=1)
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")
    peer.close(4012)
    peer.wait_for(lambda: [message["on"] for message in peer.of("sound")] == [False, False], "that it still is")


def test_the_end_of_an_interrupted_turn_is_not_that_of_the_one_that_waits_for_its_answer(
    page: Page, peer: Peer
) -> None:
    peer.turn(1, "model", "Once upon a time.", "partial")
    peer.turn(2, "user", "Another one.")
    peer.say("turn_complete", turn=1, usage=None)
    peer.say("toast", code="text.reconnected", level="success", text="All that was heard.", ms=0)
    expect(page.get_by_text("All that was heard.")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator("html")).to_have_attribute("data-turn-state", "waiting")
    peer.say("turn_complete", turn=2, usage=None)
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")


def test_hostile_words_of_the_model_stay_words(page: Page, peer: Peer) -> None:
    peer.turn(0, "model", "<img src=x onerror=\"document.title='owned'\"> **fine**")
    expect(page.locator(".turn strong")).to_have_text("fine")
    assert page.locator(".turn img").count() == 0
    assert "owned" not in page.title()
