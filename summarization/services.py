"""The only writers of histories and rolling summaries: plain synchronous functions, each one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from sessions_app.live.transcript import Role
from sessions_app.models import Conversation, Turn
from sessions_app.services import NotYours, get_conversation_for
from summarization.models import CallHistory, RollingSummary, SummaryState

TITLE_LIMIT_CHARACTERS = 200
SEARCH_TEXT_LIMIT_CHARACTERS = 200_000
"""PostgreSQL refuses to index a text whose words take more than 1 MB."""

_TITLE_WORDS = 8


@dataclass(frozen=True, slots=True)
class Recap:
    """What was said up to and including turn `until_turn`, in the third person."""

    text: str
    until_turn: int


@transaction.atomic
def write_call_history(conversation_id: uuid.UUID) -> None:
    """Give an ended conversation its entry in the history, at once; its summary follows.

    A conversation that goes on, that has an entry, or in which nobody said anything is left as it is.
    """
    conversation = Conversation.objects.filter(pk=conversation_id, status=Conversation.Status.ENDED).first()
    if conversation is None:
        return
    turns = [turn for turn in conversation.turns.exclude(role=Role.SYSTEM) if turn.text.strip()]
    if not turns:
        return
    title = _title_from(turns)
    CallHistory.objects.get_or_create(
        conversation=conversation, defaults={"title": title, "search_text": _search_text(title, "", turns)}
    )


def latest_recap(conversation_id: uuid.UUID) -> Recap | None:
    """What a new session of this conversation is told of the past, as far as it has been condensed.

    Of the conversation itself or, while it has none, of the one it continues.
    """
    conversation = Conversation.objects.get(pk=conversation_id)
    own = RollingSummary.objects.filter(conversation=conversation).exclude(text="").first()
    if own is not None:
        return Recap(own.text, own.until_turn)
    if conversation.continues_id is None:
        return None
    return _recap_of_earlier(conversation.continues_id)


@transaction.atomic
def rename(user: User, id: uuid.UUID, title: str) -> None:
    """Give a conversation of the history a title that no summary replaces. Raises `NotYours`."""
    history = _history_for(user, id)
    history.title, history.is_title_given = title.strip()[:TITLE_LIMIT_CHARACTERS], True
    history.search_text = _search_text(history.title, history.summary, list(history.conversation.turns.all()))
    history.save(update_fields=["title", "is_title_given", "search_text"])


@transaction.atomic
def delete_conversation(user: User, id: uuid.UUID) -> None:
    """Delete a conversation with everything that belongs to it. Raises `NotYours`."""
    get_conversation_for(user, id).delete()


@transaction.atomic
def delete_all(user: User) -> int:
    """Delete every ended conversation of a user; gives their number. What goes on stays."""
    ended = Conversation.objects.filter(user=user, status=Conversation.Status.ENDED)
    _, deleted = ended.delete()
    return deleted.get(Conversation._meta.label, 0)


@transaction.atomic
def request_summary(conversation_id: uuid.UUID) -> None:
    """Ask for the summary of a conversation in the history, again if there is one."""
    now = timezone.now()
    CallHistory.objects.filter(conversation_id=conversation_id).update(
        state=SummaryState.PENDING, reason="", attempts=0, requested_at=now, due_at=now
    )


def _history_for(user: User, id: uuid.UUID) -> CallHistory:
    try:
        return CallHistory.objects.select_related("conversation").get(conversation__pk=id, conversation__user=user)
    except CallHistory.DoesNotExist:
        raise NotYours from None


def _recap_of_earlier(conversation_id: uuid.UUID) -> Recap | None:
    """As `latest_recap`, with the summary of the history beside it: that conversation is over, it covers all of it."""
    before = latest_recap(conversation_id)
    history = CallHistory.objects.filter(conversation_id=conversation_id, state=SummaryState.READY).first()
    last = Turn.objects.filter(conversation_id=conversation_id).order_by("-number").first()
    if history is None or last is None:
        return before
    parts = [before.text if before else "", history.summary, *(f"- {fact}" for fact in history.facts)]
    return Recap("\n".join(part for part in parts if part), last.number)


def _title_from(turns: list[Turn]) -> str:
    """The first words of the user, or of the model if the user said nothing."""
    first = next((turn for turn in turns if turn.role == Role.USER), turns[0])
    words = first.text.split()
    title = " ".join(words[:_TITLE_WORDS]) + (" …" if len(words) > _TITLE_WORDS else "")
    return title[:TITLE_LIMIT_CHARACTERS]


def _search_text(title: str, summary: str, turns: list[Turn]) -> str:
    words = "\n".join([title, summary, *(turn.text for turn in turns if turn.role != Role.SYSTEM)])
    return words[:SEARCH_TEXT_LIMIT_CHARACTERS]
