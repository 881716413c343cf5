"""What the database itself refuses, whichever it is."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from energy.levels import Mode
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent, Turn

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return Conversation.objects.create(user=alice, mode=Mode.CALL)


@pytest.fixture
def live_session(conversation: Conversation) -> LiveSession:
    return LiveSession.objects.create(conversation=conversation, page_id=uuid.uuid4(), model="m", owner="worker:1")


def refuses(make: Any, **fields: Any) -> bool:
    try:
        with transaction.atomic():
            make(**fields)
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "fax"},
        {"mode": ""},
        {"mode": "call", "status": "ended"},
        {"mode": "call", "status": "active", "ended_at": NOW},
        {"mode": "call", "status": "odd"},
    ],
)
def test_a_conversation_that_makes_no_sense_is_refused(fields: dict[str, Any], alice: User) -> None:
    assert refuses(Conversation.objects.create, user=alice, **fields)


@pytest.mark.parametrize("fields", [{"mode": "call"}, {"mode": "text", "status": "ended", "ended_at": NOW}])
def test_a_conversation_that_makes_sense_is_stored(fields: dict[str, Any], alice: User) -> None:
    assert not refuses(Conversation.objects.create, user=alice, **fields)


def a_turn(conversation: Conversation, **fields: Any) -> Turn:
    return Turn.objects.create(
        **{"conversation": conversation, "number": 0, "role": "user", "status": "complete", "at": NOW, **fields}
    )


@pytest.mark.parametrize("fields", [{"role": "robot"}, {"status": "done"}, {"number": -1}, {"heard": 3}])
def test_a_turn_that_makes_no_sense_is_refused(fields: dict[str, Any], conversation: Conversation) -> None:
    assert refuses(a_turn, conversation=conversation, **fields)


@pytest.mark.parametrize("heard", [None, 0, 12])
def test_how_much_of_a_reply_was_heard_is_stored_with_it(heard: int | None, conversation: Conversation) -> None:
    assert not refuses(a_turn, conversation=conversation, role="model", status="interrupted", heard=heard)
    assert refuses(a_turn, conversation=conversation, number=1, role="model", heard=-1)


def test_a_number_is_given_once_in_a_conversation(conversation: Conversation, alice: User) -> None:
    a_turn(conversation)
    assert refuses(a_turn, conversation=conversation)
    other = Conversation.objects.create(user=alice, mode=Mode.CALL)
    assert not refuses(a_turn, conversation=other)


def test_a_typed_message_is_delivered_once_in_a_page_life(conversation: Conversation) -> None:
    page_id = uuid.uuid4()
    a_turn(conversation, page_id=page_id, client_id="typed-1")
    assert refuses(a_turn, conversation=conversation, number=1, page_id=page_id, client_id="typed-1")
    assert not refuses(a_turn, conversation=conversation, number=2, page_id=uuid.uuid4(), client_id="typed-1")
    assert not refuses(a_turn, conversation=conversation, number=3, page_id=page_id)
    assert not refuses(a_turn, conversation=conversation, number=4, page_id=page_id)


def a_handle(live_session: LiveSession, **fields: Any) -> ResumptionHandle:
    return ResumptionHandle.objects.create(
        **{
            "user": live_session.conversation.user,
            "live_session": live_session,
            "slot": "gdm:call-session-handle",
            "page_id": live_session.page_id,
            "model": "m",
            "ciphertext": b"x",
            "acknowledged_number": 0,
            "covered_turn": -1,
            "issued_at": NOW,
            "expires_at": NOW + datetime.timedelta(hours=2),
            **fields,
        }
    )


def test_a_slot_of_a_page_life_holds_one_handle(live_session: LiveSession, bob: User) -> None:
    a_handle(live_session)
    assert refuses(a_handle, live_session=live_session)
    assert not refuses(a_handle, live_session=live_session, slot="gdm:text-session-handle")
    assert not refuses(a_handle, live_session=live_session, page_id=uuid.uuid4())
    assert not refuses(a_handle, live_session=live_session, user=bob)


@pytest.mark.parametrize("fields", [{"expires_at": NOW}, {"acknowledged_number": -1}])
def test_a_handle_that_makes_no_sense_is_refused(fields: dict[str, Any], live_session: LiveSession) -> None:
    assert refuses(a_handle, live_session=live_session, **fields)


def test_the_largest_audio_number_can_be_stored(live_session: LiveSession) -> None:
    assert not refuses(a_handle, live_session=live_session, acknowledged_number=2**32)


def test_with_an_account_goes_everything_it_said(live_session: LiveSession, alice: User) -> None:
    a_turn(live_session.conversation)
    a_handle(live_session)
    SessionEvent.objects.create(conversation=live_session.conversation, live_session=live_session, kind="connected")
    alice.delete()
    for model in (Conversation, LiveSession, ResumptionHandle, Turn, SessionEvent):
        assert model.objects.count() == 0


def test_rows_say_what_they_are_without_what_was_said(live_session: LiveSession) -> None:
    turn = a_turn(live_session.conversation, text="My secret")
    event = SessionEvent(kind="go_away")
    assert str(turn) == "user 0"
    assert str(event) == "go_away"
    assert str(live_session.conversation).startswith("call of ")
    assert str(live_session.pk) in str(live_session)
    assert str(live_session.pk) in str(a_handle(live_session))
