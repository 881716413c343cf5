"""A file on its way: announced, sent in parts, continued where it was torn, cancelled, refused with a sentence."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models.signals import post_save
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from sessions_app.models import Recording, RecordingUpload
from sessions_app.recordings import api, checking, cleanup, uploads
from sessions_app.recordings.parts import ADVISED_PART_BYTES, LARGEST_PART_BYTES
from sessions_app.throttle import UPLOADS as UPLOADS_RULE
from sessions_app.throttle import Limit, Scope
from tests.recordings.sounds import encoded, wav
from tests.recordings.uploading import UPLOADS, announce, kept, send, upload
from tests.services.processes import HANGS_AFTER_S
from tests.summarization.side_by_side import side_by_side

pytestmark = pytest.mark.django_db
SOUND = wav(2.0)


def files(places: Path) -> list[str]:
    return sorted(path.name for path in places.rglob("*") if path.is_file())


def test_an_announced_file_is_told_where_it_begins(page: Client) -> None:
    answer = announce(page, 1_000, "talk.mp3")
    assert answer.status_code == HTTPStatus.CREATED
    facts = answer.json()
    assert (facts["received_bytes"], facts["chunk_bytes"]) == (0, ADVISED_PART_BYTES)
    assert (facts["state"], facts["name"], facts["size_bytes"]) == ("receiving", "talk.mp3", 1_000)


def test_a_file_that_comes_in_parts_is_the_same_file(page: Client, alice: User) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    for first in range(0, len(SOUND), 10_000):
        answer = send(page, id, SOUND, first, min(first + 10_000, len(SOUND)))
    assert (answer.status_code, answer.json()["state"]) == (HTTPStatus.ACCEPTED, "checking")
    checking.check(uuid.UUID(id))
    facts = page.get(f"{UPLOADS}{id}/").json()
    assert facts["state"] == "done"
    recording = facts["recording"]
    assert recording["sha256"] == hashlib.sha256(SOUND).hexdigest()
    assert (recording["duration_ms"], recording["tokens"], recording["media_type"]) == (2_000, 64, "audio/wav")
    with Recording.objects.get(user=alice).file.open("rb") as file:
        assert file.read() == SOUND


def test_a_line_that_is_torn_twice_costs_the_part_that_was_on_it(page: Client) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, 10_000)
    for first in (10_000, 20_000):
        assert page.get(f"{UPLOADS}{id}/").json()["received_bytes"] == first
        send(page, id, SOUND, first, first + 10_000)
    assert send(page, id, SOUND, 30_000, len(SOUND)).status_code == HTTPStatus.ACCEPTED


@given(steps=st.lists(st.tuples(st.integers(1, 20_000), st.booleans()), max_size=8))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
def test_however_a_file_is_cut_up_and_torn_it_is_the_same_file(
    page: Client, places: Path, steps: list[tuple[int, bool]]
) -> None:
    """A part that is torn is one that the server never saw, or whose answer the page never saw: it asks."""
    id = announce(page, len(SOUND)).json()["id"]
    for length, is_answer_lost in [*steps, (len(SOUND), True)]:
        at = page.get(f"{UPLOADS}{id}/").json()["received_bytes"]
        if at == len(SOUND):
            break
        send(page, id, SOUND, at, min(at + length, len(SOUND)))
        if is_answer_lost and at + length < len(SOUND):
            assert send(page, id, SOUND, at, at + length).status_code == HTTPStatus.CONFLICT
    assert (places / "uploads" / f"{id}.part").read_bytes() == SOUND
    page.delete(f"{UPLOADS}{id}/")


@pytest.mark.parametrize("first", [0, 5_000, 15_000])
def test_a_part_from_elsewhere_is_told_where_the_file_goes_on(page: Client, first: int) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, 10_000)
    answer = send(page, id, SOUND, first, first + 1_000)
    assert (answer.status_code, answer.json()["received_bytes"]) == (HTTPStatus.CONFLICT, 10_000)
    assert answer.json()["error"]["code"] == "wrong_place"


def test_what_comes_after_the_end_is_not_taken(page: Client) -> None:
    facts = upload(page, SOUND)
    answer = send(page, facts["id"], SOUND, 0, 10)
    assert (answer.status_code, answer.json()["state"]) == (HTTPStatus.CONFLICT, "done")


def test_a_part_that_is_shorter_than_it_says_is_not_counted(page: Client) -> None:
    id = announce(page, 1_000).json()["id"]
    answer = page.put(
        f"{UPLOADS}{id}/",
        b"short",
        content_type="application/octet-stream",
        headers={"Content-Range": "bytes 0-99/1000"},
    )
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert page.get(f"{UPLOADS}{id}/").json()["received_bytes"] == 0


def test_a_part_that_is_too_large_is_refused(page: Client, settings: Settings) -> None:
    size = LARGEST_PART_BYTES + 1
    id = announce(page, size).json()["id"]
    answer = send(page, id, bytes(size), 0, size)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "at most" in answer.json()["error"]["text"]


def test_one_request_at_a_time_writes_to_a_file(page: Client, alice: User) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    with uploads.locked(uploads.get_upload_for(alice, uuid.UUID(id))):
        answer = send(page, id, SOUND, 0, 1_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.CONFLICT, "busy")
    assert send(page, id, SOUND, 0, 1_000).status_code == HTTPStatus.OK


def test_what_was_received_and_is_gone_is_said(page: Client, places: Path) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    (places / "uploads" / f"{id}.part").unlink()
    answer = send(page, id, SOUND, 0, 1_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.GONE, "lost")


def test_a_cancelled_file_leaves_nothing(
    page: Client, places: Path, django_capture_on_commit_callbacks: object
) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, 10_000)
    assert files(places)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert page.delete(f"{UPLOADS}{id}/").status_code == HTTPStatus.NO_CONTENT
    assert files(places) == []
    assert page.get(f"{UPLOADS}{id}/").status_code == HTTPStatus.NOT_FOUND


def test_the_uploads_that_go_on_are_told_to_a_page_that_is_opened_anew(page: Client) -> None:
    id = announce(page, 1_000).json()["id"]
    upload(page, SOUND)
    assert [each["id"] for each in page.get(UPLOADS).json()["uploads"]] == [id]


def test_the_same_content_is_kept_once(page: Client, alice: User, places: Path) -> None:
    first, second = kept(page, SOUND, "a.wav"), kept(page, SOUND, "b.wav")
    assert first["id"] == second["id"]
    assert (second["name"], Recording.objects.count()) == ("a.wav", 1)
    assert len(files(places)) == 1


def test_two_users_may_have_the_same_content(page: Client, bobs: Client) -> None:
    assert kept(page, SOUND)["id"] != kept(bobs, SOUND)["id"]


def test_of_a_film_the_sound_alone_is_kept(page: Client) -> None:
    film = encoded("mp4", "aac", 1.0, with_pictures=True)
    recording = kept(page, film, "film.mp4")
    assert recording["media_type"] == "audio/mp4"
    assert recording["size_bytes"] < len(film)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"This is a text.", "no audio file"), (b"PK\x03\x04" + bytes(10_000), "no audio file"), (SOUND[:46], "no sound")],
)
def test_what_is_no_recording_is_refused_with_a_sentence_and_leaves_nothing(
    page: Client, places: Path, content: bytes, sentence: str
) -> None:
    facts = upload(page, content, "talk.mp3")
    assert facts["state"] == "refused"
    assert sentence in facts["error"]["text"]
    assert files(places) == []
    assert not Recording.objects.exists()


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "size_bytes", "status", "code"),
    [
        ({"RECORDINGS": False}, 1, 403, "switched_off"),
        ({}, 0, 400, "empty"),
        ({"RECORDING_MAX_MB": 1}, 1_000_001, 413, "too_large"),
        ({"RECORDINGS_MB_PER_USER": 1}, 1_000_001, 409, "quota_bytes"),
    ],
)
def test_what_is_over_a_limit_is_refused_before_it_is_sent(
    page: Client, settings: Settings, changed: dict[str, object], size_bytes: int, status: int, code: str
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    answer = announce(page, size_bytes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["text"].endswith(".")


def test_three_files_of_a_user_come_at_once(page: Client, bobs: Client) -> None:
    answers = [announce(page, 1_000).status_code for _ in range(4)]
    assert answers == [201, 201, 201, 409]
    assert announce(bobs, 1_000).status_code == 201


def test_what_is_announced_counts_against_the_quota(page: Client, settings: Settings) -> None:
    settings.RECORDINGS_MB_PER_USER = 1
    assert announce(page, 600_000).status_code == 201
    assert announce(page, 600_000).json()["error"]["code"] == "quota_bytes"


def test_so_many_recordings_and_no_more(page: Client, settings: Settings) -> None:
    settings.RECORDINGS_PER_USER = 1
    kept(page, SOUND)
    assert announce(page, 1_000).json()["error"]["code"] == "quota_count"


def test_thousands_of_tiny_files_end_with_a_sentence(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "UPLOADS", replace(UPLOADS_RULE, limits={Scope.ACCOUNT: Limit(3, 600)}))
    for _ in range(4):
        answer = announce(page, 1)
        if answer.status_code == 201:
            page.delete(f"{UPLOADS}{answer.json()['id']}/")
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert answer.json()["error"]["text"].startswith("Too many uploads.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"no",
        b'{"name": 1, "size_bytes": 1}',
        b'{"name": "a"}',
        b'{"name": "a", "size_bytes": true}',
        b'{"name": "a", "size_bytes": 1' + b"0" * 400 + b"}",
        b'{"name": "a", "size_bytes": 1, "modified_ms": "now"}',
        b'{"name": "a", "size_bytes": 1, "modified_ms": -1}',
        b'{"name": "a", "size_bytes": 1, "modified_ms": 9007199254740992}',
    ],
)
def test_nonsense_is_refused_as_json(page: Client, body: bytes) -> None:
    answer = page.post(UPLOADS, body, content_type="application/json")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["error"]["code"] == "bad_request"


def test_a_large_request_is_not_read(page: Client) -> None:
    answer = page.post(UPLOADS, json.dumps({"name": "x" * 10_000}), content_type="application/json")
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


# -- who asks ----------------------------------------------------------------------------------------------------------


def test_a_stranger_finds_nothing(page: Client, bobs: Client) -> None:
    id, recording = announce(page, 1_000).json()["id"], kept(page, SOUND)["id"]
    asked = [
        bobs.get(f"{UPLOADS}{id}/"),
        send(bobs, id, bytes(1_000), 0, 10),
        bobs.delete(f"{UPLOADS}{id}/"),
        bobs.get(f"/api/recordings/{recording}/"),
        bobs.delete(f"/api/recordings/{recording}/"),
        bobs.get(f"/recordings/{recording}/sound/"),
        bobs.post(f"/api/recordings/{recording}/attach/", {"conversation": id}, content_type="application/json"),
    ]
    assert {answer.status_code for answer in asked} == {HTTPStatus.NOT_FOUND}
    assert page.get(f"/api/recordings/{recording}/").status_code == HTTPStatus.OK


def test_who_logs_out_sends_no_further_part(page: Client) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, 10_000)
    page.logout()
    answer = send(page, id, SOUND, 10_000, 20_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.UNAUTHORIZED, "not_logged_in")
    assert RecordingUpload.objects.get().received_bytes == 10_000


def test_a_forged_part_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert announce(client, 10).status_code == HTTPStatus.FORBIDDEN
    id = RecordingUpload.objects.create(user=alice, name="a", size_bytes=10).pk
    assert send(client, str(id), bytes(10), 0, 10).status_code == HTTPStatus.FORBIDDEN


# -- what is left ------------------------------------------------------------------------------------------------------


def test_a_file_whose_process_ended_before_its_check_is_checked_by_another(page: Client) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, len(SOUND))
    assert cleanup.check_left() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert cleanup.check_left() == 1
    assert page.get(f"{UPLOADS}{id}/").json()["state"] == "done"


def test_a_file_that_cannot_be_checked_keeps_no_other_waiting(page: Client, places: Path) -> None:
    stuck, other = (announce(page, len(SOUND)).json()["id"] for _ in range(2))
    for id in (stuck, other):
        send(page, id, SOUND, 0, len(SOUND))
    (places / "uploads" / f"{stuck}.sound").mkdir()  # nothing can be written there
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        cleanup.check_left()
    states = [page.get(f"{UPLOADS}{id}/").json()["state"] for id in (stuck, other)]
    assert states == ["checking", "done"]


def test_a_file_whose_row_could_not_be_written_is_checked_again(page: Client, places: Path) -> None:
    def fail(**signal: Any) -> None:
        raise OperationalError("the database is away")

    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, len(SOUND))
    post_save.connect(fail, sender=Recording)
    try:
        with pytest.raises(OperationalError):
            checking.check(uuid.UUID(id))
    finally:
        post_save.disconnect(fail, sender=Recording)
    assert files(places) == [f"{id}.part"]
    checking.check(uuid.UUID(id))
    assert page.get(f"{UPLOADS}{id}/").json()["state"] == "done"
    assert len(files(places)) == 1


def test_a_check_that_goes_on_is_not_begun_twice(page: Client, alice: User) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, len(SOUND))
    with uploads.locked(uploads.get_upload_for(alice, uuid.UUID(id))):
        checking.check(uuid.UUID(id))
    assert page.get(f"{UPLOADS}{id}/").json()["state"] == "checking"


def test_a_file_that_is_cancelled_while_it_is_checked_leaves_nothing(page: Client, alice: User, places: Path) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    send(page, id, SOUND, 0, len(SOUND))
    upload = RecordingUpload.objects.select_related("user").get(pk=id)
    RecordingUpload.objects.filter(pk=id).delete()
    with pytest.raises(uploads.NoSuchUpload):
        checking._check(upload)
    assert not Recording.objects.exists()
    assert files(places) == []


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_check_the_same_sound_keep_it_once(page: Client, places: Path, alice: User) -> None:
    ids = []
    for name in ("a.wav", "b.wav"):
        upload = RecordingUpload.objects.create(
            user=alice, name=name, size_bytes=len(SOUND), received_bytes=len(SOUND), state="checking"
        )
        upload.path.write_bytes(SOUND)
        ids.append(upload.pk)
    todo = iter(ids)
    side_by_side(lambda: checking.check(next(todo)), workers=2)
    assert list(RecordingUpload.objects.values_list("state", flat=True)) == ["done", "done"]
    assert (Recording.objects.count(), len(files(places))) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_last_part_has_the_file_checked_beside_the_requests(page: Client) -> None:
    id = announce(page, len(SOUND)).json()["id"]
    assert send(page, id, SOUND, 0, len(SOUND)).json()["state"] == "checking"
    assert checking.thread.flush(HANGS_AFTER_S)
    assert page.get(f"{UPLOADS}{id}/").json()["state"] == "done"
