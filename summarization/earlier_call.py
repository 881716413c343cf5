"""The call that a new one may go on from: which one is offered, and what the new one is told of it. And the call that
was left in the midst of it, which is offered itself.

The new call keeps its id alone. Its words are read anew whenever a session is opened, and after each reply: one that is
deleted tells nothing any more.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from energy.levels import Mode
from sessions_app.chains import links_of_id
from sessions_app.live.context import EARLIER_CALL_LIMIT_TOKENS, EarlierCall, Recap, context_of
from sessions_app.live.tokens import estimate_tokens
from sessions_app.models import Conversation, LiveSession
from sessions_app.services import spoken_calls_of
from sessions_app.stored_turns import load_past
from summarization.models import CallHistory, SummaryState
from summarization.prompts import as_script, recap_text, within_limit
from summarization.rolling import latest_recap

OFFERED_FOR = timedelta(days=7)
"""A week: for so long a weekday names the day, and who comes back later begins with something else, as a rule. From its
page in the history every call can be continued."""

LEFT_OFFERED_FOR = timedelta(days=1)
"""Who was cut off comes back within a day to go on; later it is an earlier call among others."""

_NO_PAGE = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """What somebody is asked about. `title`: empty while nobody has given it one."""

    id: uuid.UUID
    title: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class LeftCall:
    """A call that nobody ended. `is_open`: a page has it yet, or had it until a moment ago; only the browser that left
    it knows which."""

    id: uuid.UUID
    title: str
    left_at: datetime
    is_open: bool


def offered_to(user: User) -> OfferedCall | None:
    """The newest call of a user, if something was said in it, it is over or was left, and not too long ago.

    An older one is never offered in its place: while the newest is open in a page, that is the one to go on with.
    """
    call = spoken_calls_of(user).order_by("-last_activity_at").first()
    if call is None or _ended_at(call) < timezone.now() - OFFERED_FOR:
        return None
    if LiveSession.objects.filter(conversation=call, ended_at=None).exists():
        return None
    return OfferedCall(call.pk, _title_of(call), _ended_at(call))


def left_by(user: User) -> LeftCall | None:
    """The newest call of a user, if nobody ended it and there is something in it to continue."""
    call = Conversation.objects.filter(user=user, mode=Mode.CALL).order_by("-last_activity_at").first()
    if call is None or _ended_at(call) < timezone.now() - LEFT_OFFERED_FOR:
        return None
    was_ended = call.status == Conversation.Status.ENDED and call.end_reason != Conversation.PAGE_LEFT
    has_words = call.continues_id is not None or spoken_calls_of(user).filter(pk=call.pk).exists()
    if was_ended or not has_words:
        return None
    is_open = LiveSession.objects.filter(conversation=call, ended_at=None).exists()
    return LeftCall(call.pk, _title_of(call), _ended_at(call), is_open)


def added_to(recap: Recap | None, conversation_id: uuid.UUID) -> Recap | None:
    """The recap of a conversation, with what it is told of the call that it, or one it continues, goes on from."""
    going_on = next((link.id for link in links_of_id(conversation_id) if link.goes_on_from is not None), None)
    if going_on is None:
        return recap
    later = Conversation.objects.select_related("goes_on_from").filter(pk=going_on).first()
    if later is None or later.goes_on_from is None:  # deleted in this moment, or by the version before
        return recap
    return replace(recap or Recap("", until_turn=-1), earlier_call=_told_of(later.goes_on_from, later.started_at))


def _told_of(call: Conversation, later_began_at: datetime) -> EarlierCall:
    history = CallHistory.objects.filter(conversation=call).defer("search_text").first()
    ended_at = _ended_at(call)
    return EarlierCall(
        conversation=str(call.pk),
        title=history.title if history is not None else "",
        ended_at=ended_at,
        gap=max(later_began_at - ended_at, timedelta(0)),
        notes=_notes_of(call, history),
    )


def _notes_of(call: Conversation, history: CallHistory | None) -> str:
    """Its summary; while there is none, or where it failed, its last turns after what of it was condensed."""
    if history is None or history.state != SummaryState.READY:
        return within_limit(_last_words(call), EARLIER_CALL_LIMIT_TOKENS)
    before = latest_recap(call.continues_id) if call.continues_id is not None else None
    title = f"Its title: {history.title}"
    parts = [before.text] if before is not None else []
    parts += [recap_text(history.summary, history.facts), *(f"Left open: {point}" for point in history.open_points)]
    return "\n".join([title, within_limit("\n".join(parts), EARLIER_CALL_LIMIT_TOKENS - estimate_tokens(title) - 1)])


def _last_words(call: Conversation) -> str:
    turns, earlier = load_past(call, _NO_PAGE)
    context = context_of((*earlier.spoken, *turns), latest_recap(call.pk))
    return "\n".join(part for part in (context.summary, as_script(context.turns)) if part)


def _title_of(call: Conversation) -> str:
    history = CallHistory.objects.filter(conversation=call).only("title").first()
    return history.title if history is not None else ""


def _ended_at(call: Conversation) -> datetime:
    return call.ended_at or call.last_activity_at
