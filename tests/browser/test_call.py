"""The call page: the microphone, what is heard, and the buttons. The server is the test."""

import re
import struct
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.peer import Peer
from tests.services.web import WebServer

FRAME_BYTES = 1280
FIVE_SECONDS_ARE_OVER = """() => {
    const later = setTimeout;
    window.setTimeout = (run, ms) => later(run, ms === 5000 ? 0 : ms);
}"""


NOTE_STATES = """() => {
    window.states = [];
    const word = document.querySelector("[data-status-word]");
    const note = () => states.push([document.documentElement.dataset.turnState, word.textContent]);
    new MutationObserver(note).observe(document.documentElement, { attributeFilter: ["data-turn-state"] });
}"""
"""What is shown for a moment alone."""


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


def played_ms(page: Page) -> int:
    return int(page.locator("html").get_attribute("data-played-ms") or 0)


def loudness(page: Page) -> float:
    return float(page.locator("html").get_attribute("data-output-level") or 0)


def told_ms(peer: Peer) -> int:
    """How far a reply was played, as the server was told last."""
    last = peer.of("heard")[-1]
    return int(last["down"] * 100 + last["ms"])


def came_last(peer: Peer) -> str | bool:
    """Of the microphone: `audio`, or whether it was said to be on."""
    last = peer.of("audio", "mic")[-1]
    return bool(last["on"]) if last["type"] == "mic" else "audio"


def peak(pcm: bytes) -> int:
    return max(map(abs, struct.unpack(f"<{len(pcm) // 2}h", pcm)))


# --- Beginning ------------------------------------------------------------------------------------


def test_nothing_is_opened_before_the_button_is_pressed(page: Page, peer: Peer) -> None:
    expect(page.get_by_text("Your browser will ask for the microphone")).to_be_visible()
    page.wait_for_timeout(300)
    assert not peer.sockets


def test_words_spoken_while_the_call_connects_arrive(page: Page, peer: Peer) -> None:
    peer.answers = False
    page.get_by_role("button", name="Start the call").click()
    peer.wait_for(lambda: bool(peer.of("start")), "the start")
    page.wait_for_timeout(1500)
    assert not peer.of("audio")
    peer.say_ready()
    peer.wait_for(lambda: len(peer.of("audio")) > 50, "the frames of the first two seconds")
    assert peer.numbers() == list(range(len(peer.numbers())))
    assert {len(frame["pcm"]) for frame in peer.of("audio")} == {FRAME_BYTES}
    assert max(peak(frame["pcm"]) for frame in peer.of("audio")[:40]) > 1000


def test_frames_come_no_faster_than_speech(page: Page, peer: Peer) -> None:
    """However late they are read here, none of them can have been recorded before the button was pressed."""
    pressed = time.monotonic()
    page.get_by_role("button", name="Start the call").click()
    peer.wait_for(lambda: len(peer.of("audio")) >= 100, "four seconds of frames")
    assert time.monotonic() - pressed > 3.6


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotAllowedError", "The microphone is blocked"),
        ("NotFoundError", "No microphone found"),
        ("NotReadableError", "The microphone is in use"),
        ("TypeError", "The call could not start"),
    ],
)
def test_each_reason_for_having_no_microphone_has_its_own_advice(
    page: Page, peer: Peer, error: str, sentence: str
) -> None:
    page.evaluate(
        "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }", error
    )
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    expect(page.get_by_role("link", name="Write instead")).to_be_visible()
    assert not peer.sockets
    page.reload()
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def test_a_page_without_https_says_that_calls_need_it(page: Page, peer: Peer) -> None:
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("alert").filter(has_text="Calls need a secure address")).to_be_visible()


def test_a_start_without_anything_to_play_sound_on_ends_with_a_word(page: Page, peer: Peer) -> None:
    """Where there is no speaker, the browser's promise that the sound begins is never kept."""
    page.evaluate("() => { AudioContext.prototype.resume = () => new Promise(() => {}); }")
    page.evaluate(FIVE_SECONDS_ARE_OVER)
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("alert").filter(has_text="No speaker found")).to_be_visible()
    expect(page.get_by_role("button", name="Start the call")).to_be_enabled()
    assert not peer.sockets


def test_a_start_that_waits_for_the_browsers_question_says_what_it_waits_for(page: Page, peer: Peer) -> None:
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }")
    page.evaluate(FIVE_SECONDS_ARE_OVER)
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("status").filter(has_text="Still waiting for the microphone.")).to_be_visible()


# --- The microphone -------------------------------------------------------------------------------


def test_muting_sends_word_and_then_no_frames_until_it_is_undone(page: Page, call: Peer) -> None:
    call.wait_for(lambda: len(call.of("audio")) > 5, "the first frames")
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
    call.wait_for(lambda: call.of("mic")[-1]["on"] is False, "the mute")
    page.wait_for_timeout(400)
    types = [message["type"] for message in call.heard]
    last_word = len(types) - types[::-1].index("mic")
    assert "audio" not in types[last_word:]
    page.get_by_role("button", name="Unmute").click()
    call.wait_for(lambda: came_last(call) == "audio", "frames again")
    assert [message["on"] for message in call.of("mic")][-2:] == [False, True]
    assert call.numbers() == list(range(len(call.numbers())))


def test_holding_the_space_bar_talks_while_muted(page: Page, call: Peer) -> None:
    page.keyboard.press("m")
    call.wait_for(lambda: came_last(call) is False, "the mute")
    page.locator("h1").evaluate("() => document.activeElement.blur()")
    page.keyboard.down("Space")
    expect(page.locator("html")).to_have_attribute("data-mic", "held")
    call.wait_for(lambda: came_last(call) == "audio", "frames")
    page.keyboard.up("Space")
    call.wait_for(lambda: came_last(call) is False, "the mute again")
    expect(page.locator("html")).to_have_attribute("data-mic", "muted")


def test_holding_the_button_talks_while_muted(page: Page, call: Peer) -> None:
    expect(page.get_by_role("button", name="Hold to talk")).to_be_hidden()
    page.get_by_role("button", name="Mute").click()
    button = page.get_by_role("button", name="Hold to talk")
    button.hover()
    page.mouse.down()
    expect(page.locator("html")).to_have_attribute("data-mic", "held")
    expect(button).to_be_visible()
    page.mouse.up()
    expect(page.locator("html")).to_have_attribute("data-mic", "muted")


def test_letters_typed_into_a_message_are_no_shortcuts(page: Page, call: Peer) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.press_sequentially("hm hm")
    expect(box).to_have_value("hm hm")
    expect(page.locator("html")).to_have_attribute("data-mic", "on")
    expect(page.locator("html")).to_have_attribute("data-stage", "call")


def test_the_level_meter_moves_before_the_server_has_answered(page: Page, peer: Peer) -> None:
    peer.answers = False
    page.get_by_role("button", name="Start the call").click()
    meter = page.get_by_role("meter", name="Microphone level")
    expect(meter).to_have_attribute("aria-valuenow", re.compile(r"[1-9]\d?"))


# --- What is heard --------------------------------------------------------------------------------


def test_a_reply_is_heard_whole_at_the_destination(page: Page, call: Peer) -> None:
    page.evaluate(NOTE_STATES)
    call.play(0, 1500)
    expect(page.locator("html")).to_have_attribute("data-played-ms", "1500")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")
    assert ["speaking", "Speaking"] in page.evaluate("states")
    assert float(page.locator("html").get_attribute("data-output-peak") or 0) == pytest.approx(12000 / 32768, abs=0.12)


def test_a_flush_silences_a_long_reply_at_once(page: Page, call: Peer) -> None:
    call.play(0, 20_000)
    call.wait_for(lambda: played_ms(page) > 300 and loudness(page) > 0.2, "sound")
    call.say("flush")
    expect(page.locator("html")).to_have_attribute("data-queued-ms", "0")
    heard = played_ms(page)
    assert heard < 20_000
    assert loudness(page) == 0
    page.wait_for_timeout(300)
    assert played_ms(page) == heard


def test_after_a_flush_the_next_reply_is_heard(page: Page, call: Peer) -> None:
    following = call.play(0, 3000)
    call.wait_for(lambda: played_ms(page) > 200, "sound")
    call.say("flush")
    expect(page.locator("html")).to_have_attribute("data-turn-state", "listening")
    call.play(following, 5000)
    call.wait_for(lambda: loudness(page) > 0.2, "sound again")


def test_the_stop_button_silences_at_once_and_keeps_what_is_on_its_way_silent(page: Page, call: Peer) -> None:
    following = call.play(0, 20_000)
    page.get_by_role("button", name="Stop the answer").click()
    call.wait_for(lambda: bool(call.of("stop")), "the stop")
    following = call.play(following, 1000)
    expect(page.locator("html")).to_have_attribute("data-queued-ms", "0")
    page.wait_for_timeout(200)
    assert loudness(page) == 0
    call.say("flush")
    call.say("turn_complete", turn=1, usage=None)
    call.play(following, 5000)
    call.wait_for(lambda: loudness(page) > 0.2, "the next reply")


def test_the_server_is_told_how_far_a_reply_was_played_while_it_is_and_when_it_stops(page: Page, call: Peer) -> None:
    call.play(0, 20_000)
    call.wait_for(lambda: len(call.of("heard")) >= 2, "two reports")
    call.say("flush")
    expect(page.locator("html")).to_have_attribute("data-queued-ms", "0")
    played = played_ms(page)
    call.wait_for(lambda: abs(told_ms(call) - played) <= 1, "the last report")
    heard = [(report["down"], report["ms"]) for report in call.of("heard")]
    assert heard == sorted(heard)


def test_the_server_is_told_how_far_a_reply_was_played_before_it_is_told_of_the_hang_up(page: Page, call: Peer) -> None:
    call.play(0, 20_000)
    expect(page.locator("html")).to_have_attribute("data-played-ms", re.compile(r"^(1[4-9]|[2-9]\d)\d\d$"))
    page.get_by_role("button", name="Hang up").click()
    call.wait_for(lambda: bool(call.of("hangup")), "the hang-up")
    last, hangup = call.of("heard", "hangup")[-2:]
    assert (last["type"], hangup["type"]) == ("heard", "hangup")
    assert abs(told_ms(call) - played_ms(page)) < 100


def test_audio_that_comes_again_after_a_reconnection_is_heard_once(page: Page, call: Peer) -> None:
    call.play(0, 1000)
    expect(page.locator("html")).to_have_attribute("data-played-ms", "1000")
    call.play(5, 1000)
    expect(page.locator("html")).to_have_attribute("data-played-ms", "1500")


def test_words_are_marked_as_they_are_heard_and_an_interrupted_answer_is_cut_there(page: Page, call: Peer) -> None:
    """Each word is half a second of sound and a pause of 0.3 s; what is still to be heard is highlighted."""
    page.evaluate(
        """() => {
            window.seen = [];
            const unheard = () => [...CSS.highlights.get("unheard")].map(String).join("");
            const note = () => seen.push([Number(document.documentElement.dataset.playedMs), unheard()]);
            new MutationObserver(note).observe(document.documentElement, { attributeFilter: ["data-played-ms"] });
        }"""
    )
    words = ["Alphabet,", "barometer,", "calendar,", "dandelion,", "elephants,", "festivals,"]
    words += ["geometry,", "hurricane,", "inventory,", "jellyfish,", "kilometre,", "labyrinth,"]
    call.turn(1, "model", " ".join(words), "partial")
    expect(page.locator(".turn")).to_be_visible()
    number = 0
    for _ in words:
        number = call.play(number, 500)
        number = call.play(number, 300, loudness=0)
    expect(page.locator("html")).to_have_attribute("data-played-ms", re.compile(r"^(19|[2-9]\d)\d\d$"))
    call.say("flush")
    call.turn(1, "model", " ".join(words), "interrupted", heard=8)
    expect(page.locator(".turn__unheard")).to_contain_text(words[-1])
    seen = page.evaluate("seen")
    for place, word in enumerate(words[1:3], start=1):
        first_black = next(played for played, unheard in seen if played > 0 and word not in unheard)
        assert place * 800 - 300 <= first_black <= place * 800 + 500, word
    body = page.locator(".turn__body").inner_text()
    assert "calendar," in body.split("Not heard:")[0]


def test_captions_show_both_sides_and_can_be_switched_off_for_good(page: Page, call: Peer) -> None:
    call.turn(0, "user", "can you hear")
    call.turn(1, "model", "Yes, I", "partial")
    captions = page.get_by_role("region", name="Captions")
    expect(captions).to_contain_text("can you hear")
    expect(captions).to_contain_text("Yes, I")
    page.get_by_role("button", name="Captions").click()
    expect(captions).to_be_hidden()
    page.reload()
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("button", name="Captions")).to_have_attribute("aria-pressed", "false")


def test_a_message_can_be_typed_during_a_call(page: Page, call: Peer) -> None:
    page.get_by_role("textbox", name="Message").fill("a word in writing")
    page.get_by_role("button", name="Send").click()
    call.wait_for(lambda: bool(call.of("text")), "the message")
    assert call.of("text")[0]["text"] == "a word in writing"


# --- Losing and ending ----------------------------------------------------------------------------


def test_after_a_reconnection_frames_go_on_from_where_the_server_stands(page: Page, call: Peer) -> None:
    call.wait_for(lambda: len(call.of("audio")) >= 50, "two seconds of frames")
    call.say("ack", audio=20, ids=[])
    call.ready |= {"action": "attached", "ack": 30}
    call.close(4500)
    call.wait_for(lambda: len(call.of("start")) == 2, "the second start")
    call.wait_for(lambda: len(call.since_start()) > 60, "the frames after it")
    again = [message["number"] for message in call.since_start() if message["type"] == "audio"]
    assert again == list(range(30, 30 + len(again)))


def test_a_call_that_was_resumed_shows_what_was_said_before(page: Page, call: Peer) -> None:
    call.ready |= {
        "action": "resumed",
        "transcript": [{"turn": 0, "role": "user", "text": "before the break", "status": "complete"}],
    }
    call.close(4500)
    expect(page.get_by_role("region", name="Captions")).to_contain_text("before the break")
    expect(page.locator("html")).to_have_attribute("data-action", "resumed")


def test_hanging_up_ends_the_call_and_lets_go_of_the_microphone(page: Page, peer: Peer) -> None:
    page.evaluate(
        """() => {
            const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wanted) => (window.microphone = await open(wanted));
        }"""
    )
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^0:(0[1-9]|[1-5]\d)$"))
    page.keyboard.type("hh")
    peer.wait_for(lambda: bool(peer.of("hangup")), "the hang-up")
    expect(page.get_by_role("heading", name="Call ended")).to_be_visible()
    expect(page.locator("[data-ended-duration]")).to_have_text(re.compile(r"^[1-9]\d* seconds?$"))
    assert page.evaluate("microphone.getAudioTracks()[0].readyState") == "ended"


def test_a_new_call_starts_empty_and_continues_nothing(page: Page, call: Peer) -> None:
    call.turn(0, "user", "of the old call")
    call.wait_for(lambda: len(call.of("audio")) > 10, "frames")
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("button", name="New call").click()
    call.wait_for(lambda: len(call.of("start")) == 2, "the second start")
    assert call.of("start")[1]["fresh"] is True
    assert call.of("start")[1]["page_id"] == call.of("start")[0]["page_id"]
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    expect(page.locator(".turn")).to_have_count(0)
    call.wait_for(lambda: len(call.since_start()) > 10, "frames of the new call")
    assert call.numbers() == sorted(set(call.numbers()))


def test_a_call_opened_in_another_place_ends_here_and_can_be_taken_back(page: Page, call: Peer) -> None:
    call.close(4409)
    expect(page.get_by_role("heading", name="Call moved")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    call.wait_for(lambda: len(call.of("start")) == 2, "the second start")
    expect(page.locator("html")).to_have_attribute("data-stage", "call")


def test_a_call_that_the_server_ends_says_that_it_is_over(page: Page, call: Peer) -> None:
    call.say("state", state="ended", attempt=0, retry_in_ms=None, reason="The line was closed for the night.")
    call.close(1000)
    expect(page.locator("[data-ended-reason]")).to_have_text("The line was closed for the night.")


def test_a_denied_permission_is_the_browsers_own_word(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> None:
    page = sign_in(open_context(web), "alice")
    page.route(
        "**/call/",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            headers={**answer.headers, "permissions-policy": "microphone=()"},
        ),
    )
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").click()
    expect(page.get_by_role("alert").filter(has_text="The microphone is blocked")).to_be_visible()
