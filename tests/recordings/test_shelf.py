"""Recordings for whoever answers questions about them: how they get there, and what is said where they do not."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from energy.ledger import project_of_the_key
from energy.levels import Mode
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.sound_parts import InlineSound, SoundPart, UploadedSound
from sessions_app.live.questions import Listed, QuestionState
from sessions_app.live.transcript import TurnCode
from sessions_app.models import Conversation, GeminiFile
from sessions_app.recordings import google_rules, service, shelf
from sessions_app.recordings.google_files import NO_KEY, NotThere
from sessions_app.recordings.google_rules import which_go_along
from sessions_app.recordings.shelf import StoredRecordings
from tests.recordings.at_google import recording_of


@given(st.lists(st.integers(1, 20_000_000), max_size=20))
def test_what_goes_along_fits_into_a_request_and_nothing_smaller_stays_behind(sizes: list[int]) -> None:
    along = which_go_along(sizes)
    going = [size for size, goes in zip(sizes, along, strict=True) if goes]
    staying = [size for size, goes in zip(sizes, along, strict=True) if not goes]
    assert sum(going) <= google_rules.INLINE_BYTES
    assert max(going, default=0) <= min(staying, default=google_rules.INLINE_BYTES)
    if staying:
        assert sum(going) + min(staying) > google_rules.INLINE_BYTES


def conversation_about(user: User, *contents: bytes) -> tuple[str, tuple[str, ...]]:
    conversation = Conversation.objects.create(user=user, mode=Mode.TEXT)
    ids = [recording_of(user, content).pk for content in contents]
    for id in ids:
        service.attach(user, id, conversation.pk)
    return str(conversation.pk), tuple(map(str, ids))


@pytest.mark.django_db
def test_recordings_are_listed_in_the_order_in_which_they_were_named(alice: User) -> None:
    conversation, ids = conversation_about(alice, b"a", b"bc")
    assert [each.size_bytes for each in shelf._listed(conversation, ids[::-1])] == [2, 1]


@pytest.mark.django_db
def test_a_recording_of_another_conversation_is_none(alice: User) -> None:
    conversation, _ = conversation_about(alice, b"a")
    _, others = conversation_about(alice, b"b")
    for missing in (others[0], str(uuid.uuid4())):
        with pytest.raises(Unanswerable) as failed:
            shelf._listed(conversation, (missing,))
        assert failed.value.code is TurnCode.RECORDING_GONE


@pytest.mark.django_db
def test_a_small_one_goes_along_and_one_whose_sound_is_gone_is_said_to_be(alice: User) -> None:
    conversation, ids = conversation_about(alice, b"abc")
    (listed,) = shelf._listed(conversation, ids)
    assert shelf._part_of(listed, goes_along=True) == InlineSound(b"abc", "audio/wav")
    service.storage().delete(str(service.get_recording_for(alice, uuid.UUID(ids[0])).file.name))
    with pytest.raises(Unanswerable) as failed:
        shelf._part_of(listed, goes_along=True)
    assert failed.value.code is TurnCode.RECORDING_GONE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotThere("the provider is still being given this recording"), TurnCode.RECORDING_NOT_READY),
        (NotThere("the provider could not process this recording", may_work_later=False), TurnCode.RECORDING_REFUSED),
        (NotThere(NO_KEY, may_work_later=False), TurnCode.RECORDING_UNAVAILABLE),
        (PermissionError("the disk"), TurnCode.RECORDING_NOT_READY),
    ],
    ids=["late", "failed", "no key", "disk"],
)
def test_why_one_does_not_get_there_is_said_with_its_name(
    alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception, code: TurnCode
) -> None:
    def fail(recording: object) -> SoundPart:
        raise error

    monkeypatch.setattr(shelf, "_uploaded", fail)
    conversation, ids = conversation_about(alice, b"abc")
    (listed,) = shelf._listed(conversation, ids)
    with pytest.raises(Unanswerable) as failed:
        shelf._part_of(listed, goes_along=False)
    assert failed.value.code is code
    assert "talk.wav" in failed.value.text


@pytest.mark.django_db
def test_how_far_an_upload_is_stands_in_its_row(alice: User) -> None:
    conversation, ids = conversation_about(alice, b"abc")
    (listed,) = shelf._listed(conversation, ids)
    assert shelf._how_far(listed) is None
    recording = service.get_recording_for(alice, uuid.UUID(ids[0]))
    GeminiFile.objects.create(
        project=project_of_the_key(), sha256=recording.sha256, size_bytes=3, state="uploading", sent_bytes=2
    )
    how_far = shelf._how_far(listed)
    assert how_far is not None
    assert (how_far.state, how_far.sent_bytes) == (QuestionState.UPLOADING, 2)


LARGE = Listed("a", "a.wav", 1, 1, google_rules.INLINE_BYTES + 1)


def bringing(monkeypatch: pytest.MonkeyPatch, part_of: Callable[..., SoundPart]) -> StoredRecordings:
    monkeypatch.setattr(shelf, "_part_of", part_of)
    monkeypatch.setattr(shelf, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(shelf, "_how_far", lambda listed: None)
    return StoredRecordings()


async def test_those_that_do_not_go_along_are_uploaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def part_of(listed: Listed, *, goes_along: bool) -> SoundPart:
        return InlineSound(b"", "") if goes_along else UploadedSound(listed.id, "")

    recordings = bringing(monkeypatch, part_of)
    small = Listed("b", "b.wav", 1, 1, 10)
    parts = await recordings.parts((LARGE, small), lambda listed, how_far: None)
    assert parts == (UploadedSound("a", ""), InlineSound(b"", ""))


async def test_nobody_waits_for_a_recording_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = asyncio.Event()
    loop = asyncio.get_running_loop()

    def part_of(listed: Listed, *, goes_along: bool) -> SoundPart:
        asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result()
        return UploadedSound(listed.id, "")

    recordings = bringing(monkeypatch, part_of)
    monkeypatch.setattr(shelf, "BRING_LIMIT_S", 0.05)
    with pytest.raises(Unanswerable) as failed:
        await recordings.parts((LARGE,), lambda listed, how_far: None)
    assert failed.value.code is TurnCode.RECORDING_NOT_READY
    may_end.set()
