"""Recordings in a conversation: attached, asked about, heard from the times in an answer. A test plays the server."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.modules import run
from tests.browser.peer import Peer
from tests.browser.recordings import make_recordings, set_pace
from tests.browser.test_accessibility import DESK, PHONE, overflow_px, violations
from tests.recordings.sounds import wav
from tests.services.web import WebServer

PHONE_IN_HAND = {"width": 360, "height": 740}
ASKED = "recordings/asked.js"
WORK = {"state": "done", "done_ms": 20_000, "error": "", "title": "", "summary": "", "language": ""}
PROVIDER = {"state": "inline", "sent_bytes": 0, "expires_at": None, "reason": ""}
PASTE = """(file) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
    data.items.add(new File([bytes], "pasted.wav", { type: "audio/wav" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


READ = """
import json
from django.contrib.auth.models import User
from sessions_app.models import Recording
from tests.pages.history_rows import converse
conversation = converse(User.objects.get(username="alice"), "When?", "At 0:05, or #2 0:10.", mode="text")
recordings = [Recording.objects.get(pk=id) for id in {ids!r}]
for recording in recordings:
    recording.attachments.create(conversation=conversation)
conversation.turns.update(recordings=[str(recording.pk) for recording in recordings])
print(conversation.pk)
"""


def attached(id: str, name: str, duration_ms: int = 20_000) -> dict[str, Any]:
    facts = {"tokens": duration_ms * 32 // 1000, "size_bytes": 320_000, "note": "", "work": WORK, "provider": PROVIDER}
    return {"id": id, "name": name, "duration_ms": duration_ms, **facts}


class Chat:
    """A text chat, and its far end, which tells what is attached."""

    def __init__(self, page: Page, mode: str = "text") -> None:
        self.page = page
        self.peer = Peer(page, mode)

    def open(self, address: str) -> None:
        self.page.goto(address)
        expect(self.page.locator("html")).to_have_attribute("data-state", "live")

    def has(self, *recordings: dict[str, Any]) -> None:
        self.peer.say("recordings", recordings=list(recordings))

    def write(self, text: str) -> dict[str, Any]:
        before = len(self.peer.of("text"))
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.keyboard.press("Enter")
        self.peer.wait_for(lambda: len(self.peer.of("text")) > before, "the message")
        return self.peer.of("text")[-1]


@pytest.fixture
def open_chat(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Chat]:
    def open_chat(size: dict[str, int] = DESK, theme: str = "light", mode: str = "text") -> Chat:
        context = open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce")
        return Chat(sign_in(context, "alice", played=True), mode)

    return open_chat


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", DESK)], ids=["dark-phone", "light-desk"])
def test_a_recording_is_chosen_asked_about_and_heard_from_a_time(
    web: WebServer, open_chat: Callable[..., Chat], theme: str, size: dict[str, int]
) -> None:
    first, second = make_recordings(web, {"name": "talk.wav"}, {"name": "rain.wav"})
    chat = open_chat(size, theme)
    page = chat.page
    chat.open("/text/")
    chat.has()
    page.get_by_role("button", name="Attach a recording").click()
    expect(page.get_by_role("button", name=re.compile("^talk.wav"))).to_be_visible()
    assert violations(page, "dialog[open]") == []
    page.get_by_role("button", name=re.compile("^talk.wav")).click()
    chat.peer.wait_for(lambda: bool(chat.peer.of("attach")), "the wish to attach it")
    assert chat.peer.of("attach")[-1]["recording"] == first
    chat.has(attached(first, "talk.wav"), attached(second, "rain.wav"))
    expect(page.get_by_text("The next message asks about 1 of 2 recordings: 0:20, about 640 tokens.")).to_be_visible()
    asked = chat.write("What is said?")
    assert asked["recordings"] == [first]
    chat.peer.turn(0, "user", "What is said?", id=asked["id"], recordings=[first])
    moved = {"id": asked["id"], "recordings": [first], "recording": first, "sent_bytes": 0, "size_bytes": 0}
    chat.peer.say("question", state="asked", **moved)
    expect(page.get_by_text("Gemini listens to it")).to_be_visible()
    chat.peer.say("question", state="over", **moved)
    chat.peer.turn(1, "model", "Nine at **0:05**, never at 9:00.", recordings=[first])
    expect(page.locator(".asked .player__wave")).to_be_visible()
    expect(page.locator("[data-to-latest]")).to_be_hidden()
    set_pace(page, 0)
    page.get_by_role("link", name="0:05").press("Enter")
    expect(page.locator("[data-dock] .player")).to_have_attribute("data-playing", "true")
    expect(page.locator("[data-dock-player]")).to_contain_text("0:05 / 0:20")
    assert page.get_by_role("link", name="9:00").count() == 0
    assert violations(page) == []
    assert overflow_px(page) == 0
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) == 0


def test_what_was_switched_off_is_talked_about_with_the_conversation(
    web: WebServer, open_chat: Callable[..., Chat]
) -> None:
    first, second = make_recordings(web, {"name": "talk.wav"}, {"name": "rain.wav"})
    chat = open_chat()
    chat.open(f"/text/?about={first}")
    chat.peer.wait_for(lambda: bool(chat.peer.of("attach")) or "recordings" in chat.peer.of("start")[-1], "the wish")
    chat.has(attached(first, "talk.wav"))
    assert chat.write("What?")["recordings"] == [first]
    assert chat.write("And then?")["recordings"] == [first], "a question that follows is about the same"
    chat.page.get_by_role("button", name=re.compile("^talk.wav")).first.click()
    expect(chat.page.get_by_text("Your next message is not about a recording.")).to_be_visible()
    assert "recordings" not in chat.write("Thank you.")
    chat.has(attached(first, "talk.wav"), attached(second, "rain.wav"))
    rain = chat.page.locator("[data-chip]", has_text="rain.wav")
    expect(rain).to_be_visible()
    assert "recordings" not in chat.write("Good.")
    rain.click()
    chat.page.reload()
    expect(chat.page.locator("html")).to_have_attribute("data-state", "live")
    chat.has(attached(first, "talk.wav"), attached(second, "rain.wav"))
    expect(rain).to_be_visible()
    assert chat.write("Again?")["recordings"] == [second], "it is remembered by the tab"


def test_what_is_taken_out_of_a_conversation_stays_in_the_files(web: WebServer, open_chat: Callable[..., Chat]) -> None:
    (id,) = make_recordings(web, {"name": "talk.wav"})
    conversation = web.shell(READ.format(ids=[id])).strip()
    chat = open_chat()
    chat.peer.ready["conversation"] = conversation
    chat.open("/text/")
    chat.has(attached(id, "talk.wav"))
    chat.page.get_by_role("button", name="Attach a recording").click()
    chat.page.get_by_role("button", name="Remove talk.wav").click()
    expect(chat.page.get_by_text("It is taken out, and stays in your files.")).to_be_visible()
    expect(chat.page.locator("[data-chip]")).to_have_count(0)
    assert violations(chat.page, "dialog[open]") == []
    assert web.shell("from sessions_app.models import Attachment; print(Attachment.objects.count())").strip() == "0"


def test_a_file_that_is_pasted_is_uploaded_and_attached(
    web: WebServer, open_chat: Callable[..., Chat], tmp_path: Path
) -> None:
    make_recordings(web)
    chat = open_chat()
    chat.open("/text/")
    chat.has()
    chat.page.evaluate(PASTE, base64.b64encode(wav(1.0)).decode())
    expect(chat.page.locator("[data-chip]", has_text="pasted.wav")).to_be_visible()
    chat.peer.wait_for(lambda: bool(chat.peer.of("attach")), "the wish to attach it")
    chat.peer.say(
        "error", code="recordings.too_many", text="20 are attached.", recording=chat.peer.of("attach")[0]["recording"]
    )
    expect(chat.page.get_by_text("20 are attached.")).to_be_visible()
    expect(chat.page.locator("[data-chip]")).to_have_count(0)


def test_a_call_begins_with_a_recording_and_hears_nobody_while_it_plays(
    web: WebServer, open_chat: Callable[..., Chat]
) -> None:
    first, _ = make_recordings(web, {"name": "talk.wav"}, {"name": "rain.wav"})
    chat = open_chat(PHONE_IN_HAND, mode="call")
    page = chat.page
    page.goto("/call/")
    for name in ("talk.wav", "rain.wav"):
        page.get_by_role("button", name="Talk about a recording").click()
        page.locator("[data-mine-list]").get_by_role("button", name=re.compile(name)).click()
    page.get_by_role("button", name="Remove rain.wav").click()
    assert violations(page) == []
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert chat.peer.of("start")[-1]["recordings"] == [first]
    chat.has(attached(first, "talk.wav"))
    chat.peer.turn(0, "model", "Hear 0:02.", recordings=[first])
    set_pace(page, 0)
    page.get_by_role("link", name="0:02").click()
    expect(page.get_by_text("On hold").first).to_be_visible()
    expect(page.get_by_role("button", name="Hang up")).to_be_in_viewport(ratio=1)
    chat.peer.wait_for(lambda: chat.peer.of("mic")[-1]["on"] is False, "a microphone that is off")
    page.get_by_role("button", name="Close the player").click()
    chat.peer.wait_for(lambda: chat.peer.of("mic")[-1]["on"] is True, "a microphone that is on again")


def test_a_conversation_that_is_read_is_heard_from_its_times(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> None:
    ids = make_recordings(web, {"name": "talk.wav"}, {"name": "rain.wav"})
    conversation = web.shell(READ.format(ids=ids)).strip()
    page = sign_in(open_context(web, viewport=PHONE, color_scheme="dark", reduced_motion="reduce"), "alice")
    page.goto(f"/history/{conversation}/")
    expect(page.locator(".heard-here .player__wave")).to_have_count(2)
    set_pace(page, 0)
    page.get_by_role("link", name="#2 0:10").click()
    expect(page.locator("[data-dock]")).to_contain_text("rain.wav")
    expect(page.locator("[data-dock-player]")).to_contain_text("0:10 / 0:20")
    assert violations(page) == []
    assert overflow_px(page) == 0


# -- modules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "ids"),
    [
        (["+a", "+b"], ["a", "b"]),
        (["+a", "sent", "+b"], ["b"]),
        (["+a", "sent", "sent"], ["a"]),
        (["+a", "-a"], []),
        (["+a", "-a", "+b"], ["b"]),
        (["+a", "sent", "-b"], ["a", "b"]),
        (["+a", "in c", "in c"], ["a"]),
        (["+a", "in c", "in d"], []),
    ],
)
def test_what_was_just_attached_is_asked_about_until_it_is_switched_off(
    modules: Page, steps: list[str], ids: list[str]
) -> None:
    body = """
        return argument.reduce((asked, step) => {
            if (step === "sent") return m.afterSending(asked);
            if (step.startsWith("in ")) return m.inConversation(asked, step.slice(3));
            return (step[0] === "+" ? m.withAttached : m.withSwitched)(asked, step.slice(1));
        }, m.NOTHING).ids;
    """
    assert run(modules, ASKED, body, steps) == ids


def test_what_is_to_be_attached_is_sent_once_a_connection_until_it_is_there(modules: Page) -> None:
    body = """
        const waiting = new m.Attaching();
        const told = [];
        waiting.push("a");
        waiting.push("b");
        told.push(waiting.take(), waiting.take(), waiting.take());
        waiting.settle(["a"]);
        told.push(waiting.name());
        waiting.push("c");
        waiting.rewind();
        told.push(waiting.take(), waiting.take());
        return told;
    """
    assert run(modules, "session/outbox.js", body) == ["a", "b", None, ["b"], "c", None]


def test_a_file_that_comes_while_the_server_is_away_is_not_lost_without_a_word(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()
    chat.open("/text/")
    chat.page.context.route("**/upload_list*.js", lambda route: route.abort())
    chat.page.evaluate(PASTE, base64.b64encode(wav(1.0)).decode())
    expect(chat.page.get_by_text("The server cannot be reached. Try again.")).to_be_visible()
