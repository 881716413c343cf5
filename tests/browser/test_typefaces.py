"""The typefaces: text is there before they are, and stays where it is when they come."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route

from tests.services.web import WebServer

PAINTED = """() => new Promise((resolve) => {
  new PerformanceObserver(() => resolve(true)).observe({ type: "paint", buffered: true });
})"""
SHIFTED = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(0))));
})"""
"""How much of the page has moved since it was loaded, as browsers count it; 0.1 is called good."""


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_jumps_when_the_typefaces_come_late(
    web: WebServer, open_context: Callable[..., BrowserContext], width: int
) -> None:
    page = open_context(web, viewport={"width": width, "height": 800}, reduced_motion="reduce").new_page()
    held: list[Route] = []
    are_held = True
    page.route("**/*.woff2", lambda route: held.append(route) if are_held else route.continue_())
    page.goto("/", wait_until="domcontentloaded")
    page.evaluate(PAINTED)
    assert page.evaluate("document.fonts.check('16px \"Atkinson Hyperlegible Next\"')") is False
    are_held = False  # a page asks for one when it needs it, which may be now
    for route in held:
        route.continue_()
    page.evaluate("document.fonts.ready.then(() => true)")
    assert page.evaluate("document.fonts.check('16px \"Atkinson Hyperlegible Next\"')")
    assert page.evaluate(SHIFTED) < 0.03
