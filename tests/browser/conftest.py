"""A real Chromium, with a microphone that hears a WAV file, in front of a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.modules import ORIGIN, serve
from tests.browser.peer import Peer
from tests.recordings.sounds import wav
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.web import WebServer

ANSWER_LIMIT_MS = ANSWERS_WITHIN_S * 1000
expect.set_options(timeout=ANSWER_LIMIT_MS)
HEADERS_IN_THE_CONSOLE = ("Content Security Policy", "Trusted", "Permissions-Policy", "Cross-Origin-Opener-Policy")
"""What a line of the console holds that says something against a header of ours."""
HAS_ANOTHER_CLOCK = "!Function.prototype.toString.call(setTimeout).includes('native code')"
END_CALLS = """
from django.utils import timezone
from sessions_app.models import Conversation
going_on = Conversation.objects.filter(mode="call", status="active")
going_on.update(status="ended", ended_at=timezone.now(), end_reason="hung-up")
"""


@pytest.fixture(scope="session")
def emulator_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that speaks and listens at the pace of people, and makes their words out on a busy machine, too."""
    program = Emulator(tmp_path_factory.mktemp("emulator"), ("--words-within-s", str(ANSWERS_WITHIN_S)))
    yield program
    assert program.stop() == 0, program.output()


@pytest.fixture(scope="session")
def web_program(emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """The web server in front of that emulator; its mail goes to its log, and it hands out tokens."""
    environment = {**emulator_program.environment, "EMAIL_URL": "console:", "EPHEMERAL_TOKENS": "1"}
    server = WebServer(tmp_path_factory.mktemp("web"), environment)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def quiet_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a microphone hears where nothing speaks over the answers to what is typed."""
    path = tmp_path_factory.mktemp("sounds") / "quiet.wav"
    path.write_bytes(wav(loudness=0, rate_hz=48_000))
    return path


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

    def launch_once(wav: Path | None = None) -> Browser:
        if wav not in browsers:
            browsers[wav] = launch(playwright, wav)
        return browsers[wav]

    yield launch_once
    for browser in browsers.values():
        browser.close()


class Kept:
    """A browser context that tests use one after the other, each as if it were new.

    A new one starts a process, compiles every script and fetches every file again, which takes longer than most tests.
    The first page stays open, and with it the process; the files stay in the cache. Tests that play the server's part
    use that page itself, for opening another takes four times as long as going somewhere else.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        context.set_default_timeout(ANSWER_LIMIT_MS)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._first_page = context.new_page()
        self._first_page.goto("/healthz")

    @property
    def has_a_call(self) -> bool:
        """Whether a test may have left a call of the server's own, which every later lobby would offer."""
        return any(page != self._first_page and page.url.endswith("/call/") for page in self.context.pages)

    @property
    def has_another_clock(self) -> bool:
        """Whether a test has set one, which every later page of the context would have, too."""
        return bool(self._first_page.evaluate(HAS_ANOTHER_CLOCK))

    def clean(self) -> None:
        """Forget what a test has left."""
        self.context.set_offline(False)
        for page in self.context.pages:
            if page != self._first_page:
                page.close()
        if not self._first_page.url.endswith("/healthz"):
            self._first_page.unroute_all()
            self._first_page.mouse.move(0, 0)
            self._first_page.goto("/healthz")
        self.context.unroute_all()
        self.context.clear_cookies()
        self.context.clear_permissions()
        self.context.grant_permissions(["microphone"])
        self._first_page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.complaints.clear()

    def _note_console(self, message: Any) -> None:
        if any(header in message.text for header in HEADERS_IN_THE_CONSOLE):
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
def kept_contexts() -> dict[str, list[Kept]]:
    """Contexts that no test uses at the moment, by what they were made with."""
    return {}


@pytest.fixture
def open_context(
    launch_chromium: Callable[[Path | None], Browser], kept_contexts: dict[str, list[Kept]]
) -> Iterator[Callable[..., BrowserContext]]:
    """A browser context (cookies of its own): `open_context(web, wav=..., color_scheme="dark", ...)`.

    Further arguments are Playwright's for `new_context`. When the test is over, every page must have been free
    of script errors and of violations of the content security policy.
    """
    used: list[tuple[str, Kept, WebServer]] = []

    def open_one(web: WebServer, wav: Path | None = None, **options: Any) -> BrowserContext:
        made_with = repr((web.url, wav, sorted(options.items())))
        unused = kept_contexts.setdefault(made_with, [])
        if not unused:
            unused.append(
                Kept(launch_chromium(wav).new_context(base_url=web.url, permissions=["microphone"], **options))
            )
        used.append((made_with, unused.pop(), web))
        return used[-1][1].context

    yield open_one
    complaints = [complaint for _, kept, _ in used for complaint in kept.complaints]
    called = {web for _, kept, web in used if kept.has_a_call}
    for made_with, kept, _ in used:
        kept.clean()
        if kept.has_another_clock:
            kept.context.close()
        else:
            kept_contexts[made_with].append(kept)
    for web in called:
        web.shell(END_CALLS)
    assert not complaints


@pytest.fixture
def sign_in(web: WebServer) -> Callable[..., Page]:
    """A page of somebody who has logged in, without what the form takes: `page = sign_in(context, "alice")`.

    `played` says that the test plays the server's part on WebSockets itself (see `Peer`). It gets the page on which
    other such tests were: their parts stay with the page, and the newest one wins.
    """

    def sign_in(context: BrowserContext, name: str, *, played: bool = False) -> Page:
        cookie, _, session = web.log_in(name).partition("=")
        context.add_cookies([{"name": cookie, "value": session, "url": web.url}])
        return context.pages[0] if played else context.new_page()

    return sign_in


@pytest.fixture
def page(web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]) -> Page:
    """A page of Alice's, logged in, with the fake microphone."""
    return sign_in(open_context(web), "alice")


@pytest.fixture
def played_page(web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]) -> Page:
    """The same for a test that plays the server's part."""
    return sign_in(open_context(web), "alice", played=True)


@pytest.fixture
def sign_in_quietly(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page], quiet_room: Path
) -> Callable[..., Page]:
    """A page of somebody in a quiet room: `page = sign_in_quietly("alice", viewport=...)`."""
    return lambda name, **options: sign_in(open_context(web, wav=quiet_room, **options), name)


@pytest.fixture(scope="session")
def open_modules(launch_chromium: Callable[[Path | None], Browser]) -> Iterator[Callable[..., Page]]:
    """A page to which everything below `static` is served from the disk; arguments as for `new_context`."""
    contexts: list[BrowserContext] = []

    def open_modules(**options: Any) -> Page:
        context = launch_chromium(None).new_context(**options)
        context.set_default_timeout(ANSWER_LIMIT_MS)
        context.route(f"{ORIGIN}/**", serve)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{ORIGIN}/")
        return page

    yield open_modules
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def clock_in_utc(open_modules: Callable[..., Page]) -> Page:
    """A page like `modules` whose clock stands in UTC, wherever the tests run."""
    return open_modules(timezone_id="UTC")


@pytest.fixture(scope="session")
def clock_in_berlin(open_modules: Callable[..., Page]) -> Page:
    """The same with a clock that is put back and forward."""
    return open_modules(timezone_id="Europe/Berlin")


@pytest.fixture(scope="session")
def page_of_modules(open_modules: Callable[..., Page]) -> Page:
    return open_modules()


@pytest.fixture
def modules(page_of_modules: Page) -> Page:
    """An empty page that can import every module. Loaded anew it knows nothing of what an earlier test imported."""
    page_of_modules.goto(f"{ORIGIN}/")
    return page_of_modules


@pytest.fixture
def peer(page: Page) -> Peer:
    """The far end of a call page on which nothing was pressed yet."""
    peer = Peer(page, "call")
    page.goto("/call/")
    return peer


@pytest.fixture
def call(page: Page, peer: Peer) -> Peer:
    """The far end of a call that is going on."""
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    return peer
