"""The pages and states of the sheet: who looks at which address, and what happens there first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.peer import ENERGY, Peer
from tests.screenshots.names import named

SOUND = Path(__file__).parent.parent / "browser" / "fixtures" / "hello.wav"

Arrange = Callable[[Page, Peer], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """`who`: a member of the cast, empty for a visitor. `peer`: the mode whose server is played instead of asked.
    `arrange`: what is done on the page before it is photographed."""

    name: str
    path: str
    who: str = "alice"
    peer: str = ""
    arrange: Arrange | None = None


TALK = [
    {
        "turn": 0,
        "role": "user",
        "text": "Why are there two tides a day?",
        "status": "complete",
        "at": "2026-03-02T10:15:00+00:00",
    },
    {
        "turn": 1,
        "role": "model",
        "text": "The Moon stretches the sea into **two bulges**:\n\n1. one below it,\n2. one on the far side.\n\n"
        "| day | high water |\n|---|---|\n| Saturday | 6:12 and 18:40 |\n\n```python\nprint('spring tide')\n```\n\n"
        "See [the tide table](https://example.com).",
        "status": "complete",
        "at": "2026-03-02T10:15:09+00:00",
    },
    {"turn": 2, "role": "system", "text": "The line was torn and is back; nothing was lost.", "status": "complete"},
    {
        "turn": 3,
        "role": "user",
        "text": "> two bulges\n\nAnd when is the next spring tide?",
        "status": "complete",
        "at": "2026-03-03T08:02:00+00:00",
    },
    {"turn": 4, "role": "model", "text": "Five days from now, at full", "status": "partial"},
]
LOWERED = {"level": 1, "previous": 3, "word": "low", "resets_at": "2100-01-01T08:00:00+00:00"}
SPENT = {**LOWERED, "level": 0, "previous": 1, "word": "exhausted", "model": ""}


def pressing(name: str) -> Arrange:
    """A press on a button."""

    def press(page: Page, _: Peer) -> None:
        page.get_by_role("button", name=named(page, name)).first.click()

    return press


def refused(fields: dict[str, str], button: str) -> Arrange:
    """A form sent with these fields, by their names."""

    def send(page: Page, _: Peer) -> None:
        for name, text in fields.items():
            page.locator(f"[name={name}]").fill(text)
        page.get_by_role("button", name=named(page, button)).click()
        expect(page.locator("[aria-invalid=true], [role=alert]").first).to_be_visible()

    return send


def begun(page: Page, peer: Peer) -> None:
    if peer.ready["mode"] == "call":
        page.get_by_role("button", name=named(page, "Start the call")).click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def talking(page: Page, peer: Peer) -> None:
    begun(page, peer)
    peer.say_ready(action="resumed", transcript=TALK)
    expect(page.locator(".turn")).to_have_count(len(TALK))


def in_state(state: str, reason: str = "", **more: Any) -> Arrange:
    """In the middle of a talk the line is in another state."""

    def change(page: Page, peer: Peer) -> None:
        talking(page, peer)
        if state == "exhausted":
            peer.say("energy", **ENERGY | SPENT | {"mode": peer.ready["mode"]})
        peer.say("state", state=state, reason=reason, **{"attempt": 2, "retry_in_ms": 60_000, **more})
        expect(page.locator("html")).to_have_attribute("data-state", state)
        expect(page.locator("[data-incident]")).to_be_visible()  # what may pass has a second before it is told

    return change


def lowered(page: Page, peer: Peer) -> None:
    talking(page, peer)
    peer.say("energy", **ENERGY | LOWERED | {"mode": peer.ready["mode"]})
    page.get_by_role("button", name=named(page, "About the energy")).click()


def with_toasts(page: Page, peer: Peer) -> None:
    talking(page, peer)
    peer.say("toast", code="text.restored", level="success", text="The conversation goes on where it was.", ms=0)
    peer.say("error", code="text.failed", text="This message could not be sent.", fatal=False)
    expect(page.locator(".toast").first).to_be_visible()


def finding(page: Page, peer: Peer) -> None:
    talking(page, peer)
    in_the_bar = page.locator("[data-find-open]")
    if in_the_bar.is_visible():
        in_the_bar.click()
    else:  # on a phone it is among the chats
        page.get_by_role("button", name=named(page, "Chats")).click()
        page.locator("[data-find-here]").click()
    page.get_by_role("searchbox").fill("tide")


def with_chats(page: Page, peer: Peer) -> None:
    talking(page, peer)
    page.get_by_role("button", name=named(page, "Chats")).click()
    expect(page.locator("[data-chats]")).to_be_visible()


def muted(page: Page, peer: Peer) -> None:
    talking(page, peer)
    page.get_by_role("button", name=named(page, "Mute"), exact=True).click()


def hung_up(page: Page, peer: Peer) -> None:
    talking(page, peer)
    page.get_by_role("button", name=named(page, "Hang up")).click()
    expect(page.locator("html")).to_have_attribute("data-stage", "ended")


def taken(page: Page, peer: Peer) -> None:
    talking(page, peer)
    peer.close(4409)
    expect(page.locator("html")).to_have_attribute("data-state", "taken")


REFUSE_MICROPHONE = """() => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotAllowedError"); };
}"""


def without_microphone(page: Page, _: Peer) -> None:
    page.evaluate(REFUSE_MICROPHONE)
    page.get_by_role("button", name=named(page, "Start the call")).click()
    expect(page.locator("html")).to_have_attribute("data-mic-error", "denied")


def trying(page: Page, _: Peer) -> None:
    """The microphone, which beeps in this browser."""
    page.get_by_role("button", name=named(page, "Try the microphone")).click()
    expect(page.locator("[data-try-level]")).not_to_have_attribute("aria-valuenow", "0")


def asked(page: Page, _: Peer) -> None:
    """A question to the emulator, and its answer."""
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    page.get_by_role("textbox").fill("How are you?")
    page.get_by_role("textbox").press("Enter")
    expect(page.locator(".turn[data-role=model][data-status=complete]").first).to_be_visible()


def called(page: Page, _: Peer) -> None:
    """A call with the emulator that hears the beep of Chromium's microphone."""
    page.get_by_role("button", name=named(page, "Start the call")).click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")


def uploaded(page: Page, _: Peer) -> None:
    """A recording; from the second time on it is there already."""
    if page.locator(".recording").count() == 0:
        page.locator("[data-choose]").set_input_files(str(SOUND))
    expect(page.locator(".recording").first).to_be_visible()


def about_recordings(page: Page, peer: Peer) -> None:
    """A question about a recording, whose answer names times; what follows it is on its way."""
    begun(page, peer)
    work = {"state": "working", "done_ms": 600_000, "error": "", "title": "", "summary": "", "language": ""}
    provider = {"state": "uploading", "sent_bytes": 12_000_000, "expires_at": None, "reason": ""}
    names = {"r1": "Committee meeting of 12 November.mp3", "r2": "A voice memo.m4a"}
    facts = {"duration_ms": 3_800_000, "peaks": [place * place * 7 % 256 for place in range(400)]}
    facts |= {"name": names["r1"], "sound": "/nowhere/", "page": "/files/"}
    page.route("**/api/recordings/r*/", lambda route: route.fulfill(json=facts))
    peer.say(
        "recordings",
        recordings=[
            {"id": id, "name": name, "duration_ms": 3_800_000, "tokens": 121_600, "size_bytes": 48_000_000, "note": ""}
            | {"work": work, "provider": provider}
            for id, name in names.items()
        ],
    )
    peer.turn(0, "user", "When do they speak about the money?", recordings=["r1"])
    peer.turn(1, "model", "At **12:41**, and again at 1:02:03.", recordings=["r1"])
    peer.turn(2, "user", "And in the memo?", id="q", recordings=["r2"])
    uploading = {"state": "uploading", "recording": "r2", "sent_bytes": 12_000_000, "size_bytes": 48_000_000}
    peer.say("question", id="q", recordings=["r2"], **uploading)
    expect(page.locator(".asked .player__wave")).to_have_count(2)


def opened(page: Page, peer: Peer) -> None:
    """The page of a recording."""
    uploaded(page, peer)
    page.locator(".recording__name a").first.click()
    expect(page.locator(".player__wave")).to_be_visible()


def scenes(conversation_id: str) -> list[Scene]:
    """All of them; the conversation is one of Alice's."""
    entry = f"/history/{conversation_id}/"
    wrong = {"username": "nobody-of-this-name", "password": "wrong"}
    return [
        Scene("welcome", "/", who=""),
        Scene("log-in", "/accounts/login/", who=""),
        Scene("log-in-refused", "/accounts/login/", who="", arrange=refused(wrong, "Log in")),
        Scene("sign-up", "/accounts/signup/", who=""),
        Scene("reset", "/accounts/reset/", who=""),
        Scene("reset-sent", "/accounts/reset/sent/", who=""),
        Scene("reset-bad-link", "/accounts/reset/x/y/", who=""),
        *(Scene(f"error-{name}", f"/broken/{name}/") for name in ("400", "403", "403-form", "404", "429", "500")),
        Scene("home", "/"),
        Scene("home-empty", "/", who="bob"),
        Scene("text-empty", "/text/", peer="text", arrange=begun),
        Scene("text-talk", "/text/", peer="text", arrange=talking),
        Scene("text-find", "/text/", peer="text", arrange=finding),
        Scene("text-chats", "/text/", peer="text", arrange=with_chats),
        Scene("text-toasts", "/text/", peer="text", arrange=with_toasts),
        Scene("text-reconnecting", "/text/", peer="text", arrange=in_state("reconnecting", "network")),
        Scene("text-in-line", "/text/", peer="text", arrange=in_state("connecting", "queued", place=3)),
        Scene("text-lowered", "/text/", peer="text", arrange=lowered),
        Scene("text-spent", "/text/", peer="text", arrange=in_state("exhausted", "quota")),
        Scene("text-recordings", "/text/", peer="text", arrange=about_recordings),
        Scene("text-attach", "/text/", peer="text", arrange=pressing("Attach a recording")),
        Scene("text-elsewhere", "/text/", peer="text", arrange=taken),
        Scene("text-of-the-emulator", "/text/", arrange=asked),
        Scene("call-lobby", "/call/"),
        Scene("call-lobby-left", "/call/", who="sam"),
        Scene("call-lobby-trial", "/call/", arrange=trying),
        Scene("call-lobby-devices", "/call/", arrange=lambda page, _: page.locator("summary").first.click()),
        Scene("call-blocked-microphone", "/call/", arrange=without_microphone),
        Scene("call-begun", "/call/", peer="call", arrange=begun),
        Scene("call-talk", "/call/", peer="call", arrange=talking),
        Scene("call-muted", "/call/", peer="call", arrange=muted),
        Scene("call-reconnecting", "/call/", peer="call", arrange=in_state("reconnecting", "network")),
        Scene("call-falling-back", "/call/", peer="call", arrange=in_state("falling_back")),
        Scene("call-in-line", "/call/", peer="call", arrange=in_state("connecting", "queued", place=3)),
        Scene("call-lowered", "/call/", peer="call", arrange=lowered),
        Scene("call-spent", "/call/", peer="call", arrange=in_state("exhausted", "quota")),
        Scene("call-elsewhere", "/call/", peer="call", arrange=taken),
        Scene("call-ended", "/call/", peer="call", arrange=hung_up),
        Scene("call-with-the-emulator", "/call/", arrange=called),
        Scene("history", "/history/"),
        Scene("history-empty", "/history/", who="bob"),
        Scene("history-found", "/history/?q=tides"),
        Scene("history-not-found", "/history/?q=zeppelin"),
        Scene("history-refused", "/history/?q=sunday&since=2026-12-24&until=2026-01-01"),
        Scene("conversation", entry),
        Scene("conversation-rename", f"{entry}rename/"),
        Scene("conversation-delete", f"{entry}delete/"),
        Scene("history-delete-all", "/history/delete-all/"),
        Scene("files-empty", "/files/", who="bob"),
        Scene("files", "/files/", arrange=uploaded),
        Scene("file", "/files/", arrange=opened),
        Scene("session", "/session/"),
        Scene("settings", "/settings/"),
        Scene("account", "/account/"),
        Scene("account-address", "/account/email/"),
        Scene("account-password", "/account/password/"),
        Scene("account-key", "/account/keys/new/"),
        Scene("account-delete", "/account/delete/"),
        Scene("admin-for-operators-only", "/admin/"),
        Scene("admin", "/admin/", who="sam"),
        Scene("admin-line", "/admin/line/", who="sam"),
        Scene("admin-conversations", "/admin/sessions_app/conversation/", who="sam"),
        Scene("admin-events", "/admin/sessions_app/sessionevent/", who="sam"),
        Scene("admin-usage", "/admin/sessions_app/turnusage/", who="sam"),
    ]
