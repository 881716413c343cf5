"""What a browser has to fetch for each page, and how soon it shows something: `python -m tests.bench.pages`.

Files are those of production (`collectstatic`), so compressed as it has them; the cache is empty for each page. First
contentful paint is the median of seven loads, on this machine and without a network in between.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launch
from tests.services.emulator import QUICK, Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

OF_VISITORS = ("/", "/accounts/login/")
OF_USERS = ("/", "/text/", "/call/", "/history/", "/session/", "/settings/", "/account/", "/files/")
LOADS = 7

FETCHED = """() => {
  const all = [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")];
  const scripts = all.filter((entry) => /\\.js$/.test(new URL(entry.name).pathname));
  const bytes = (entries, field) => entries.reduce((sum, entry) => sum + entry[field], 0);
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    requests: all.length,
    bytes: bytes(all, "transferSize"),
    scripts: bytes(scripts, "transferSize"),
    unpacked: bytes(scripts, "decodedBodySize"),
    paint_ms: paint ? paint.startTime : null,
  };
}"""


@dataclass(frozen=True)
class Load:
    """`bytes` over the line, with headers; `scripts` of them, and `unpacked` what those are when they run."""

    who: str
    path: str
    requests: int
    bytes: int
    scripts: int
    unpacked: int
    paint_ms: float

    def row(self) -> str:
        sizes = " | ".join(f"{size / 1000:.0f}" for size in (self.bytes, self.scripts, self.unpacked))
        return f"| {self.who} | `{self.path}` | {self.requests} | {sizes} | {self.paint_ms:.0f} |"


@contextmanager
def production(directory: Path) -> Iterator[WebServer]:
    """The web server with hashed and compressed files, in front of an emulator."""
    emulator = Emulator(directory / "emulator", QUICK)
    web = WebServer(directory / "web", emulator.environment, "uvicorn")
    try:
        web.manage("collectstatic", "--no-input", "--verbosity", "0")
        web.stop()
        web.start()
        yield web
    finally:
        web.stop()
        emulator.stop()


def measure(browser: Browser, web: WebServer, who: str, path: str) -> Load:
    loads: list[dict[str, Any]] = []
    for _ in range(LOADS):
        context = browser.new_context(base_url=web.url, viewport={"width": 360, "height": 740})
        if who:
            cookie, _, session = web.log_in(who).partition("=")
            context.add_cookies([{"name": cookie, "value": session, "url": web.url}])
        page = context.new_page()
        page.goto(path, wait_until="networkidle")
        loads.append(page.evaluate(FETCHED))
        context.close()
    paint_ms = statistics.median(load.pop("paint_ms") for load in loads)
    return Load(who or "a visitor", path, **loads[0], paint_ms=paint_ms)


def main() -> None:
    use_settings_of_tests()
    with tempfile.TemporaryDirectory() as name, production(Path(name)) as web, sync_playwright() as playwright:
        browser = launch(playwright)
        print("| who | page | requests | KB | KB of scripts | unpacked KB of scripts | first paint ms |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
        for who, path in [("", path) for path in OF_VISITORS] + [("alice", path) for path in OF_USERS]:
            print(measure(browser, web, who, path).row(), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
