"""The page of one recording in a browser: its player, the transcript that follows it, and work that goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.modules import run
from tests.browser.recordings import make_recordings, said, set_pace
from tests.browser.test_accessibility import DESK, PHONE, overflow_px, violations
from tests.browser.test_history import TOO_SMALL
from tests.services.web import WebServer

WRITTEN = {"state": "done", "title": "A train", "summary": "It leaves at nine.", "language": "en", "done_ms": 20_000}
LONG_NAME = "A talk with a verylongnamethatgoesonandonandonandonandonandonandonandon.wav"
MORE_WORK = """
from sessions_app.models import RecordingWork
RecordingWork.objects.update(state="working", done_ms=15_000, segments={segments})
"""
PLAYED_MS = "player => Math.round(player.querySelector('audio').currentTime * 1000)"


@pytest.fixture
def open_recording(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    def open_recording(wish: dict[str, Any], size: dict[str, int] = DESK, theme: str = "light") -> Page:
        (id,) = make_recordings(web, wish)
        page = sign_in(open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce"), "alice")
        page.goto(f"/files/{id}/")
        return page

    return open_recording


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", DESK)], ids=["dark-phone", "light-desk"])
def test_a_recording_can_be_used_by_everybody(
    open_recording: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_recording({"name": LONG_NAME, "work": {**WRITTEN, "segments": said(40, 500)}}, size, theme)
    seek = page.get_by_role("slider")
    seek.focus()
    page.keyboard.press("ArrowRight")
    expect(seek).to_have_attribute("aria-valuetext", "5 seconds of 20 seconds")
    expect(page.locator("[aria-current=true]")).to_contain_text("Passage 10.")
    assert violations(page) == []
    assert overflow_px(page) == 0
    assert page.evaluate(TOO_SMALL) == []
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) == 0


def test_a_time_plays_from_there_and_whoever_scrolls_is_left_alone(open_recording: Callable[..., Page]) -> None:
    page = open_recording({"work": {**WRITTEN, "segments": said(450, 40)}})
    set_pace(page, 0.1)
    player, scroller = page.locator(".player"), page.locator("[data-scroller]")
    page.get_by_role("button", name="Play from 0:02").first.press("Enter")
    expect(player).to_have_attribute("data-playing", "true")
    assert player.evaluate(PLAYED_MS) >= 2_000
    scroller.hover()
    page.mouse.wheel(0, 3_000)
    follow = page.get_by_role("button", name="Follow the sound")
    expect(follow).to_be_visible()
    page.get_by_role("slider").press("End")
    expect(page.locator("[data-passages]")).to_have_count(1)
    follow.click()
    expect(page.locator("[data-passages='3']")).to_be_attached()
    scroller.scroll_into_view_if_needed()
    expect(page.locator("[aria-current=true]")).to_be_in_viewport()


def test_work_that_goes_on_is_shown_as_it_gets_on(web: WebServer, open_recording: Callable[..., Page]) -> None:
    page = open_recording({"work": {"state": "working", "done_ms": 5_000, "segments": said(1, 5_000)}})
    expect(page.get_by_text("Being written down: up to 0:05 of 0:20.")).to_be_visible()
    web.shell(MORE_WORK.format(segments=said(3, 5_000)))
    expect(page.get_by_text("Being written down: up to 0:15 of 0:20.")).to_be_visible()
    expect(page.locator(".passage")).to_have_count(3)


def test_a_sound_that_cannot_be_had_is_told_and_can_be_tried_again(open_recording: Callable[..., Page]) -> None:
    page = open_recording({})
    page.route("**/sound/", lambda route: route.abort())
    play = page.get_by_role("button", name=re.compile("^Play talk"))
    play.click()
    expect(page.get_by_text("The sound could not be loaded.")).to_be_visible()
    page.unroute("**/sound/")
    play.click()
    expect(page.locator(".player")).to_have_attribute("data-playing", "true")
    expect(page.get_by_text("The sound could not be loaded.")).to_be_hidden()


# -- modules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lengths_ms", "times"),
    [
        ("He says so at 12:41, and again (1:02:03).", [3_800_000], [(0, 761_000), (0, 3_723_000)]),
        ("At #2 0:30 and **0:05**.", [60_000, 60_000], [(1, 30_000), (0, 5_000)]),
        ("From 62:03 to 90:00.", [4_000_000], [(0, 3_723_000)]),
        ("At 12:41", [60_000], []),
        ("#3 0:10", [60_000, 60_000], []),
        ("We meet at 9:30 am, at 9:30 Uhr, on 1.12:30, in 1:2 or 1:234 or 0:99 or 0:10.5 or 1:75:00", [9e9], []),
        ("At 0:10–0:20.", [60_000], [(0, 10_000), (0, 20_000)]),
        ("nothing", [], []),
    ],
)
def test_times_are_found_in_what_a_model_says(
    modules: Page, text: str, lengths_ms: list[float], times: list[tuple[int, int]]
) -> None:
    found = run(modules, "recordings/times.js", "return m.timesIn(...argument);", [text, lengths_ms])
    assert [(time["recording"], time["atMs"]) for time in found] == times
    assert all(re.fullmatch(r"(#\d )?[\d:]+", text[time["start"] : time["end"]]) for time in found)


@pytest.mark.parametrize(
    ("ms", "words"), [(0, "0 seconds"), (61_999, "1 minute 1 second"), (3_723_000, "62 minutes 3 seconds")]
)
def test_a_position_is_said_in_minutes_and_seconds(modules: Page, ms: int, words: str) -> None:
    assert run(modules, "recordings/times.js", "return m.spokenTime(argument);", ms) == words


@pytest.mark.parametrize(
    ("peaks", "count", "drawn"),
    [([1, 9, 3, 4, 200, 6], 3, [9, 4, 200]), ([1, 2], 9, [1, 2]), ([1, 2, 3], 2, [1, 3]), ([], 5, [])],
)
def test_an_outline_has_the_loudest_of_each_slot(modules: Page, peaks: list[int], count: int, drawn: list[int]) -> None:
    assert run(modules, "recordings/waveform.js", "return m.bars(...argument);", [peaks, count]) == drawn
