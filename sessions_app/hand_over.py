"""A live conversation that goes on in another page of its user: the ticket for it, and the page life that moves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction

from energy import budget
from energy.levels import Mode
from energy.queue import holder_of
from sessions_app import lines
from sessions_app.models import Conversation, Line, LiveSession, ResumptionHandle, Turn

VALID_S = 120
_SALT = "holdline.hand-over"


class TicketInvalid(Exception):
    """The ticket was used, is too old, was not made for this user, or its conversation is over."""


class NothingToHandOver(Exception):
    """The user has no live conversation in this mode."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A conversation, and the page life that has it."""

    conversation: uuid.UUID
    page_id: uuid.UUID


def make_ticket(user: User, mode: Mode) -> str:
    """A text for a link that takes the live conversation of a user over, once, within two minutes.

    A newer one takes the place of an older one. Raises `NothingToHandOver`.
    """
    ticket = uuid.uuid4()
    line = Line.objects.filter(user=user, mode=mode, live_session__ended_at=None, live_session__isnull=False)
    if not line.update(ticket=ticket):
        raise NothingToHandOver
    return signing.dumps([user.pk, mode, str(ticket)], salt=_SALT)


@transaction.atomic
def use_ticket(user: User, mode: Mode, page_id: uuid.UUID, ticket: str) -> Moving | None:
    """What a ticket takes over for a page life; None when this one has done so already. Raises `TicketInvalid`."""
    if LiveSession.objects.filter(page_id=page_id, conversation__user=user, conversation__mode=mode).exists():
        return None
    try:
        user_id, for_mode, number = signing.loads(ticket, salt=_SALT, max_age=VALID_S)
    except signing.BadSignature:
        raise TicketInvalid from None
    if (user_id, for_mode) != (user.pk, mode):
        raise TicketInvalid
    line = Line.objects.select_for_update().filter(user=user, mode=mode, ticket=number).first()
    session = None if line is None else _last_session(user, mode)
    if line is None or session is None:
        raise TicketInvalid
    line.ticket = None
    line.save(update_fields=["ticket"])
    return Moving(session.conversation_id, session.page_id)


@transaction.atomic
def move_page_life(user: User, mode: Mode, moving: Moving, page_id: uuid.UUID) -> None:
    """What belongs to the page life that has the conversation belongs to another from now on: its live sessions, the
    messages it typed, its handle, its place in the budget. Raises `TicketInvalid` when the conversation is over by now.
    """
    if not Conversation.objects.filter(pk=moving.conversation, status=Conversation.Status.ACTIVE).exists():
        raise TicketInvalid
    before = {"page_id": moving.page_id}
    LiveSession.objects.filter(conversation=moving.conversation, **before).update(page_id=page_id)
    Turn.objects.filter(conversation=moving.conversation, **before).update(page_id=page_id)
    ResumptionHandle.objects.filter(user=user, live_session__conversation=moving.conversation, **before).update(
        page_id=page_id
    )
    budget.move(holder_of(user.pk, mode, moving.page_id), holder_of(user.pk, mode, page_id))
    lines.move(user, mode, moving.page_id, page_id)


def _last_session(user: User, mode: Mode) -> LiveSession | None:
    """The live session that the ticket was made for, or the one after it, if its conversation goes on."""
    of_pages = LiveSession.objects.exclude(conversation__end_reason=Conversation.ASKED)
    sessions = of_pages.filter(conversation__user=user, conversation__mode=mode)
    last = sessions.order_by("-started_at").select_related("conversation").first()
    return last if last is not None and last.conversation.status == Conversation.Status.ACTIVE else None
