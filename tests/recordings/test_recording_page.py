"""The page of one recording: what was made out of it, where it is, until when, and what can be done with it."""

from __future__ import annotations

import datetime
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.models import Conversation, GeminiFile, Recording, RecordingWork
from sessions_app.recordings import google_files
from sessions_app.recordings.google_files import AudioFileService
from sessions_app.recordings.google_rules import Known, State
from sessions_app.recordings.google_shown import Place, copy_shown, left_words
from sessions_app.recordings.keeping import End, Keeping, keeping
from sessions_app.recordings.passages import PER_PAGE, page_at, passage_page
from tests.pages.history_rows import converse
from tests.recordings.at_google import recording_of
from tests.recordings.sounds import wav

NOON = datetime.datetime(2026, 11, 27, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
WORK = RecordingWork.State


def shown(client: Client, recording: Recording, path: str = "") -> str:
    answer = client.get(f"/files/{recording.pk}/{path}")
    assert answer.status_code == HTTPStatus.OK
    return " ".join(answer.content.decode().split())


def said(count: int) -> list[dict[str, Any]]:
    return [
        {
            "start_ms": place * 1000,
            "end_ms": place * 1000 + 900,
            "speaker": "AB"[place // 2 % 2],
            "text": f"word {place}",
        }
        for place in range(count)
    ]


def work_of(recording: Recording, **fields: Any) -> None:
    RecordingWork.objects.filter(recording=recording).update(**fields)


def at_google(recording: Recording, **fields: Any) -> GeminiFile:
    return GeminiFile.objects.create(
        project=google_files.project_of_the_key(),
        sha256=recording.sha256,
        media_type="audio/wav",
        size_bytes=recording.size_bytes,
        **{"state": State.ACTIVE, "name": "files/abc", "uri": "u", **fields},
    )


@pytest.fixture
def recording(alice: User) -> Recording:
    return recording_of(alice, wav(2.0), duration_ms=3_800_000)


# -- what is on it -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("work", "words"),
    [
        ({}, "Waits to be written down."),
        ({"state": WORK.WORKING}, "Being written down. What is said in it stands here soon."),
        ({"state": WORK.WORKING, "done_ms": 760_000}, "Being written down: up to 12:40 of 1:03:20."),
        ({"done_ms": 760_000}, "Waits to go on from 12:40 of 1:03:20."),
        ({"error": "the quota is used up"}, "It is tried again soon: the quota is used up."),
        ({"state": WORK.FAILED, "error": "it is no speech"}, "It could not be written down: it is no speech."),
        ({"state": WORK.DONE, "summary": "They talk.", "done_ms": 3_800_000}, "They talk."),
        ({"state": WORK.DONE, "done_ms": 3_600_000}, "Listened to up to 1:00:00"),
    ],
)
def test_how_far_the_work_is_stands_there(page: Client, recording: Recording, work: dict[str, Any], words: str) -> None:
    work_of(recording, **work)
    assert words in shown(page, recording)
    assert ("/write-down/" in shown(page, recording)) is (work.get("state") == WORK.FAILED)


@pytest.mark.django_db
def test_what_has_failed_goes_on_where_it_was_and_only_that(page: Client, bobs: Client, recording: Recording) -> None:
    address = f"/files/{recording.pk}/write-down/"
    work_of(recording, state=WORK.FAILED, error="x", done_ms=5_000, segments=said(2), due_at=None)
    assert bobs.post(address).status_code == HTTPStatus.NOT_FOUND
    assert page.post(address).headers["Location"] == f"/files/{recording.pk}/"
    work = RecordingWork.objects.get()
    assert (work.state, work.done_ms, len(work.segments), work.error) == (WORK.WAITING, 5_000, 2, "")
    assert work.due_at
    work_of(recording, state=WORK.DONE, title="A train")
    page.post(address)
    assert RecordingWork.objects.get().state == WORK.DONE


@pytest.mark.django_db
def test_a_transcript_comes_in_pages_with_its_speakers(page: Client, recording: Recording) -> None:
    work_of(recording, state=WORK.DONE, segments=said(2 * PER_PAGE + 1))
    whole = shown(page, recording)
    assert whole.count('class="passage"') == PER_PAGE
    assert whole.count('class="passage__speaker">') == PER_PAGE // 2, "a speaker is named where another one begins"
    assert 'data-passages="3" data-pages="3"' in shown(page, recording, "passages/?page=99")
    assert 'data-passages="2"' in shown(page, recording, f"passages/?at={PER_PAGE * 1000 + 950}")
    assert 'data-passages="1"' in shown(page, recording, "passages/?page=x")


@pytest.mark.django_db
def test_conversations_are_named_up_to_a_bound_and_counted_beyond_it(
    page: Client, alice: User, recording: Recording
) -> None:
    for _ in range(60):
        recording.attachments.create(conversation=Conversation.objects.create(user=alice, mode=Mode.TEXT))
    with CaptureQueriesContext(connection) as queries:
        assert "And 10 more." in shown(page, recording)
    assert len(queries) < 25
    listed = " ".join(page.get("/files/").content.decode().split())
    assert listed.count('href="/history/') - listed.count('href="/history/"') == 3
    assert ">57 more<" in listed
    facts = page.get(f"/api/recordings/{recording.pk}/").json()
    assert (len(facts["conversations"]), facts["conversation_count"]) == (50, 60)


@pytest.mark.django_db
def test_a_recording_is_called_otherwise(page: Client, recording: Recording) -> None:
    assert page.post(f"/files/{recording.pk}/rename/", {"name": " Talk 3/4\u202e "}).status_code == HTTPStatus.FOUND
    recording.refresh_from_db()
    assert recording.name == "Talk 3/4"
    assert "Write a name." in page.post(f"/files/{recording.pk}/rename/", {"name": " "}).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "passages/", "rename/"])
def test_a_stranger_and_a_visitor_find_no_page(bobs: Client, recording: Recording, path: str) -> None:
    assert bobs.get(f"/files/{recording.pk}/{path}").status_code == HTTPStatus.NOT_FOUND
    assert bobs.get(f"/files/{uuid.uuid4()}/{path}").status_code == HTTPStatus.NOT_FOUND
    assert Client().get(f"/files/{recording.pk}/{path}").status_code == HTTPStatus.FOUND


@pytest.mark.django_db
@pytest.mark.usefixtures("recording")
def test_scripts_get_a_list_in_pages(page: Client, bobs: Client) -> None:
    answer = page.get("/api/recordings/").json()
    (listed,) = answer["recordings"]
    assert (listed["name"], listed["page"], answer["pages"]) == ("talk.wav", f"/files/{listed['id']}/", 1)
    assert bobs.get("/api/recordings/?page=x").json() == {"recordings": [], "page": 1, "pages": 1}


@pytest.mark.django_db
def test_where_nothing_is_taken_nobody_is_led_to_a_conversation_about_it(
    page: Client, recording: Recording, settings: Settings
) -> None:
    assert f"/text/?about={recording.pk}" in shown(page, recording)
    assert "data-attach-dialog" in page.get("/text/").content.decode()
    settings.RECORDINGS = False
    assert "?about=" not in shown(page, recording)
    assert all("data-attach" not in page.get(path).content.decode() for path in ("/text/", "/call/"))


# -- until when it is here ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_kept", "last_word_at", "days", "until"),
    [
        (True, None, 0, Keeping(End.USER)),
        (True, NOON + DAY, 0, Keeping(End.USER)),
        (False, NOON + DAY, 0, Keeping(End.CONVERSATIONS)),
        (False, None, 0, Keeping(End.UNUSED, NOON + DAY)),
        (False, None, 30, Keeping(End.UNUSED, NOON + DAY)),
        (True, None, 30, Keeping(End.DAYS, NOON + 30 * DAY)),
        (False, NOON + DAY, 30, Keeping(End.DAYS, NOON + 31 * DAY)),
        (False, NOON - DAY, 30, Keeping(End.DAYS, NOON + 29 * DAY)),
        (True, NOON - DAY, 30, Keeping(End.DAYS, NOON + 30 * DAY)),
    ],
)
def test_when_a_recording_goes(
    is_kept: bool, last_word_at: datetime.datetime | None, days: int, until: Keeping
) -> None:
    assert keeping(NOON, is_kept, last_word_at, days) == until


@pytest.mark.django_db
def test_the_page_says_when_it_goes(page: Client, alice: User, recording: Recording, settings: Settings) -> None:
    Recording.objects.update(is_kept=True, created_at=NOON)
    assert "It is kept here until you delete it." in shown(page, recording)
    settings.HISTORY_DAYS = 30
    text = shown(page, recording)
    assert "until you delete it" not in text
    assert "27 Dec 2026" in text
    Recording.objects.all().delete()
    assert "kept here for 30 days" in page.get("/files/").content.decode()
    assert "for 30 days after its last word" in page.get("/history/").content.decode()


@pytest.mark.django_db
def test_all_can_be_deleted_where_there_are_files_alone(page: Client, recording: Recording) -> None:
    assert "/history/delete-all/" in page.get("/history/").content.decode()
    recording.delete()
    assert "/history/delete-all/" not in page.get("/history/").content.decode()


# -- on a conversation that is read ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_conversation_that_is_read_has_its_recordings_and_says_what_each_line_is_about(
    page: Client, alice: User, recording: Recording
) -> None:
    gone = str(uuid.uuid4())
    conversation = converse(alice, "When?", "At 12:41.", "And there?", mode="text")
    recording.attachments.create(conversation=conversation)
    conversation.turns.filter(number__lt=2).update(recordings=[str(recording.pk)])
    conversation.turns.filter(number=2).update(recordings=[gone])
    text = " ".join(page.get(f"/history/{conversation.pk}/").content.decode().split())
    assert text.count(f'data-about="{recording.pk}"') == 2
    assert f'data-recording="{recording.pk}"' in text
    assert "About talk.wav" in text
    assert "About a recording that is gone" in text
    data = page.get(f"/history/{conversation.pk}/export.json").json()
    assert data["recordings"] == [{"id": str(recording.pk), "name": "talk.wav", "duration_ms": 3_800_000}]
    assert [turn.get("recordings") for turn in data["turns"]] == [[str(recording.pk)]] * 2 + [[gone]]
    words = page.get(f"/history/{conversation.pk}/export.md").content.decode()
    assert "- Recordings: talk.wav (" in words
    assert ", about talk.wav)" in words
    assert ", about a recording that is gone)" in words


# -- at Google ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (31 * HOUR + HOUR / 2, "31 h"),
        (2 * HOUR, "2 h"),
        (HOUR, "60 minutes"),
        (HOUR / 60, "1 minute"),
        (HOUR / 3600, "less than a minute"),
    ],
)
def test_what_is_left_is_told_in_words(left: datetime.timedelta, words: str) -> None:
    assert left_words(left) == words


@given(st.timedeltas(min_value=datetime.timedelta(0), max_value=48 * HOUR))
def test_no_more_time_is_promised_than_there_is(left: datetime.timedelta) -> None:
    number = left_words(left).split()[0]
    unit = HOUR if left_words(left).endswith("h") else HOUR / 60
    assert not number.isdigit() or int(number) * unit <= left


@pytest.mark.parametrize(
    ("size_bytes", "known", "place"),
    [
        (1_000, None, Place.ALONG),
        (25_000_000, None, Place.NOWHERE),
        (25_000_000, Known(State.DELETED, NOON), Place.NOWHERE),
        (25_000_000, Known(State.ACTIVE, NOON, NOON + HOUR), Place.THERE),
        (25_000_000, Known(State.ACTIVE, NOON, NOON - HOUR), Place.NOWHERE),
        (25_000_000, Known(State.UPLOADING, NOON, is_claimed=True), Place.COMING),
        (25_000_000, Known(State.UPLOADING, NOON), Place.NOWHERE),
        (25_000_000, Known(State.PROCESSING, NOON, NOON + HOUR, is_claimed=True), Place.COMING),
        (25_000_000, Known(State.PROCESSING, NOON, is_claimed=True), Place.COMING),
        (25_000_000, Known(State.PROCESSING, NOON, NOON + HOUR), Place.THERE),
        (25_000_000, Known(State.PROCESSING, NOON, NOON - HOUR), Place.NOWHERE),
        (25_000_000, Known(State.FAILED, NOON), Place.FAILED),
    ],
)
def test_what_there_is_at_google(size_bytes: int, known: Known | None, place: Place) -> None:
    assert copy_shown(size_bytes, known, NOON).place is place


class Api:
    """The Files API, as far as a deletion goes."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete(self, name: str) -> None:
        self.deleted.append(name)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Api:
    api: Any = Api()
    service = AudioFileService(api, google_files.project_of_the_key())
    monkeypatch.setattr(google_files, "audio_files", lambda: service)
    return api


@pytest.mark.django_db
def test_the_page_says_when_the_copy_expires_and_has_it_deleted_early(
    page: Client, bobs: Client, recording: Recording, google: Api
) -> None:
    Recording.objects.update(is_kept=True)
    at_google(recording, expires_at=timezone.now() + 31 * HOUR + HOUR / 2)
    assert "Expires at Google in 31 h; kept here until you delete it." in shown(page, recording)
    assert bobs.post(f"/files/{recording.pk}/delete-at-google/").status_code == HTTPStatus.NOT_FOUND
    answer = page.post(f"/files/{recording.pk}/delete-at-google/", follow=True)
    assert "The copy at Google was deleted." in answer.content.decode()
    assert google.deleted == ["files/abc"]
    assert Recording.objects.exists()
    assert "Delete at Google now" not in answer.content.decode()


@pytest.mark.django_db
def test_what_is_being_uploaded_is_not_deleted_at_google_meanwhile(
    page: Client, bobs: Client, recording: Recording, google: Api
) -> None:
    claim = {"claim": uuid.uuid4(), "claimed_until": timezone.now() + HOUR}
    at_google(recording, state=State.UPLOADING, name="", uri="", **claim)
    address = f"/api/recordings/{recording.pk}/at-google/"
    assert bobs.delete(address).status_code == HTTPStatus.NOT_FOUND
    refused = page.delete(address)
    assert (refused.status_code, refused.json()["error"]["code"]) == (HTTPStatus.CONFLICT, "not_deleted")
    GeminiFile.objects.update(claim=None, claimed_until=None, state=State.ACTIVE, name="files/abc")
    assert page.delete(address).status_code == HTTPStatus.NO_CONTENT
    assert page.delete(address).status_code == HTTPStatus.NO_CONTENT
    assert google.deleted == ["files/abc"]


# -- a transcript in pages ---------------------------------------------------------------------------------------------


@given(st.integers(0, 3 * PER_PAGE), st.integers(-3, 9))
def test_each_passage_is_on_one_page(count: int, asked: int) -> None:
    segments = said(count)
    pages = [passage_page(segments, number) for number in range(1, passage_page(segments, 1).count + 1)]
    assert [passage.text for page in pages for passage in page.passages] == [each["text"] for each in segments]
    assert 1 <= passage_page(segments, asked).number <= len(pages)


@given(st.integers(1, 3 * PER_PAGE), st.integers(0, 4 * PER_PAGE * 1000))
def test_the_page_of_a_time_has_what_is_said_then(count: int, at_ms: int) -> None:
    segments = said(count)
    page = passage_page(segments, page_at(segments, at_ms))
    started = [each["start_ms"] for each in segments if each["start_ms"] <= at_ms]
    assert max(started) in [passage.start_ms for passage in page.passages]
