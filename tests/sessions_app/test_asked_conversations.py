"""Conversations in which a program asks are in no page's way."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User

from energy.levels import Mode
from sessions_app import asked_conversations, cleanup, hand_over, lines
from sessions_app.lines import Owner
from sessions_app.models import Conversation, LiveSession, Recording, Turn
from sessions_app.recordings.service import attach
from sessions_app.session_page.report import report_of
from tests.summarization.talk import MODEL, Talk, spoken


@pytest.fixture
def recording(alice: User) -> Recording:
    return Recording.objects.create(
        user=alice,
        name="hello.wav",
        sha256="a" * 64,
        size_bytes=9,
        media_type="audio/wav",
        duration_ms=2_574,
        peaks=b"",
        file="recordings/a",
        is_kept=True,
    )


def test_a_chat_is_handed_over_while_a_program_asks(alice: User, recording: Recording) -> None:
    """The session of its question is newer than that of the chat."""
    chat = Talk(alice, Mode.TEXT)
    hold = lines.take(alice, Mode.TEXT, chat.request.page_id, Owner())
    lines.note_session(hold, uuid.UUID(chat.opening.session))
    ticket = hand_over.make_ticket(alice, Mode.TEXT)
    asked_conversations.ask(asked_conversations.begin_about(alice, recording.pk), "What is said?", MODEL)
    moving = hand_over.use_ticket(alice, Mode.TEXT, uuid.uuid4(), ticket)
    assert moving is not None
    assert moving.conversation == chat.id


def test_the_session_page_tells_nothing_of_it(alice: User, recording: Recording) -> None:
    asked = asked_conversations.ask(asked_conversations.begin_about(alice, recording.pk), "What is said?", MODEL)
    asked_conversations.answer(asked, "Hello.", MODEL, ())
    assert report_of(alice.pk, {})["modes"]["text"]["ended"] is None


def test_a_chat_that_its_user_ended_is_not_added_to(alice: User, recording: Recording) -> None:
    chat = Talk(alice, Mode.TEXT)
    chat.say([spoken(0, "Listen to this.")])
    attach(alice, recording.pk, chat.id)
    Talk(alice, Mode.TEXT, continues=chat.id)
    Conversation.objects.filter(pk=chat.id).update(status="ended", ended_at="2026-11-27T12:00Z", end_reason="hung-up")
    asked_in = asked_conversations.to_ask_in(alice, chat.id)
    assert asked_in != chat.id
    assert asked_conversations.to_ask_in(alice, asked_in) == asked_in, "each program goes on in its own"


def test_a_question_whose_process_died_is_said_to_have_no_answer_and_said_once(
    alice: User, recording: Recording
) -> None:
    conversation = asked_conversations.begin_about(alice, recording.pk)
    asked_conversations.answer(asked_conversations.ask(conversation, "What is said?", MODEL), "Hello.", MODEL, ())
    lost = asked_conversations.ask(conversation, "By whom?", MODEL)
    session = LiveSession.objects.get(pk=lost.session)
    assert [cleanup.close_session(session), cleanup.close_session(session)] == [True, False]
    turns = Turn.objects.filter(conversation=conversation).order_by("number")
    assert [(turn.role, turn.code, turn.recordings) for turn in turns][2:] == [
        ("user", "", [str(recording.pk)]),
        ("system", "turn.no_answer", [str(recording.pk)]),
    ]
