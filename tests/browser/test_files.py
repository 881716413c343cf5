"""The page of files in a browser: for everybody, with a real server that checks what is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import DESK, PHONE, overflow_px, violations
from tests.browser.test_history import TOO_SMALL
from tests.recordings.sounds import wav
from tests.services.web import WebServer

CLEAR = """
from sessions_app.models import Recording, RecordingUpload
RecordingUpload.objects.all().delete()
Recording.objects.all().delete()
"""
BEGUN = """
from django.contrib.auth.models import User
from sessions_app.models import RecordingUpload
RecordingUpload.objects.create(user=User.objects.get(username="alice"), name="begun.wav", size_bytes=9)
"""
LENGTH = """(audio) => new Promise((resolve) => {
    audio.onloadedmetadata = () => resolve(audio.duration);
    audio.preload = "metadata";
    audio.load();
})"""
UPLOAD = "**/api/recordings/uploads/*/"


@pytest.fixture
def open_files(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    """The page of somebody without files."""

    def open_files(size: dict[str, int] = DESK, theme: str = "light") -> Page:
        web.shell(CLEAR)
        page = sign_in(open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce"), "alice")
        page.goto("/files/")
        return page

    return open_files


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "A talk with a verylongnamethatgoesonandonandonandonandonandonandonandon.wav"
    path.write_bytes(wav(3.0, rate_hz=48_000))
    return path


def choose(page: Page, *paths: Path) -> None:
    page.get_by_label(re.compile("Choose recordings")).set_input_files([str(path) for path in paths])


@pytest.mark.parametrize(("theme", "size"), [("dark", PHONE), ("light", DESK)], ids=["dark-phone", "light-desk"])
def test_the_files_can_be_used_by_everybody(
    open_files: Callable[..., Page], talk: Path, tmp_path: Path, theme: str, size: dict[str, int]
) -> None:
    page = open_files(size, theme)
    no_sound = tmp_path / "letter.mp3"
    no_sound.write_text("Dear Sir or Madam")
    for state in ("empty", "with files"):
        if state == "with files":
            choose(page, talk, no_sound)
            expect(page.get_by_text("This is no audio file that can be read here")).to_be_visible()
            expect(page.locator(".recording")).to_have_count(1)
        assert violations(page) == [], state
        assert overflow_px(page) == 0, state
        assert page.evaluate(TOO_SMALL) == [], state
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) == 0
    page.get_by_role("link", name=re.compile("^Delete")).click()
    expect(page.get_by_role("heading", name="Delete this recording?")).to_be_visible()
    assert violations(page) == []
    assert overflow_px(page) == 0


def test_a_file_is_uploaded_played_and_deleted(open_files: Callable[..., Page], talk: Path) -> None:
    page = open_files()
    choose(page, talk)
    expect(page.locator(".upload[data-state=done]")).to_be_visible()
    expect(page.locator(".recording")).to_contain_text("0:03")
    expect(page.locator(".quota")).to_contain_text("1 of 500 recordings")
    length = page.locator(".recording audio").evaluate(LENGTH)
    assert abs(length - 3.0) < 0.1
    page.get_by_role("link", name=re.compile("^Delete")).click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The recording was deleted.")).to_be_visible()
    expect(page.get_by_text("No recordings yet")).to_be_visible()


def test_a_torn_line_is_gone_on_from_and_a_pause_is_one(open_files: Callable[..., Page], talk: Path) -> None:
    page = open_files()
    page.context.set_offline(True)
    choose(page, talk)
    expect(page.get_by_text("The connection is lost.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pause")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("^Paused"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Continue"))).to_be_focused()
    page.context.set_offline(False)
    page.keyboard.press("Enter")
    expect(page.locator(".recording")).to_have_count(1)


def test_what_is_cancelled_is_gone_on_the_server_too(
    open_files: Callable[..., Page], web: WebServer, talk: Path
) -> None:
    page = open_files()
    page.route(UPLOAD, lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    choose(page, talk)
    expect(page.get_by_text("The connection is lost.")).to_be_visible()
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    assert web.shell("from sessions_app.models import RecordingUpload as U; print(U.objects.count())").strip() == "0"


def test_a_page_that_is_opened_anew_goes_on_with_the_same_file(open_files: Callable[..., Page], talk: Path) -> None:
    page = open_files()
    interrupt(page, talk)
    choose(page, talk)
    expect(page.locator(".recording")).to_have_count(1)
    expect(page.get_by_text("Choose the same file once more")).to_have_count(0)


def test_another_file_of_the_same_name_and_size_is_not_added_to_it(
    open_files: Callable[..., Page], web: WebServer, talk: Path
) -> None:
    page = open_files()
    interrupt(page, talk)
    os.utime(talk, (1_700_000_000, 1_700_000_000))
    choose(page, talk)
    expect(page.locator(".recording")).to_have_count(1)
    expect(page.get_by_text("Choose the same file once more")).to_be_visible()
    assert web.shell("from sessions_app.models import RecordingUpload as U; print(U.objects.count())").strip() == "2"


def interrupt(page: Page, talk: Path) -> None:
    """Announce a file, and leave the page with nothing of it sent."""
    page.route(UPLOAD, lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    choose(page, talk)
    expect(page.get_by_text("The connection is lost.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pause")).click()
    page.unroute(UPLOAD)
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto("/files/")
    expect(page.get_by_text("Choose the same file once more")).to_be_visible()


def test_a_file_that_the_server_did_not_give_up_stays_on_the_page(
    open_files: Callable[..., Page], web: WebServer
) -> None:
    page = open_files()
    web.shell(BEGUN)
    page.reload()
    page.route(UPLOAD, lambda route: route.fulfill(status=500))
    with page.expect_response(UPLOAD):
        page.get_by_role("button", name="Cancel begun.wav").click()
    page.unroute(UPLOAD)
    page.get_by_role("button", name="Cancel begun.wav").click()
    expect(page.get_by_text("Choose the same file once more")).to_have_count(0)
    assert web.shell("from sessions_app.models import RecordingUpload as U; print(U.objects.count())").strip() == "0"
