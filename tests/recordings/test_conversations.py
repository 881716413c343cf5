"""What pages are told of the recordings of a conversation, and how they get into one."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from energy.ledger import project_of_the_key
from energy.levels import Mode
from sessions_app.gateway import wire
from sessions_app.models import Conversation, GeminiFile, Recording, RecordingWork
from sessions_app.recordings import google_rules, service
from sessions_app.recordings.conversations import attach_all, facts_of, is_under_way
from tests.recordings.at_google import recording_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(alice: User) -> Conversation:
    return Conversation.objects.create(user=alice, mode=Mode.TEXT)


def copy_of(recording: Recording, **facts: object) -> None:
    GeminiFile.objects.update_or_create(
        project=project_of_the_key(),
        sha256=recording.sha256,
        defaults={"media_type": "audio/wav", "size_bytes": recording.size_bytes, **facts},
    )


def provider(recording: Recording, chat: Conversation) -> dict[str, object]:
    facts: dict[str, object] = facts_of([chat.pk])[chat.pk][0]["provider"]
    return facts


def test_what_cannot_be_attached_is_told_one_by_one(alice: User, bob: User, chat: Conversation) -> None:
    hers, his, nobodys = recording_of(alice, b"a"), recording_of(bob, b"b"), uuid.uuid4()
    refused = attach_all(alice, chat.pk, [his.pk, hers.pk, nobodys, hers.pk])
    assert [(each.recording, each.code) for each in refused] == [
        (his.pk, "recordings.unknown"),
        (nobodys, "recordings.unknown"),
    ]
    assert [facts["id"] for facts in facts_of([chat.pk])[chat.pk]] == [str(hers.pk)]


def test_a_conversation_takes_twenty(alice: User, chat: Conversation) -> None:
    ids = [recording_of(alice, bytes([number])).pk for number in range(service.ATTACHED_AT_MOST + 1)]
    (refused,) = attach_all(alice, chat.pk, ids)
    assert (refused.recording, refused.code) == (ids[-1], "recordings.too_many")
    assert wire.RECORDINGS_LIMIT == service.ATTACHED_AT_MOST


def test_nothing_is_attached_where_the_server_takes_none(alice: User, chat: Conversation, settings: Settings) -> None:
    settings.RECORDINGS = False
    (refused,) = attach_all(alice, chat.pk, [recording_of(alice, b"a").pk])
    assert refused.code == "recordings.off"


def test_the_facts_say_how_far_the_work_is(alice: User, chat: Conversation) -> None:
    recording = recording_of(alice, b"a", 90_000)
    attach_all(alice, chat.pk, [recording.pk])
    (facts,) = facts_of([chat.pk])[chat.pk]
    assert facts["work"] == {
        **{"state": "waiting", "done_ms": 0},
        **{"error": "", "title": "", "summary": "", "language": ""},
    }
    assert facts["provider"] == {"state": "inline", "sent_bytes": 0, "expires_at": None, "reason": ""}
    assert is_under_way(facts)
    RecordingWork.objects.update(state="done", title="Plums", summary="Ann counts.", language="en", done_ms=90_000)
    (facts,) = facts_of([chat.pk])[chat.pk]
    assert facts["work"]["title"] == "Plums"
    assert not is_under_way(facts)


def test_the_facts_say_how_it_gets_to_the_provider(
    alice: User, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_rules, "INLINE_BYTES", 0)
    now, hour = timezone.now(), datetime.timedelta(hours=1)
    recording = recording_of(alice, b"abc")
    attach_all(alice, chat.pk, [recording.pk])
    assert provider(recording, chat)["state"] == "none"
    copy_of(recording, state="uploading", sent_bytes=2, claimed_until=now + hour)
    assert (provider(recording, chat)["state"], provider(recording, chat)["sent_bytes"]) == ("uploading", 2)
    copy_of(recording, state="uploading", claimed_until=now - hour)
    assert provider(recording, chat)["state"] == "none"
    copy_of(recording, state="processing", sent_bytes=3, claimed_until=None, expires_at=now + hour)
    assert provider(recording, chat) == {"state": "processing", "sent_bytes": 3, "expires_at": None, "reason": ""}
    copy_of(recording, state="processing", expires_at=now - hour)
    assert provider(recording, chat)["state"] == "none"
    copy_of(recording, state="active", sent_bytes=3, expires_at=now + hour)
    assert provider(recording, chat)["expires_at"] == (now + hour).isoformat(timespec="seconds")
    copy_of(recording, state="active", expires_at=now - hour)
    assert provider(recording, chat)["state"] == "none"
    copy_of(recording, state="failed", reason="it could not be processed", expires_at=None)
    assert provider(recording, chat)["reason"] == "it could not be processed"


def test_many_conversations_are_looked_up_at_once(
    alice: User, chat: Conversation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    others = [Conversation.objects.create(user=alice, mode=Mode.CALL) for _ in range(5)]
    ids = [recording_of(alice, bytes([number])).pk for number in range(5)]
    for conversation in (chat, *others):
        attach_all(alice, conversation.pk, ids)
    with django_assert_num_queries(2):
        found = facts_of([chat.pk, *(other.pk for other in others)])
    assert [len(facts) for facts in found.values()] == [5] * 6
