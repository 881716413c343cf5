"""The sound of a recording in a player: whole, in parts, for its owner alone, and never as a page."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.recordings.sounds import wav
from tests.recordings.uploading import body_of, kept

pytestmark = pytest.mark.django_db
SOUND = wav(2.0)


@pytest.fixture
def sound(page: Client) -> str:
    return str(kept(page, SOUND, 'a "talk"\r\n<b>.html')["sound"])


def test_the_whole_of_it_is_what_was_uploaded(page: Client, sound: str) -> None:
    answer = page.get(sound)
    assert (answer.status_code, body_of(answer)) == (HTTPStatus.OK, SOUND)
    assert answer.headers["Content-Length"] == str(len(SOUND))
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_it_is_saved_and_never_shown_as_a_page(page: Client, sound: str) -> None:
    answer = page.head(sound)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=")
    assert "\n" not in disposition
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["Cache-Control"].startswith("private")


@given(first=st.integers(0, len(SOUND) - 1), length=st.integers(1, len(SOUND)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_any_part_is_that_part(page: Client, sound: str, first: int, length: int) -> None:
    last = min(first + length, len(SOUND)) - 1
    answer = page.get(sound, headers={"Range": f"bytes={first}-{last}"})
    assert (answer.status_code, body_of(answer)) == (HTTPStatus.PARTIAL_CONTENT, SOUND[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(SOUND)}"


def test_a_part_beyond_the_end_is_not_there(page: Client, sound: str) -> None:
    answer = page.get(sound, headers={"Range": "bytes=999999-"})
    assert answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert answer.headers["Content-Range"] == f"bytes */{len(SOUND)}"


def test_what_a_browser_has_is_not_sent_again(page: Client, sound: str) -> None:
    etag = page.head(sound).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}'):  # as it comes through a proxy that packs, or of several
        answer = page.get(sound, headers={"If-None-Match": known})
        assert (answer.status_code, answer.headers["ETag"]) == (HTTPStatus.NOT_MODIFIED, etag)
        assert "private" in answer.headers["Cache-Control"]
    assert body_of(page.get(sound, headers={"Range": "bytes=0-9", "If-Range": '"other"'})) == SOUND


def test_nobody_else_hears_it(bobs: Client, sound: str) -> None:
    assert bobs.get(sound).status_code == HTTPStatus.NOT_FOUND
    assert Client().get(sound).status_code == HTTPStatus.UNAUTHORIZED


def test_a_sound_that_the_storage_has_lost_is_not_there(page: Client, sound: str, places: Path) -> None:
    for path in (places / "media").rglob("*"):
        if path.is_file():
            path.unlink()
    answer = page.get(sound)
    assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.NOT_FOUND, "gone")


def test_the_facts_of_a_recording_have_its_outline(page: Client) -> None:
    facts = page.get(f"/api/recordings/{kept(page, SOUND)['id']}/").json()
    assert len(facts["peaks"]) <= 1_000
    assert max(facts["peaks"]) > 80
    assert (facts["duration_ms"], facts["tokens"], facts["note"], facts["conversations"]) == (2_000, 64, "", [])
