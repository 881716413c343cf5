"""Recordings go with what they belong to: conversation, retention, "delete all", account; their files go, too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.accounts import deletion
from sessions_app.models import Attachment, Conversation, LiveSession, Recording, RecordingUpload, UserSettings
from sessions_app.recordings import cleanup, service
from summarization import cleanup as history_cleanup
from summarization import history, services
from summarization.account_export import parts_of
from tests.config.commands import SECRET_KEY, clean_environment, run_python
from tests.recordings.sounds import wav
from tests.recordings.uploading import announce, kept, send

pytestmark = pytest.mark.django_db
SOUND = wav(1.0)


def conversation_of(user: User) -> Conversation:
    return Conversation.objects.create(user=user, mode=Mode.TEXT)


def attach(client: Client, recording: str, conversation: object) -> Any:
    wish = {"conversation": str(conversation)}
    return client.post(f"/api/recordings/{recording}/attach/", wish, content_type="application/json")


def files(places: Path) -> int:
    return sum(path.is_file() for path in places.rglob("*"))


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    """Within it what waits for a commit is done in the end."""

    @contextmanager
    def within() -> Iterator[None]:
        with django_capture_on_commit_callbacks(execute=True):
            yield

    return within


def test_a_recording_is_attached_once_to_each_conversation(page: Client, alice: User) -> None:
    first, second = conversation_of(alice), conversation_of(alice)
    id = kept(page, SOUND)["id"]
    for conversation in (first, first, second):
        answer = attach(page, id, conversation.pk)
        assert answer.status_code == HTTPStatus.OK
    assert answer.json()["conversations"] == [str(first.pk), str(second.pk)]
    assert [recording.pk for recording in service.attached_to(first.pk)] == [uuid.UUID(id)]


def test_what_is_taken_out_of_its_only_conversation_stays_with_its_user(
    page: Client, bobs: Client, alice: User
) -> None:
    conversation = conversation_of(alice)
    id = kept(page, SOUND)["id"]
    assert not Recording.objects.get().is_kept
    attach(page, id, conversation.pk)
    wish = {"conversation": str(conversation.pk)}
    address = f"/api/recordings/{id}/detach/"
    assert bobs.post(address, wish, content_type="application/json").status_code == HTTPStatus.NOT_FOUND
    for _ in range(2):
        assert page.post(address, wish, content_type="application/json").status_code == HTTPStatus.NO_CONTENT
    assert service.attached_to(conversation.pk) == []
    assert Recording.objects.get().is_kept


def test_nobody_attaches_to_somebody_elses_conversation(page: Client, bob: User) -> None:
    id = kept(page, SOUND)["id"]
    assert attach(page, id, conversation_of(bob).pk).status_code == HTTPStatus.NOT_FOUND
    assert attach(page, id, uuid.uuid4()).status_code == HTTPStatus.NOT_FOUND
    assert attach(page, id, "no id").status_code == HTTPStatus.BAD_REQUEST


def test_a_conversation_has_so_many_and_no_more(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ATTACHED_AT_MOST", 1)
    conversation = conversation_of(alice)
    attach(page, kept(page, SOUND)["id"], conversation.pk)
    answer = attach(page, kept(page, wav(1.5))["id"], conversation.pk)
    assert (answer.status_code, answer.json()["error"]["code"]) == (HTTPStatus.CONFLICT, "too_many_attached")


def test_a_recording_goes_with_its_last_conversation(page: Client, alice: User, places: Path, committed: Any) -> None:
    first, second = conversation_of(alice), conversation_of(alice)
    id = kept(page, SOUND)["id"]
    attach(page, id, first.pk)
    attach(page, id, second.pk)
    with committed():
        history.delete(alice, first.pk)
    assert (Recording.objects.count(), files(places)) == (1, 1)
    with committed():
        history.delete(alice, second.pk)
    assert (Recording.objects.count(), files(places)) == (0, 0)


def test_what_was_uploaded_to_be_kept_outlives_its_conversation(page: Client, alice: User, committed: Any) -> None:
    conversation = conversation_of(alice)
    attach(page, kept(page, SOUND, keep=True)["id"], conversation.pk)
    with committed():
        history.delete(alice, conversation.pk)
    assert Recording.objects.count() == 1


def test_delete_all_takes_what_was_kept_as_well(page: Client, alice: User, places: Path, committed: Any) -> None:
    attach(page, kept(page, SOUND)["id"], conversation_of(alice).pk)
    kept(page, wav(1.5), keep=True)
    with committed():
        services.delete_all(alice)
    assert (Recording.objects.count(), files(places)) == (0, 0)


def test_the_page_that_deletes_all_counts_recordings_as_well(page: Client, alice: User) -> None:
    open_one = conversation_of(alice)
    LiveSession.objects.create(conversation=open_one, page_id=uuid.uuid4(), model="m", owner="worker:1")
    attach(page, kept(page, SOUND)["id"], open_one.pk)
    assert "Nothing to delete" in page.get("/history/delete-all/").content.decode()
    kept(page, wav(1.5), keep=True)
    assert "Delete 1 recording?" in page.get("/history/delete-all/").content.decode()
    assert "1 recording was deleted." in page.post("/history/delete-all/", follow=True).content.decode()
    assert [recording.pk for recording in service.attached_to(open_one.pk)] == list(
        Recording.objects.values_list("pk", flat=True)
    )


def test_who_deletes_a_recording_deletes_it_everywhere(page: Client, alice: User, places: Path, committed: Any) -> None:
    id = kept(page, SOUND)["id"]
    attach(page, id, conversation_of(alice).pk)
    with committed():
        assert page.delete(f"/api/recordings/{id}/").status_code == HTTPStatus.NO_CONTENT
    assert (Recording.objects.count(), Attachment.objects.count(), files(places)) == (0, 0, 0)
    assert Conversation.objects.count() == 1


def test_an_account_goes_with_its_recordings_and_what_was_on_its_way(
    page: Client, alice: User, places: Path, committed: Any
) -> None:
    attach(page, kept(page, SOUND)["id"], conversation_of(alice).pk)
    send(page, announce(page, len(SOUND)).json()["id"], SOUND, 0, 100)
    with committed():
        deletion.remove(alice.pk)
    assert (Recording.objects.count(), RecordingUpload.objects.count(), files(places)) == (0, 0, 0)


@pytest.mark.parametrize(("operators_days", "own_days"), [(30, None), (0, 30), (60, 30)])
def test_what_is_in_no_conversation_goes_by_retention(
    page: Client, alice: User, operators_days: int, own_days: int | None
) -> None:
    if own_days:
        UserSettings.objects.create(user=alice, history_days=own_days)
    kept(page, SOUND, keep=True)
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        assert history_cleanup.prune_recordings(operators_days) == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert history_cleanup.prune_recordings(operators_days, dry_run=True) == 1
        assert history_cleanup.prune_recordings(operators_days) == 1


@pytest.mark.parametrize("delete", [lambda alice: history_cleanup.prune_recordings(30), service.delete_loose])
def test_what_is_attached_in_the_moment_in_which_it_would_go_stays(
    page: Client, alice: User, delete: Callable[[User], int]
) -> None:
    conversation, id = conversation_of(alice), kept(page, SOUND, keep=True)["id"]
    coming = [Attachment(conversation=conversation, recording_id=id)]

    def attach_when_it_was_found(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if coming and sql.startswith("SELECT") and Recording._meta.db_table in sql:
            coming.pop().save()
        return found

    later = timezone.now() + timedelta(days=31)
    with time_machine.travel(later), connection.execute_wrapper(attach_when_it_was_found):
        assert delete(alice) == 0
    assert [str(recording.pk) for recording in service.attached_to(conversation.pk)] == [id]


def test_what_a_conversation_has_goes_with_it_by_retention(page: Client, alice: User) -> None:
    attach(page, kept(page, SOUND)["id"], conversation_of(alice).pk)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert history_cleanup.prune_recordings(30) == 0
        assert history_cleanup.prune_history(30) == 1
    assert Recording.objects.count() == 0


def test_the_command_says_how_many_recordings_went(
    page: Client, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(page, SOUND, keep=True)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        call_command("prune_history", "--days", "30")
    assert "1 recordings that no conversation has attached deleted." in capsys.readouterr().out


def test_what_never_came_to_its_conversation_is_swept(page: Client, places: Path, committed: Any) -> None:
    kept(page, SOUND)
    kept(page, wav(1.5), keep=True)
    announce(page, 100)
    with committed():
        assert cleanup.prune() == 0
    with time_machine.travel(timezone.now() + timedelta(days=2)), committed():
        assert cleanup.prune() == 4  # a recording, and three uploads of which two had ended
    assert Recording.objects.get().is_kept
    assert files(places) == 1


def test_files_that_no_row_knows_are_swept_when_they_are_old(page: Client, places: Path) -> None:
    kept(page, SOUND)
    for lost in (f"media/recordings/1/{uuid.uuid4()}", "media/recordings/1/other", f"uploads/{uuid.uuid4()}.part"):
        (places / lost).parent.mkdir(parents=True, exist_ok=True)
        (places / lost).write_bytes(b"lost")
    assert cleanup.sweep_files() == 0
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert cleanup.sweep_files() == 3
    assert files(places) == 1


def test_a_file_that_goes_while_files_are_swept_stops_no_sweep(page: Client, places: Path) -> None:
    kept(page, SOUND)
    for folder in (places / "uploads", next((places / "media" / "recordings").iterdir())):
        (folder / "a").symlink_to("gone")  # is listed, and is not there
        (folder / "b").write_bytes(b"lost")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert cleanup.sweep_files() == 2


def test_a_conversation_that_the_version_before_deleted_leaves_nothing(page: Client, alice: User) -> None:
    """It knows of no attachments, and the database does not hold it to any."""
    conversation = conversation_of(alice)
    attach(page, kept(page, SOUND)["id"], conversation.pk)
    Conversation.objects.filter(pk=conversation.pk)._raw_delete("default")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        cleanup.prune()
    assert (Attachment.objects.count(), Recording.objects.count()) == (0, 0)


def test_the_export_of_an_account_has_the_facts_of_its_recordings(page: Client, alice: User) -> None:
    conversation = conversation_of(alice)
    attach(page, kept(page, SOUND, "talk.wav")["id"], conversation.pk)
    (recording,) = next(parts_of(alice))["recordings"]
    assert (recording["name"], recording["size_bytes"], recording["duration_ms"]) == ("talk.wav", len(SOUND), 1_000)
    assert recording["conversations"] == [conversation.pk]
    assert recording["file"] == f"recordings/{alice.pk}/{recording['id']}"


def test_every_process_deletes_the_files_of_rows_that_go(tmp_path: Path) -> None:
    """Also one that has loaded no page, such as a shell in which an operator deletes somebody."""
    code = (
        "import django; django.setup()\n"
        "from django.db.models.signals import post_delete\n"
        "from sessions_app.models import Attachment, Recording, RecordingUpload\n"
        "print(all(map(post_delete.has_listeners, (Attachment, Recording, RecordingUpload))))"
    )
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "HOLDLINE_DATA_DIR": str(tmp_path)}
    environment = clean_environment(SECRET_KEY=SECRET_KEY, **settings)
    done = run_python("-c", code, environment=environment)
    assert done.stdout == "True\n", done.stderr
