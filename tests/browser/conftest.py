"""A real Chromium, with a microphone that hears a WAV file, in front of a real server."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.services.emulator import Emulator
from tests.services.web import WebServer

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ANSWER_LIMIT_MS = 15_000
HARMLESS_CONSOLE_LINES = (
    # DOMPurify parses hostile HTML in an inert document, whose handlers the policy refuses, as it should.
    "inline event handler",
)


def chromium_path() -> str | None:
    """The Chromium named by the environment or installed; None for the one that Playwright keeps itself."""
    names = (os.environ.get("CHROMIUM"), *CHROMIUM_NAMES)
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


@pytest.fixture(scope="session")
def emulator_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that speaks and listens at the pace of people."""
    program = Emulator(tmp_path_factory.mktemp("emulator"))
    yield program
    assert program.stop() == 0, program.output()


@pytest.fixture(scope="session")
def web_program(emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """The web server in front of that emulator."""
    server = WebServer(tmp_path_factory.mktemp("web"), emulator_program.environment)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def launch_chromium(playwright: Playwright) -> Iterator[Callable[[Path | None], Browser]]:
    """A Chromium whose microphone hears this WAV file once and then silence; without a file, a steady beep.

    A browser is started once for each file and shared: the file is heard anew by each page that opens the
    microphone.
    """
    browsers: dict[Path | None, Browser] = {}

    def launch(wav: Path | None = None) -> Browser:
        if wav not in browsers:
            options = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
            if wav is not None:
                options.append(f"--use-file-for-fake-audio-capture={wav.absolute()}%noloop")
            if os.geteuid() == 0:
                options.append("--no-sandbox")
            browsers[wav] = playwright.chromium.launch(executable_path=chromium_path(), args=options)
        return browsers[wav]

    yield launch
    for browser in browsers.values():
        browser.close()


@pytest.fixture
def open_context(
    launch_chromium: Callable[[Path | None], Browser],
) -> Iterator[Callable[..., BrowserContext]]:
    """A browser context (cookies of its own): `open_context(web, wav=..., color_scheme="dark", ...)`.

    Further arguments are Playwright's for `new_context`. When the test is over, every page must have been free
    of script errors and of violations of the content security policy.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note_console(message: Any) -> None:
        refused = "Content Security Policy" in message.text
        harmless = any(line in message.text for line in HARMLESS_CONSOLE_LINES)
        if message.type == "error" and refused and not harmless:
            complaints.append(message.text)

    def open_one(web: WebServer, wav: Path | None = None, **options: Any) -> BrowserContext:
        context = launch_chromium(wav).new_context(base_url=web.url, permissions=["microphone"], **options)
        context.set_default_timeout(ANSWER_LIMIT_MS)
        context.on("console", note_console)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def sign_in(web: WebServer) -> Callable[..., Page]:
    """A page of somebody who has logged in, without what the form takes: `page = sign_in(context, "alice")`."""

    def sign_in(context: BrowserContext, name: str) -> Page:
        cookie, _, session = web.log_in(name).partition("=")
        context.add_cookies([{"name": cookie, "value": session, "url": web.url}])
        return context.new_page()

    return sign_in


@pytest.fixture
def page(web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]) -> Page:
    """A page of Alice's, logged in, with the fake microphone."""
    return sign_in(open_context(web), "alice")
