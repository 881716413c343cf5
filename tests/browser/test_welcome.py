"""The start page of visitors: what its rehearsed call shows when the plug is pulled."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.modules import run
from tests.browser.test_accessibility import DESK, PHONE, violations
from tests.services.web import WebServer

WORDS = [11, 24, 11, 16]


def at(modules: Page, now_ms: int, pulled_ms: list[int]) -> dict[str, Any]:
    body = f"return m.rehearsalAt(argument[0], argument[1], {WORDS});"
    seen: dict[str, Any] = run(modules, "welcome/rehearsal.js", body, [now_ms, pulled_ms])
    return seen


def test_the_rehearsed_voice_stands_still_while_the_line_is_torn_and_goes_on_where_it_was(modules: Page) -> None:
    before, torn, back = (at(modules, now_ms, [5000]) for now_ms in (5000, 7500, 7700))
    assert (before["line"], torn["line"], back["line"]) == ("torn", "torn", "back")
    assert torn["said"][1] == before["said"][1] > 0
    assert 0 <= back["said"][1] - before["said"][1] <= 1
    assert torn["isKept"]
    assert 0 < torn["said"][2] <= back["said"][2]
    assert not back["isKept"]


@pytest.mark.parametrize("pulled_ms", [[0], [100], [5000], [5000, 7700], [9000, 12000, 15000]])
def test_whenever_the_plug_is_pulled_every_word_comes_and_none_goes(modules: Page, pulled_ms: list[int]) -> None:
    seen = [at(modules, now_ms, [ms for ms in pulled_ms if ms <= now_ms]) for now_ms in range(0, 34000, 250)]
    for earlier, later in itertools.pairwise(seen):
        assert all(before <= after for before, after in zip(earlier["said"], later["said"], strict=True))
    assert seen[-1]["said"] == WORDS
    assert seen[-1]["isOver"]


def test_a_visitor_pulls_the_plug_and_is_told_what_is_kept_and_that_nothing_was_lost(
    web: WebServer, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(web, viewport=DESK).new_page()
    page.clock.install()
    page.clock.pause_at(time.time() + 60)  # no time passes but what is let pass
    page.goto("/")
    page.clock.run_for(4500)
    page.get_by_role("button", name="Pull the plug").click()
    expect(page.get_by_text("Line torn")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("What you say is kept")
    page.clock.run_for(2700)
    expect(page.get_by_role("status")).to_have_text("Back after 2.6 s, nothing lost")
    page.clock.run_for(30_000)
    expect(page.get_by_role("status")).to_have_text("Held once, nothing lost")
    expect(page.get_by_role("button", name="Once more")).to_be_visible()


def test_who_wants_nothing_to_move_reads_the_rehearsal_and_may_play_it(
    web: WebServer, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(web, viewport=PHONE, reduced_motion="reduce").new_page()
    page.goto("/")
    expect(page.get_by_role("button", name="Play it")).to_be_visible()
    expect(page.get_by_text("Be back by eleven")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Play it").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
