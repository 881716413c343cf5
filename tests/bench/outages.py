"""`python -m tests.bench.outages`: a page without a network, in a real Chromium: how soon it says so, and what is lost.

Each call and each chat goes through a wire that carries nothing for a while and then goes on, as a network does that
nobody has told of its end; or the browser is told, as by a laptop that has lost its Wi-Fi.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.chromium import launch
from tests.services.emulator import Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

TOLD_LIMIT_S = 3.0
TOLD_AGAIN_WITHIN_MS = 2_500
ANSWER_LIMIT_MS = 30_000
POLL_S = 0.02
CHUNK_BYTES = 65_536

HELLO = Path(__file__).parents[1] / "browser" / "fixtures" / "hello.wav"
ANSWERS = ".turn[data-role=model][data-status=complete]"

WATCH = """addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => noteState(document.documentElement.dataset.state))
    .observe(document.documentElement, { attributeFilter: ["data-state"] });
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) noteToast(node.dataset.code);
  }).observe(document.querySelector("[data-toasts]"), { childList: true });
});"""

LOSSES = """
import json
from sessions_app.models import SessionEvent
events = SessionEvent.objects.filter(conversation_id="{conversation}", kind="lost")
print(json.dumps([event.data for event in events]))
"""


class Wire:
    """A TCP relay on loopback that can hold everything back."""

    def __init__(self, port: int) -> None:
        self.is_held = False
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry_both_ways, args=(near,), daemon=True).start()

    def _carry_both_ways(self, near: socket.socket) -> None:
        self._wait()
        with near, socket.create_connection(self._to) as far:
            back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
            back.start()
            self._carry(near, far)
            back.join()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK_BYTES):
                self._wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            sink.close()

    def _wait(self) -> None:
        while self.is_held:
            time.sleep(POLL_S)


@dataclass(frozen=True)
class Outage:
    """What a page without a network for `seconds` went through. `lost_ms`: of the user's speech."""

    mode: str
    seconds: int
    announced: bool
    told_s: float
    back_s: float
    toasts: tuple[str, ...]
    lost_ms: int
    timeline: str

    @property
    def faults(self) -> list[str]:
        found = []
        if self.told_s > TOLD_LIMIT_S:
            found.append("told late")
        if len(self.toasts) != 1:
            found.append("not one toast")
        if self.lost_ms:
            found.append("lost speech")
        if not self.timeline:
            found.append("not in the timeline")
        return found


def measure(web: WebServer, browser: Browser, mode: str, seconds: int, *, announced: bool) -> Outage:
    wire = Wire(web.port)
    context = browser.new_context(permissions=["microphone"], base_url=f"http://127.0.0.1:{wire.port}")
    context.set_default_timeout(ANSWER_LIMIT_MS)
    try:
        return _measure(web, wire, context, mode, seconds, announced=announced)
    finally:
        wire.is_held = False
        context.close()
        wire.close()


def _measure(
    web: WebServer, wire: Wire, context: BrowserContext, mode: str, seconds: int, *, announced: bool
) -> Outage:
    cookie, _, session = web.log_in("alice").partition("=")
    context.add_cookies([{"name": cookie, "value": session, "url": web.url}])
    page, toasts, states = context.new_page(), list[str](), list[tuple[str, float]]()
    page.expose_function("noteToast", lambda code: toasts.append(code))
    page.expose_function("noteState", lambda state: states.append((state, time.monotonic())))
    page.add_init_script(WATCH)
    page.goto(f"/{mode}/")
    begin(page, mode)
    toasts.clear()
    states.clear()

    wire.is_held, went_at = True, time.monotonic()
    if announced:
        context.set_offline(True)
    while (left_s := seconds - (time.monotonic() - went_at)) > 0:
        page.wait_for_timeout(min(left_s * 1000, 100))
    if announced:
        context.set_offline(False)
    wire.is_held, came_at = False, time.monotonic()
    wait_for_state(page, "live")
    page.wait_for_timeout(TOLD_AGAIN_WITHIN_MS)
    told_s = next((at for state, at in states if state == "reconnecting"), came_at) - went_at
    back_s = states[-1][1] - came_at
    told_of = tuple(toasts)
    conversation = page.locator("html").get_attribute("data-conversation")
    if mode == "call":
        page.get_by_role("button", name=re.compile("hang up", re.IGNORECASE)).first.click()
    else:
        ask(page, "What is my code word?")
    page.goto(f"/history/{conversation}/")
    return Outage(
        mode,
        seconds,
        announced,
        told_s,
        back_s,
        told_of,
        sum(lost["ms"] for lost in json.loads(web.shell(LOSSES.format(conversation=conversation)).splitlines()[-1])),
        page.get_by_text("The page was away").last.text_content() or "",
    )


def begin(page: Page, mode: str) -> None:
    """Have an exchange."""
    if mode == "call":
        page.get_by_role("button", name="Start the call").click()
    wait_for_state(page, "live")
    if mode == "text":
        ask(page, "My code word is PLUM-42.")
    expect(page.locator(ANSWERS).last).to_be_visible(timeout=ANSWER_LIMIT_MS)


def ask(page: Page, text: str) -> None:
    """Type something, and wait for the answer."""
    answers = page.locator(ANSWERS).count()
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")
    expect(page.locator(ANSWERS)).to_have_count(answers + 1, timeout=ANSWER_LIMIT_MS)


def wait_for_state(page: Page, state: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-state", state, timeout=ANSWER_LIMIT_MS)


def row(outage: Outage) -> str:
    how = "the browser is told" if outage.announced else "nobody is told"
    toasts = ", ".join(outage.toasts) or "none"
    return (
        f"| {outage.mode} | {outage.seconds} | {how} | {outage.told_s:.1f} | {outage.back_s:.1f} | {toasts} "
        f"| {outage.lost_ms} | {outage.timeline} |"
    )


def measure_all(web: WebServer, lengths_s: list[int]) -> Iterator[Outage]:
    """Every length in both modes, with and without a word from the browser's system."""
    with sync_playwright() as playwright:
        for mode, wav in (("call", HELLO), ("text", None)):
            browser = launch(playwright, wav)
            for seconds in lengths_s:
                for announced in (False, True):
                    yield measure(web, browser, mode, seconds, announced=announced)
            browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.outages", description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[5, 30, 45], help="of each outage")
    options = parser.parse_args()

    use_settings_of_tests()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator(Path(directory) / "emulator")
        web = WebServer(Path(directory) / "web", emulator.environment)
        print("| mode | away, s | network | told after, s | live after, s | toasts | lost, ms | timeline |")
        print("| --- | ---: | --- | ---: | ---: | --- | ---: | --- |", flush=True)
        try:
            for outage in measure_all(web, options.seconds):
                print(row(outage), flush=True)
                faults += outage.faults
        finally:
            web.stop()
            emulator.stop()
    if faults:
        raise SystemExit(", ".join(faults))


if __name__ == "__main__":
    main()
