"""Recordings at the provider, whose Files API the emulator plays: uploaded once, continued, renewed, deleted early."""

from __future__ import annotations

import base64
import datetime
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from sessions_app.live.providers import files
from sessions_app.live.providers.files import GeminiFiles
from sessions_app.live.providers.sound_parts import InlineSound, SoundPart, UploadedSound
from sessions_app.models import GeminiFile, Recording
from sessions_app.recordings import google_files, google_rules
from sessions_app.recordings.google_files import AudioFileService, NotThere, audio_files, copy_of, stored_bytes
from sessions_app.recordings.google_rules import State
from summarization import tasks
from tests.recordings.at_google import LARGE, recording_of
from tests.recordings.sounds import wav
from tests.services.emulator import Emulator
from tests.summarization.side_by_side import side_by_side

pytestmark = pytest.mark.django_db

PROJECT = "a-project"
DAYS_2 = datetime.timedelta(hours=48)


@pytest.fixture
def service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioFileService]:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(files, "FIRST_PAUSE_S", 0.001)
    api = GeminiFiles("a-key", "v1beta")
    yield AudioFileService(api, PROJECT)
    api.close()


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few bytes are uploaded like large ones."""
    monkeypatch.setattr(google_rules, "INLINE_BYTES", 10)


def held(emulator: Emulator) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = emulator.files()["files"]
    return shown


def row() -> GeminiFile:
    return GeminiFile.objects.get()


def uri_of(part: SoundPart) -> str:
    assert isinstance(part, UploadedSound)
    return part.uri


# -- how it gets into a request ----------------------------------------------------------------------------------------


def test_a_small_recording_goes_along_with_the_request(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    sound = wav(0.5)
    assert service.part_for(recording_of(alice, sound)) == InlineSound(sound, "audio/wav")
    assert not held(emulator)


@pytest.mark.usefixtures("small_is_large")
def test_a_copy_is_deleted_before_its_time_and_uploaded_again_for_the_next_question(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    recording = recording_of(alice, wav())
    first = uri_of(service.part_for(recording))
    assert service.let_go(recording.sha256)
    assert not held(emulator)
    assert row().state == State.DELETED
    assert service.let_go(recording.sha256), "again is as good as once"
    assert uri_of(service.part_for(recording)) != first
    assert len(held(emulator)) == 1


@pytest.mark.usefixtures("small_is_large", "service")
def test_a_recording_that_is_deleted_on_its_way_is_given_to_nobody_and_leaves_no_copy(
    alice: User, emulator: Emulator
) -> None:
    recording = recording_of(alice, wav())
    emulator.fault("slow_processing", delay_s=600)
    api = GeminiFiles("a-key", "v1beta")

    def delete_it(pause_s: float) -> None:
        Recording.objects.filter(pk=recording.pk).delete()
        emulator.forward(600)

    service = AudioFileService(api, PROJECT, delete_it)
    with pytest.raises(FileNotFoundError):
        service.part_for(recording)
    api.close()
    assert not held(emulator)
    assert row().state == State.DELETED


def test_25_mb_are_uploaded_and_are_there_what_they_are_here(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    recording = recording_of(alice, LARGE)
    part = service.part_for(recording)
    (file,) = held(emulator)
    assert base64.b64decode(file["sha256Hash"]).decode() == recording.sha256
    assert (uri_of(part).endswith(file["uri"]), part.media_type) == (True, "audio/wav")
    assert (row().state, row().uploads, row().sent_bytes) == (State.ACTIVE, 1, len(LARGE))


@pytest.mark.usefixtures("service")
def test_an_upload_goes_on_where_its_line_was_torn(alice: User, emulator: Emulator) -> None:
    ahead = [19_000_000]

    def tear_again(pause_s: float) -> None:
        for at_byte in ahead:
            emulator.fault("tear_upload", at_byte=at_byte)
        ahead.clear()

    emulator.fault("tear_upload", at_byte=5_000_000)
    recording = recording_of(alice, LARGE)
    api = GeminiFiles("a-key", "v1beta", tear_again)
    AudioFileService(api, PROJECT).part_for(recording)
    api.close()
    (file,) = held(emulator)
    assert base64.b64decode(file["sha256Hash"]).decode() == recording.sha256
    assert len(emulator.entries("upload_started")) == 1
    assert [entry["received"] for entry in emulator.entries("fault") if "received" in entry] == [5_000_000, 19_000_000]


@pytest.mark.usefixtures("small_is_large")
def test_a_piece_that_is_refused_for_now_is_sent_again(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    emulator.fault("refuse_upload", step="start", count=1)
    emulator.fault("refuse_upload", step="piece", count=1)
    service.part_for(recording_of(alice, wav()))
    assert len(held(emulator)) == 1


@pytest.mark.usefixtures("small_is_large")
def test_an_upload_that_never_gets_on_comes_to_an_end(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    emulator.fault("refuse_upload", step="piece", count=1_000)
    with pytest.raises(NotThere, match="the upload to the provider failed") as failure:
        service.part_for(recording_of(alice, wav()))
    assert failure.value.may_work_later
    assert (row().state, row().claim) == (State.UPLOADING, None)
    emulator.disarm()
    service.part_for(Recording.objects.get())
    assert row().state == State.ACTIVE


@pytest.mark.usefixtures("small_is_large")
def test_a_file_is_used_when_it_is_processed(service: AudioFileService, alice: User, emulator: Emulator) -> None:
    emulator.fault("slow_processing", delay_s=0.5)
    service.part_for(recording_of(alice, wav()))
    assert held(emulator)[0]["state"] == "ACTIVE"


@pytest.mark.usefixtures("small_is_large")
def test_a_file_that_cannot_be_processed_tells_why_and_is_left_alone_for_a_while(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    emulator.fault("fail_processing", text="The codec is not known.")
    recording = recording_of(alice, wav())
    for _ in range(2):
        with pytest.raises(NotThere, match=r"The codec is not known\.") as failure:
            service.part_for(recording)
        assert not failure.value.may_work_later
    assert len(emulator.entries("upload_started")) == 1
    assert (row().state, held(emulator)) == (State.FAILED, [])
    with time_machine.travel(timezone.now() + google_rules.AGAIN_AFTER):
        service.part_for(recording)
    assert row().state == State.ACTIVE


@pytest.mark.usefixtures("small_is_large")
def test_the_same_content_of_two_users_is_uploaded_once(
    service: AudioFileService, alice: User, bob: User, emulator: Emulator
) -> None:
    assert service.part_for(recording_of(alice, wav())) == service.part_for(recording_of(bob, wav()))
    assert len(emulator.entries("upload_started")) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_is_large")
def test_several_who_ask_at_once_upload_once(service: AudioFileService, alice: User, emulator: Emulator) -> None:
    emulator.fault("slow_processing", delay_s=0.5)
    recording = recording_of(alice, wav())
    parts = side_by_side(lambda: service.part_for(recording))
    assert len(set(map(uri_of, parts))) == 1
    assert len(emulator.entries("upload_started")) == 1


@pytest.mark.usefixtures("emulator")
def test_a_large_file_is_never_in_memory_as_a_whole(service: AudioFileService, alice: User) -> None:
    recording = recording_of(alice, LARGE)
    service.part_for(recording_of(alice, wav()))  # what is loaded once
    tracemalloc.start()
    service.part_for(recording)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 4_000_000


# -- what expires ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_is_large")
def test_after_48_hours_whoever_asks_again_finds_it_renewed_once(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    recording = recording_of(alice, wav())
    first = service.part_for(recording)
    emulator.forward(DAYS_2.total_seconds())
    with time_machine.travel(timezone.now() + DAYS_2):
        second = service.part_for(recording)
        assert service.part_for(recording) == second
    assert uri_of(first) != uri_of(second)
    assert [uri_of(second).endswith(file["uri"]) for file in held(emulator)] == [True]
    assert row().uploads == 2


@pytest.mark.usefixtures("small_is_large")
def test_a_file_that_is_over_as_soon_as_it_is_there_is_not_uploaded_for_ever(
    service: AudioFileService, alice: User
) -> None:
    """As where the clock of this machine is wrong."""
    with time_machine.travel(timezone.now() + DAYS_2), pytest.raises(NotThere, match="does not stay there"):
        service.part_for(recording_of(alice, wav()))
    assert row().uploads == google_files.TRIES_AT_MOST


@pytest.mark.usefixtures("small_is_large")
def test_a_file_that_the_provider_has_lost_is_uploaded_again(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    recording = recording_of(alice, wav())
    first = service.part_for(recording)
    emulator.forward(DAYS_2.total_seconds())  # nobody here knows
    service.lost(first)
    second = service.part_for(recording)
    service.lost(first)  # says somebody who is late
    assert service.part_for(recording) == second != first


@pytest.mark.usefixtures("small_is_large")
def test_what_is_in_use_is_renewed_before_it_expires(
    service: AudioFileService, alice: User, bob: User, emulator: Emulator
) -> None:
    talked_about, left_alone = recording_of(alice, wav(1.0)), recording_of(bob, wav(2.0))
    first = service.part_for(talked_about)
    service.part_for(left_alone)
    later = timezone.now() + datetime.timedelta(hours=46, minutes=30)
    emulator.forward(datetime.timedelta(hours=46, minutes=30).total_seconds())
    with time_machine.travel(later - datetime.timedelta(hours=1)):
        service.part_for(talked_about)
    with time_machine.travel(later):
        assert service.renew_due(dry_run=True) == 1
        assert service.renew_due() == 1
        assert service.renew_due() == 0
        assert service.part_for(talked_about) != first
    assert len(held(emulator)) == 2, "the one before is deleted"


@pytest.mark.usefixtures("small_is_large")
def test_what_has_expired_is_noted(service: AudioFileService, alice: User) -> None:
    service.part_for(recording_of(alice, wav()))
    with time_machine.travel(timezone.now() + DAYS_2 + datetime.timedelta(minutes=1)):
        assert (service.purge(dry_run=True), row().state) == (1, State.ACTIVE)
        assert (service.purge(), row().state, row().name) == (1, State.DELETED, "")
        assert service.purge() == 0


# -- deleted early -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_is_large")
def test_a_copy_goes_with_the_last_recording_of_its_content(
    service: AudioFileService, alice: User, bob: User, emulator: Emulator
) -> None:
    first, second = recording_of(alice, wav()), recording_of(bob, wav())
    service.part_for(first)
    first.delete()
    assert not service.delete_at_google(second.sha256)
    assert len(held(emulator)) == 1
    second.delete()
    assert service.delete_at_google(second.sha256)
    assert not held(emulator)


@pytest.mark.usefixtures("small_is_large")
def test_a_deletion_that_is_refused_is_tried_again(service: AudioFileService, alice: User, emulator: Emulator) -> None:
    recording = recording_of(alice, wav())
    service.part_for(recording)
    recording.delete()
    emulator.fault("refuse_deletion")
    assert not service.delete_at_google(recording.sha256)
    assert len(held(emulator)) == 1
    emulator.disarm()
    assert service.purge() == 1
    assert not held(emulator)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=2)):
        service.purge()
    assert not GeminiFile.objects.exists()


@pytest.fixture
def of_this_server(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[AudioFileService]:
    """The service that tasks and commands have."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    audio_files.cache_clear()
    yield audio_files()
    audio_files()._api.close()
    audio_files.cache_clear()


@pytest.mark.usefixtures("small_is_large")
def test_the_task_of_a_recording_that_went_deletes_its_copy(
    of_this_server: AudioFileService, alice: User, emulator: Emulator
) -> None:
    recording = recording_of(alice, wav())
    of_this_server.part_for(recording)
    copy = copy_of(recording)
    assert copy
    assert (copy.state, stored_bytes()) == (State.ACTIVE, recording.size_bytes)
    recording.delete()
    tasks.delete_at_google(recording.sha256)
    assert not held(emulator)
    assert stored_bytes() == 0


@pytest.mark.usefixtures("small_is_large")
def test_the_commands_look_first_and_then_do_it(
    of_this_server: AudioFileService, alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = recording_of(alice, wav())
    of_this_server.part_for(recording)
    GeminiFile.objects.update(expires_at=timezone.now() + datetime.timedelta(hours=1))
    for arguments in (["--dry-run"], []):
        call_command("renew_files", *arguments)
    recording.delete()
    for arguments in (["--dry-run"], []):
        call_command("purge_expired_files", *arguments)
    assert capsys.readouterr().out.splitlines() == [
        "1 files would be renewed.",
        "1 files were renewed.",
        "1 files are to go.",
        "1 files are gone.",
    ]


def test_without_a_key_nothing_is_given_to_anybody(settings: Settings) -> None:
    settings.GEMINI_API_KEY = ""
    audio_files.cache_clear()
    with pytest.raises(CommandError, match="no API key"):
        call_command("renew_files")
    tasks.renew_files()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_is_large")
def test_two_beats_renew_a_file_once(service: AudioFileService, alice: User, emulator: Emulator) -> None:
    service.part_for(recording_of(alice, wav()))
    GeminiFile.objects.update(expires_at=timezone.now() + datetime.timedelta(hours=1))
    assert sum(side_by_side(service.renew_due)) == 1
    assert (row().uploads, len(held(emulator))) == (2, 1)


# -- room --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_is_large")
def test_the_oldest_unused_go_when_a_project_has_too_much(
    service: AudioFileService,
    alice: User,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second, third = (recording_of(alice, wav(seconds)) for seconds in (1.0, 1.1, 1.2))
    monkeypatch.setattr(google_rules, "PROJECT_BYTES", first.size_bytes + second.size_bytes)
    for recording in (first, second):
        service.part_for(recording)
    service.part_for(first)
    monkeypatch.setattr(google_rules.who_goes, "__defaults__", (google_rules.PROJECT_BYTES,))
    service.part_for(third)
    states = dict(GeminiFile.objects.values_list("sha256", "state"))
    assert states[second.sha256] == State.DELETED
    assert "at the provider" in caplog.text


@pytest.mark.usefixtures("small_is_large")
def test_where_the_provider_has_no_room_something_goes_and_another_try_succeeds(
    service: AudioFileService, alice: User, emulator: Emulator
) -> None:
    first, second = recording_of(alice, wav(1.1)), recording_of(alice, wav(1.0))
    service.part_for(first)
    emulator.fault("storage_full", limit_bytes=first.size_bytes)
    with pytest.raises(NotThere, match="no room") as failure:
        service.part_for(second)
    assert failure.value.may_work_later
    service.part_for(second)
    assert len(held(emulator)) == 1


# -- pure --------------------------------------------------------------------------------------------------------------

NOW = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
Known, Step = google_rules.Known, google_rules.Step


@pytest.mark.parametrize(
    ("known", "step"),
    [
        (Known(State.UPLOADING, NOW), Step.UPLOAD),
        (Known(State.UPLOADING, NOW, is_claimed=True), Step.WAIT),
        (Known(State.PROCESSING, NOW, NOW + DAYS_2), Step.LOOK),
        (Known(State.ACTIVE, NOW, NOW + DAYS_2), Step.USE),
        (Known(State.ACTIVE, NOW, NOW + google_rules.LITTLE_LEFT), Step.UPLOAD),
        (Known(State.ACTIVE, NOW, NOW + DAYS_2, is_claimed=True), Step.USE),
        (Known(State.FAILED, NOW), Step.GIVE_UP),
        (Known(State.FAILED, NOW - google_rules.AGAIN_AFTER), Step.UPLOAD),
        (Known(State.DELETED, NOW), Step.UPLOAD),
    ],
)
def test_the_next_step_follows_from_what_is_known(known: google_rules.Known, step: google_rules.Step) -> None:
    assert google_rules.next_step(known, NOW) is step


def test_what_goes_inline_stays_below_the_bound_of_a_request() -> None:
    encoded_bytes = -(-google_rules.INLINE_BYTES // 3) * 4
    assert encoded_bytes + google_rules.PROMPT_ROOM_BYTES <= google_rules.INLINE_REQUEST_BYTES


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"name": "files/a", "uri": "https://a", "state": "ODD", "expirationTime": "2026-11-27T12:00:00Z"},
        {"name": "../a", "uri": "https://a", "state": "ACTIVE", "expirationTime": "2026-11-27T12:00:00Z"},
        {"name": "files/a", "uri": "https://a", "state": "ACTIVE", "expirationTime": 5},
        {"name": "files/a", "uri": "https://a", "state": "ACTIVE", "expirationTime": "2026-11-27T12:00:00"},
    ],
)
def test_an_answer_that_is_no_file_is_told(shown: dict[str, Any]) -> None:
    with pytest.raises(files.FilesError, match="cannot be read"):
        files.read_file(shown)
