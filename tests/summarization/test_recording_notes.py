"""What a model that has not heard the recordings of a conversation is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.live.context import RECORDINGS_LIMIT_TOKENS, Context, instruction_with
from sessions_app.live.notes_told import NotesTold
from sessions_app.live.tokens import estimate_tokens
from sessions_app.models import Conversation, Recording, RecordingWork
from sessions_app.recordings import service
from summarization.memory import SummarisedMemory
from summarization.recording_notes import notes_of
from tests.recordings.at_google import recording_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def written_down(user: User, content: bytes = b"sound", passages: int = 2, **more: Any) -> Recording:
    recording = recording_of(user, content, 3_800_000)
    segments = [
        {"start_ms": 1_000 * n, "end_ms": 1_000 * n + 900, "speaker": "Ann", "text": f"Passage {n}."}
        for n in range(passages)
    ]
    facts = {"state": "done", "title": "Plums", "summary": "Ann counts plums.", "segments": segments, **more}
    RecordingWork.objects.filter(recording=recording).update(**facts)
    return Recording.objects.select_related("work").get(pk=recording.pk)


def test_of_a_short_one_everything_is_told_with_times_and_speakers(alice: User) -> None:
    notes = notes_of(written_down(alice), RECORDINGS_LIMIT_TOKENS)
    assert 'Recording "talk.wav", 1:03:20 long.' in notes
    assert "Title: Plums" in notes
    assert "[00:01] Ann: Passage 1." in notes


def test_of_a_long_one_the_summary_is_told_and_no_half_of_its_transcript(alice: User) -> None:
    notes = notes_of(written_down(alice, passages=5_000), 300)
    assert "Ann counts plums." in notes
    assert "Passage" not in notes
    assert estimate_tokens(notes) <= 300


@pytest.mark.parametrize("limit_tokens", [1, 40, 300])
def test_notes_stay_within_their_limit(alice: User, limit_tokens: int) -> None:
    notes = notes_of(written_down(alice, summary="€" * 9_000), limit_tokens)
    assert estimate_tokens(notes) <= limit_tokens


def test_what_is_not_written_down_is_told_to_be_there(alice: User) -> None:
    waiting = written_down(alice, b"a", state="working", title="")
    failed = written_down(alice, b"b", state="failed", error="nobody could be asked")
    assert "is being written down" in notes_of(waiting, 300)
    assert "nobody could be asked" in notes_of(failed, 300)


def test_sessions_of_a_conversation_are_told_of_what_is_attached_to_it(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, mode=Mode.TEXT)
    memory = SummarisedMemory()
    assert memory.recap(conversation.pk) is None
    for content in (b"a", b"b"):
        service.attach(alice, written_down(alice, content).pk, conversation.pk)
    recap = memory.recap(conversation.pk)
    assert recap is not None
    assert recap.until_turn == -1
    assert len(recap.recordings) == 2
    told = instruction_with(Context(recordings=recap.recordings), "Be kind.", turns_in_history=True)
    assert told.startswith("Be kind.")
    assert told.count("Ann counts plums.") == 2
    assert memory.condense(conversation.pk) == recap


def test_another_recording_that_leaves_less_room_is_no_news_of_the_first(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, mode=Mode.TEXT)
    service.attach(alice, written_down(alice, b"a", passages=1_000).pk, conversation.pk)
    before = SummarisedMemory().recap(conversation.pk)
    service.attach(alice, written_down(alice, b"b").pk, conversation.pk)
    after = SummarisedMemory().recap(conversation.pk)
    assert before is not None
    assert after is not None
    told = NotesTold()
    told.connected(resumed=False, known=before.recordings)
    assert told.news(after.recordings) == after.recordings[1:]
    assert before.recordings[0].text != after.recordings[0].text


def test_twenty_recordings_take_no_more_than_one_may(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, mode=Mode.TEXT)
    for number in range(service.ATTACHED_AT_MOST):
        service.attach(alice, written_down(alice, bytes([number]), passages=500).pk, conversation.pk)
    recap = SummarisedMemory().recap(conversation.pk)
    assert recap is not None
    told = sum(estimate_tokens(notes.text) for notes in recap.recordings)
    assert told <= RECORDINGS_LIMIT_TOKENS
