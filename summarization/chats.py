"""The text chats of a user, as the chat page lists them: pinned first, then by when they were used last."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from energy.levels import Mode
from sessions_app.live.transcript import Role
from sessions_app.models import Conversation, LiveSession, Turn
from sessions_app.services import get_chat_for
from summarization.history import with_first_words
from summarization.titles import title_from, untitled

CHATS_AT_ONCE = 20
FURTHEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class Chat:
    """`is_open`: in a page, so that it cannot be deleted."""

    id: uuid.UUID
    title: str
    used_at: datetime
    is_pinned: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class ChatPage:
    """Some of the chats, and the numbers of the pages beside this one; None where there is none."""

    chats: tuple[Chat, ...]
    newer: int | None
    older: int | None


def page_of_chats(user: User, number: int) -> ChatPage:
    """One page of the chats in which somebody said something; `number` from 1, what is beyond bounds is brought in.

    A chat that another one continues is the beginning of that, and not listed.
    """
    number = max(1, min(number, FURTHEST_PAGE))
    first = (number - 1) * CHATS_AT_ONCE
    keys = list(_listed(user).values_list("pk", flat=True)[first : first + CHATS_AT_ONCE + 1])
    has_more = len(keys) > CHATS_AT_ONCE and number < FURTHEST_PAGE
    chats = _chats(keys[:CHATS_AT_ONCE])
    return ChatPage(chats, number - 1 if number > 1 else None, number + 1 if has_more else None)


def pin(user: User, id: uuid.UUID, pinned: bool) -> None:
    """Put a chat at the top of the list, or back among the others. Raises `NotYours`."""
    chat = get_chat_for(user, id)
    if (chat.pinned_at is not None) != pinned:
        Conversation.objects.filter(pk=chat.pk).update(pinned_at=timezone.now() if pinned else None)


def _listed(user: User) -> QuerySet[Conversation]:
    spoken = Turn.objects.filter(role__in=(Role.USER, Role.MODEL))
    later = Conversation.objects.filter(continues=OuterRef("pk"), mode=Mode.TEXT)
    later = later.filter(Exists(spoken.filter(conversation=OuterRef("pk"))))
    chats = Conversation.objects.filter(user=user, mode=Mode.TEXT).exclude(end_reason=Conversation.ASKED)
    chats = chats.filter(Exists(spoken.filter(conversation=OuterRef("pk"))), ~Exists(later))
    return chats.order_by(F("pinned_at").desc(nulls_last=True), "-last_activity_at", "pk")


def _chats(keys: Sequence[uuid.UUID]) -> tuple[Chat, ...]:
    sessions = LiveSession.objects.filter(conversation=OuterRef("pk"), ended_at=None)
    rows = with_first_words(Conversation.objects.filter(pk__in=keys))
    found = {row.pk: row for row in rows.annotate(given=F("history__title"), is_open=Exists(sessions))}
    return tuple(_chat(found[key]) for key in keys if key in found)


def _chat(row: Any) -> Chat:
    title = row.given or title_from(row.first_words) or untitled()
    return Chat(row.pk, title, row.last_activity_at, row.pinned_at is not None, row.is_open)
