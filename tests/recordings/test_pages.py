"""The pages of files: for their owner, with and without something in them."""

from __future__ import annotations

import csv
import io
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.models import Conversation, Recording, RecordingWork
from summarization.models import CallHistory
from tests.recordings.sounds import wav
from tests.recordings.uploading import announce, kept

pytestmark = pytest.mark.django_db
SOUND = wav(2.0)


def files(client: Client, query: str = "") -> str:
    answer = client.get(f"/files/{query}")
    assert answer.status_code == HTTPStatus.OK
    return answer.content.decode()


def rows(user: User, count: int) -> list[Recording]:
    return [
        Recording.objects.create(
            user=user,
            name=f"talk-{number}.mp3",
            sha256=f"{number:064}",
            size_bytes=1_000_000,
            media_type="audio/mpeg",
            duration_ms=61_000,
            peaks=b"\x10",
            file=f"recordings/{user.pk}/{number}",
        )
        for number in range(count)
    ]


def test_without_files_the_page_says_so(page: Client) -> None:
    shown = files(page)
    assert "No recordings yet" in shown
    assert "Nothing of 2000 MB used, 0 of 500 recordings" in shown


def test_a_recording_is_listed_with_where_it_is_attached(page: Client, alice: User) -> None:
    titled, plain = (Conversation.objects.create(user=alice, mode=Mode.TEXT) for _ in range(2))
    CallHistory.objects.create(conversation=titled, title="The zeppelin")
    recording = Recording.objects.get(pk=kept(page, SOUND, "<i>talk.wav")["id"])
    for conversation in (titled, plain):
        recording.attachments.create(conversation=conversation)
    with CaptureQueriesContext(connection) as queries:
        shown = files(page)
    assert not [query for query in queries if "search_text" in query["sql"]], "all that was said is read for a title"
    assert "&lt;i&gt;talk.wav" in shown
    assert "0:02" in shown
    assert "about 64 tokens" in shown
    assert f'<a href="/history/{titled.pk}/">The zeppelin</a>' in shown
    assert f'<a href="/history/{plain.pk}/">text of ' in shown


def test_what_is_missing_of_a_file_is_said(page: Client) -> None:
    kept(page, SOUND[:20_000])
    assert "The end of this file is missing" in files(page)


def test_the_list_has_pages_and_as_many_queries_however_long_it_is(page: Client, alice: User) -> None:
    rows(alice, 3)
    with CaptureQueriesContext(connection) as few:
        files(page)
    Recording.objects.all().delete()
    rows(alice, 30)
    with CaptureQueriesContext(connection) as many:
        shown = files(page)
    assert len(many) == len(few)
    assert "Page 1 of 2" in shown
    assert "Page 2 of 2" in files(page, "?page=99")


def test_what_is_on_its_way_can_be_gone_on_with(page: Client) -> None:
    id = announce(page, 1_000_000, "half.mp3", modified_ms=1_700_000_000_123).json()["id"]
    shown = files(page)
    assert 'data-modified="1700000000123"' in shown
    assert f'data-begun="{id}"' in shown
    assert "Choose the same file once more" in shown


def test_where_nothing_is_taken_the_page_says_so_and_keeps_the_list(
    page: Client, alice: User, settings: Settings
) -> None:
    rows(alice, 1)
    settings.RECORDINGS = False
    shown = files(page)
    assert "takes no new ones" in shown
    assert "data-uploader" not in shown
    assert "talk-0.mp3" in shown


@pytest.mark.parametrize("path", ["/history/", "/account/"])
def test_where_nothing_is_taken_the_page_is_linked_for_those_who_have_files_alone(
    path: str, page: Client, alice: User, settings: Settings
) -> None:
    settings.RECORDINGS = False
    assert "/files/" not in page.get(path).content.decode()
    rows(alice, 1)
    assert "/files/" in page.get(path).content.decode()


def test_deleting_asks_first(page: Client) -> None:
    id = kept(page, SOUND)["id"]
    assert "Delete this recording?" in page.get(f"/files/{id}/delete/").content.decode()
    assert Recording.objects.exists()
    answer = page.post(f"/files/{id}/delete/", follow=True)
    assert "The recording was deleted." in answer.content.decode()
    assert not Recording.objects.exists()


def test_a_stranger_and_a_visitor_find_nothing(page: Client, bobs: Client) -> None:
    id = kept(page, SOUND, "secret.wav")["id"]
    assert "secret.wav" not in files(bobs)
    assert bobs.get(f"/files/{id}/delete/").status_code == HTTPStatus.NOT_FOUND
    assert bobs.post(f"/files/{id}/delete/").status_code == HTTPStatus.NOT_FOUND
    assert page.get(f"/files/{uuid.uuid4()}/delete/").status_code == HTTPStatus.NOT_FOUND
    assert Client().get("/files/").headers["Location"] == "/accounts/login/?next=/files/"


def test_the_history_and_the_account_lead_there(page: Client) -> None:
    for path in ("/history/", "/account/"):
        assert 'href="/files/"' in page.get(path).content.decode()


def test_operators_see_what_there_is_and_delete_it(page: Client, sam: User) -> None:
    id = kept(page, SOUND)["id"]
    operator = Client()
    operator.force_login(sam)
    for name in ("recording", "recordingupload"):
        assert "talk.wav" in operator.get(f"/admin/sessions_app/{name}/?q=alice").content.decode()
    assert operator.get(f"/admin/sessions_app/recording/{id}/change/").status_code == HTTPStatus.OK
    wish: dict[str, Any] = {"action": "export_as_csv", "_selected_action": [id]}
    answer = operator.post("/admin/sessions_app/recording/", wish)
    content = answer.getvalue()
    assert "talk.wav" in {cell for row in csv.reader(io.StringIO(content.decode())) for cell in row}
    operator.post(f"/admin/sessions_app/recording/{id}/delete/", {"post": "yes"})
    assert not Recording.objects.exists()


def test_a_file_is_found_by_its_name_its_title_and_its_summary_and_led_to(page: Client, alice: User, bob: User) -> None:
    recordings = rows(alice, 30)
    rows(bob, 1)
    newest, oldest = recordings[-1], recordings[0]
    RecordingWork.objects.filter(recording=oldest).update(title="Über <b>Reiher</b>")
    RecordingWork.objects.filter(recording=newest).update(summary="Two birds. They stand in the Straße.")
    shown = page.get("/history/?q=REIHER").content.decode()
    assert f'href="/files/?page=2#file-{oldest.pk}"' in shown
    assert "talk-0.mp3" in shown
    assert "Über &lt;b&gt;<mark>Reiher</mark>&lt;/b&gt;" in shown
    assert f'id="file-{oldest.pk}"' in files(page, "?page=2")
    assert "They stand in the <mark>Straße</mark>." in page.get("/history/?q=strasse").content.decode()
    many = page.get("/history/?q=talk").content.decode()
    assert many.count("<mark>talk</mark>") == 5
    assert "and 25 more files" in many
    for query in ("q=talk&mode=call", "q=talk&until=2020-01-01", "q=zebra", "q=!!", ""):
        assert "In your files" not in page.get(f"/history/?{query}").content.decode(), query
