"""Conversations about recordings that no page holds: a program asks in them, now and in a year.

Each question has a live session while it is answered: that is what keeps the conversation from being deleted under it,
counts for fair use, and is closed by the cleanup where its process dies. The conversation is over all the while, so no
page takes it for its own; a page that goes on with it does so in another one, and so does a question then.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from energy.levels import Mode
from sessions_app import services, usage
from sessions_app.chains import chain_of_id
from sessions_app.live.explanations import explanation_of
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.transcript import Role, TurnCode, TurnStatus
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.models import Conversation, LiveSession, Turn
from sessions_app.process_names import own_name
from sessions_app.recordings import service
from sessions_app.stored_turns import load_past

ANSWERED = "answered"
"""Why the live session of a question ends."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was stored. `past`: what was said before it, the newest turns. `recordings`: ids of those that it
    is about."""

    conversation: uuid.UUID
    session: uuid.UUID
    page_id: uuid.UUID
    text: str
    past: tuple[SpokenTurn, ...]
    recordings: tuple[str, ...]

    @property
    def id(self) -> str:
        """As that of a typed message."""
        return str(self.session)


@transaction.atomic
def begin_about(user: User, recording_id: uuid.UUID) -> uuid.UUID:
    """A new conversation about a recording. Raises `NoSuchRecording`."""
    conversation = _begin(user)
    service.attach(user, recording_id, conversation.pk)
    return conversation.pk


@transaction.atomic
def to_ask_in(user: User, conversation_id: uuid.UUID) -> uuid.UUID:
    """Where to ask about the recordings of a conversation: there, or in a new one that continues it, where it is one of
    pages, or went on elsewhere. Raises `NotYours`."""
    earlier = services.get_conversation_for(user, conversation_id)
    if earlier.end_reason == Conversation.ASKED and not earlier.continued_by.exists():
        return earlier.pk
    conversation = _begin(user, earlier)
    for recording in service.attached_to(earlier.pk):
        service.attach(user, recording.pk, conversation.pk)
    return conversation.pk


@transaction.atomic
def ask(conversation_id: uuid.UUID, text: str, model: str) -> Asked:
    """Store a question about all recordings of a conversation. To be followed by `answer` or `leave_unanswered`.

    Raises `Conversation.DoesNotExist`.
    """
    conversation = _locked(conversation_id)
    page_id = uuid.uuid4()
    session = LiveSession.objects.create(conversation=conversation, page_id=page_id, model=model, owner=own_name())
    past, _ = load_past(conversation, page_id)
    recordings = tuple(str(recording.pk) for recording in service.attached_to(conversation.pk))
    asked = Asked(conversation.pk, session.pk, page_id, text, past, recordings)
    _add(asked, Role.USER, text, id=asked.id)
    return asked


@transaction.atomic
def answer(asked: Asked, text: str, model: str, usages: Iterable[UsageReported]) -> None:
    """Store what was answered and what it took. Raises `Conversation.DoesNotExist`."""
    _locked(asked.conversation)
    number = _add(asked, Role.MODEL, text)
    LiveSession.objects.filter(pk=asked.session).update(model=model)
    _count(asked, number, usages, model)
    _finish(asked)


@transaction.atomic
def leave_unanswered(asked: Asked, text: str, code: TurnCode, usages: Iterable[UsageReported] = ()) -> None:
    """Store why there is no answer, and what the tries took. Raises `Conversation.DoesNotExist`."""
    _locked(asked.conversation)
    _count(asked, _add(asked, Role.SYSTEM, text, code=code), usages)
    _finish(asked)


@transaction.atomic
def end_lost(session: LiveSession) -> None:
    """Store that the process which was to answer the question of this session has died. Nothing happens where the
    session is that of a page."""
    question = Turn.objects.filter(conversation=session.conversation_id, client_id=str(session.pk)).first()
    if question is None:
        return
    recordings = tuple(question.recordings or ())
    asked = Asked(session.conversation_id, session.pk, session.page_id, question.text, (), recordings)
    _add(asked, Role.SYSTEM, explanation_of(TurnCode.NO_ANSWER), code=TurnCode.NO_ANSWER)


def _begin(user: User, continues: Conversation | None = None) -> Conversation:
    now = timezone.now()
    return Conversation.objects.create(
        user=user,
        mode=Mode.TEXT,
        continues=continues,
        status=Conversation.Status.ENDED,
        started_at=now,
        last_activity_at=now,
        ended_at=now,
        end_reason=Conversation.ASKED,
    )


def _locked(conversation_id: uuid.UUID) -> Conversation:
    """Two questions in the same conversation take their numbers one after the other."""
    return Conversation.objects.select_for_update().get(pk=conversation_id)


def _add(asked: Asked, role: Role, text: str, *, id: str = "", code: str = "") -> int:
    """Add a turn behind all others of the chain; its number."""
    last = Turn.objects.filter(conversation__in=chain_of_id(asked.conversation)).aggregate(last=Max("number"))["last"]
    number = 0 if last is None else last + 1
    at_ms = int(timezone.now().timestamp() * 1000)
    turn = SpokenTurn(number, role, text, TurnStatus.COMPLETE, at_ms, id, code, recordings=asked.recordings)
    services.save_turns(str(asked.conversation), asked.page_id, (turn,))
    return number


def _count(asked: Asked, number: int, usages: Iterable[UsageReported], model: str = "") -> None:
    for place, report in enumerate(usages, 1):
        by = report.model or model
        usage.save_usage(str(asked.conversation), str(asked.session), place, number, by, report.as_data())


def _finish(asked: Asked) -> None:
    services.finish_session(str(asked.conversation), str(asked.session), ANSWERED, conversation_over=True)
    Conversation.objects.filter(pk=asked.conversation).update(ended_at=timezone.now())
