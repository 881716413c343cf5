"""`./run picture`: film a call whose plug is pulled and that goes on, for the README, and write it to `docs/images`.

The call is a real one, of the app with the emulator: a sentence is said, the network goes in the middle of the answer,
a question is asked meanwhile, and answered when the network is back. Exits with 1 if it was not, or if the picture is
larger than a page should load.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.bench.outages import Wire
from tests.browser.chromium import launch
from tests.picture.film import Film, frames_of, write_webp
from tests.picture.speech import write_speech
from tests.services.emulator import Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

PICTURE = Path("docs") / "images" / "held.webp"
LIMIT_BYTES = 1_500_000
SIZE = ViewportSize(width=960, height=600)

SAID = [(1.2, "My favorite animal is the falcon."), (9.2, "What is my favorite animal?")]
PULLED_S, PLUGGED_IN_S, END_S = 6.6, 12.4, 19.5
"""Since the call began, which is when the microphone was opened."""

NOTE = """(text) => {
  const note = document.querySelector("[data-film-note]") ?? document.body.appendChild(document.createElement("p"));
  note.dataset.filmNote = "";
  note.textContent = text;
  Object.assign(note.style, {
    position: "fixed", right: "32px", bottom: "32px", padding: "10px 16px", borderRadius: "10px", zIndex: 50,
    background: "#10191b", color: "#f4b03f", font: "600 17px 'Familjen Grotesk'",
    visibility: text ? "visible" : "hidden",
  });
}"""


def main() -> int:
    use_settings_of_tests()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        write_speech(Path(name) / "said.wav", SAID)
        emulator = Emulator(Path(name) / "emulator")
        web = WebServer(Path(name) / "web", emulator.environment)
        browser = launch(playwright, Path(name) / "said.wav")
        try:
            frames = film(browser, web)
        finally:
            browser.close()
            web.stop()
            emulator.stop()
    write_webp(PICTURE, frames, SIZE["width"], SIZE["height"])
    size_bytes = PICTURE.stat().st_size
    print(f"{PICTURE}: {len(frames)} frames, {size_bytes / 1e6:.2f} MB")
    return 0 if size_bytes <= LIMIT_BYTES else 1


def film(browser: Browser, web: WebServer) -> list[bytes]:
    """The call, frame by frame. AssertionError if what was asked without a network was not answered."""
    wire = Wire(web.port)
    address = f"http://127.0.0.1:{wire.port}"
    context = browser.new_context(base_url=address, permissions=["microphone"], viewport=SIZE, color_scheme="light")
    try:
        cookie, _, session = web.log_in("alice").partition("=")
        context.add_cookies([{"name": cookie, "value": session, "url": address}])
        page = context.new_page()
        page.goto("/call/")
        page.evaluate("document.fonts.ready.then(() => true)")
        taken = Film(page)
        taken.start()
        page.wait_for_timeout(700)
        page.get_by_role("button", name="Start the call").click()
        began = time.monotonic()
        _go_on_until(page, began + PULLED_S)
        page.evaluate(NOTE, "The Wi-Fi is switched off")
        wire.is_held = True
        context.set_offline(True)
        _go_on_until(page, began + PLUGGED_IN_S)
        page.evaluate(NOTE, "… and on again")
        context.set_offline(False)
        wire.is_held = False
        page.wait_for_timeout(1800)
        page.evaluate(NOTE, "")
        _go_on_until(page, began + END_S)
        taken.stop()
        expect(page.locator(".turn[data-role=model]").last).to_contain_text("falcon")
        expect(page.locator(".turn[data-role=user]")).to_have_count(2)
        return frames_of(taken.shots, time.time())
    finally:
        wire.is_held = False
        context.close()
        wire.close()


def _go_on_until(page: Page, moment: float) -> None:
    """Let the page go on, by `time.monotonic()`."""
    while (left_s := moment - time.monotonic()) > 0:
        page.wait_for_timeout(min(left_s, 0.2) * 1000)


if __name__ == "__main__":
    sys.exit(main())
