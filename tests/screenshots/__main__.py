"""`./run screenshots`: a picture of every page and state of the running app, in every size and light.

They lie in `var/screenshots`: one PNG for each view, one for each scene with its views beside each other, and a page
`index.html` with all. Exits with 1 if a page was wider than its window or said something in the console.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FloatRect, Route, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser.chromium import launch
from tests.browser.peer import Peer
from tests.screenshots import rows
from tests.screenshots.scenes import Scene, scenes
from tests.screenshots.sheet import page_of, picture_name, pieces_of
from tests.screenshots.views import VIEWS, View
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

DIRECTORY = Path("var") / "screenshots"
EXTRAS = {"EMAIL_URL": "console:", "EPHEMERAL_TOKENS": "1", "PSEUDO_LANGUAGE": "1"}
PIECE_PX = 2600
"""How high a picture is at most; a longer page is shown in several."""

SIZE = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
AT_REST = """Promise.all([document.fonts.ready, ...document.getAnimations()
    .filter((animation) => animation.effect.getTiming().iterations === 1)
    .map((animation) => animation.finished.catch(() => "cancelled"))]).then(() => true)"""


def main() -> int:
    options = _options()
    use_settings_of_tests()
    expect.set_options(timeout=ANSWERS_WITHIN_S * 1000)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        emulator = Emulator(Path(name) / "emulator")
        web = WebServer(Path(name) / "web", emulator.environment | EXTRAS)
        browser = launch(playwright)
        try:
            return photograph(browser, web, options.only, [view for view in VIEWS if options.views.search(view.name)])
        finally:
            browser.close()
            web.stop()
            emulator.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run screenshots", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="scenes whose name has this pattern")
    parser.add_argument("--views", type=re.compile, default=re.compile(""), help="views whose name has this pattern")
    return parser.parse_args()


def photograph(browser: Browser, web: WebServer, only: re.Pattern[str], views: Sequence[View]) -> int:
    """Take them all; 1 if there was something to find fault with, which is printed."""
    conversation_id = web.shell(rows.ALICES).strip()
    languages = sorted({view.language for view in views})
    error_pages = json.loads(web.shell(f"LANGUAGES = {languages}\n{rows.ERROR_PAGES}"))
    wanted = [scene for scene in scenes(conversation_id) if only.search(scene.name)]
    faults = [fault for view in views for fault in _look(browser, web, view, wanted, error_pages[view.language])]
    _write_sheets(browser, [scene.name for scene in wanted], views)
    for fault in faults:
        print(fault)
    print(f"{len(wanted)} scenes in {len(views)} views: {DIRECTORY / 'index.html'}")
    return 1 if faults else 0


def _look(
    browser: Browser, web: WebServer, view: View, wanted: Sequence[Scene], error_pages: dict[str, str]
) -> list[str]:
    """The pictures of one view, and what is wrong with it."""
    faults = []
    for who in dict.fromkeys(scene.who for scene in wanted):
        context = browser.new_context(base_url=web.url, permissions=["microphone"], **view.context_options())
        context.set_default_timeout(ANSWERS_WITHIN_S * 1000)
        if who:
            cookie, _, session = web.log_in(who).partition("=")
            context.add_cookies([{"name": cookie, "value": session, "url": web.url}])

        def show_error_page(route: Route) -> None:
            name = route.request.url.rstrip("/").rpartition("/")[2]
            route.fulfill(body=error_pages[name], content_type="text/html; charset=utf-8")

        context.route("**/broken/*/", show_error_page)
        for scene in wanted:
            if scene.who == who:
                faults += [f"{scene.name}, {view.name}: {fault}" for fault in _take(context, scene, view)]
        context.close()
    return faults


def _take(context: BrowserContext, scene: Scene, view: View) -> list[str]:
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if _is_complaint(message, page.url) else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        peer = Peer(page, scene.peer or "nothing")
        page.goto(scene.path)
        if scene.arrange:
            scene.arrange(page, peer)
        page.evaluate("(percent) => { document.documentElement.style.fontSize = `${percent}%` }", view.text_percent)
        page.evaluate(AT_REST)
        wide_px, high_px = page.evaluate(SIZE)
        for piece, (top_px, piece_px) in enumerate(pieces_of(high_px, PIECE_PX)):
            seen = FloatRect(x=0, y=top_px, width=view.width, height=piece_px)
            page.screenshot(path=DIRECTORY / picture_name(scene.name, view.name, piece), clip=seen, full_page=True)
    except (PlaywrightError, AssertionError) as error:
        return [f"could not be taken: {error}", *said]
    finally:
        page.close()
    return [f"{wide_px - view.width} px wider than the window"] * (wide_px > view.width) + said


def _is_complaint(message: ConsoleMessage, url: str) -> bool:
    """The status of a page that is a refusal is none."""
    return message.type in ("error", "warning") and message.location["url"] != url


def _write_sheets(browser: Browser, names: Sequence[str], views: Sequence[View]) -> None:
    """One picture for each scene, and a page with all."""
    pieces = {(name, view.name): _pieces_taken(name, view) for name in names for view in views}
    (DIRECTORY / "index.html").write_text(page_of(names, views, pieces), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1532, "height": 900})
    for name in names:
        html = DIRECTORY / f"{name}.html"
        html.write_text(page_of([name], views, pieces), encoding="utf-8")
        page.goto(html.absolute().as_uri())
        page.screenshot(path=DIRECTORY / f"{name}.png", full_page=True)
        html.unlink()
    page.close()


def _pieces_taken(scene: str, view: View) -> int:
    return next(
        count for count in itertools.count() if not (DIRECTORY / picture_name(scene, view.name, count)).exists()
    )


if __name__ == "__main__":
    sys.exit(main())
