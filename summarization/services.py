"""The only writers of histories: plain synchronous functions.

A summary is asked for in a row first. Whoever claims the row does the work outside of any transaction; the claim ends
by itself, so a worker that dies takes nothing with it, and a result counts only for the claim it was made under.
"""

from __future__ import annotations

import datetime
import logging
import uuid

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.models import Conversation, LiveSession
from sessions_app.services import NotYours, get_conversation_for, own_turns_of
from summarization import attempts, queue
from summarization.claims import claim_row, held_row
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.prompts import (
    Summary,
    as_script,
    pieces,
    spoken,
    verbatim_summary,
)
from summarization.summarizer import SummarizerError
from summarization.summarizing import SummarizationService, as_failure, gemini_service
from summarization.titles import TITLE_LIMIT_CHARACTERS, first_words, title_from

logger = logging.getLogger(__name__)

SEARCH_TEXT_LIMIT_CHARACTERS = 200_000
"""PostgreSQL refuses to index a text whose words take more than 1 MB."""

LEFT_BEFORE_SUMMARY = datetime.timedelta(minutes=10)
"""A conversation that was left without an end may go on: its summary is not made before."""

# -- the history -------------------------------------------------------------------------------------------------------


@transaction.atomic
def write_call_history(conversation_id: uuid.UUID) -> None:
    """Give a conversation that is over, or that was left, its entry in the history, at once; the summary follows.

    May be called at any time, and again: a conversation that is going on, or in which nobody said anything, gets no
    entry; one that has been taken up again since is entered anew with what was said.
    """
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None or _goes_on(conversation):
        return
    turns = _own_turns(conversation)
    if not turns:
        return
    history, _ = CallHistory.objects.select_for_update().get_or_create(conversation=conversation)
    is_over = conversation.status == Conversation.Status.ENDED
    if history.until_turn < turns[-1].number:
        _enter(history, turns, is_over)
    elif is_over and history.state == SummaryState.PENDING and not history.attempts:
        history.due_at = timezone.now()
        history.save(update_fields=["due_at"])
        queue.enqueue(queue.WRITE_SUMMARY, conversation_id)


@transaction.atomic
def request_summary(conversation_id: uuid.UUID) -> None:
    """Ask for the summary of a conversation in the history, again if there is one."""
    now = timezone.now()
    asked = CallHistory.objects.filter(conversation_id=conversation_id).update(
        state=SummaryState.PENDING, reason="", attempts=0, requested_at=now, due_at=now
    )
    if asked:
        queue.enqueue(queue.WRITE_SUMMARY, conversation_id)


def write_summary(conversation_id: uuid.UUID, service: SummarizationService | None = None) -> None:
    """Make the summary that is wanted of a conversation, if it is and nobody else is at it. Blocks for the model."""
    wanted = CallHistory.objects.exclude(state=SummaryState.READY)
    claim = claim_row(wanted.filter(conversation_id=conversation_id))
    if claim is None:
        return
    history = held_row(CallHistory.objects.all(), conversation_id, claim)
    if history is None:
        return
    turns = _own_turns(history.conversation)
    try:
        summary = _summarize(history.conversation, turns, service or gemini_service())
    except Exception as error:
        _note_failed_summary(history, claim, as_failure(error))
    else:
        _keep_summary(history, claim, summary, turns)


@transaction.atomic
def rename(user: User, id: uuid.UUID, title: str) -> None:
    """Give a conversation of the history a title that no summary replaces. Raises `NotYours`."""
    try:
        history = CallHistory.objects.select_for_update(of=("self",)).get(conversation__pk=id, conversation__user=user)
    except CallHistory.DoesNotExist:
        raise NotYours from None
    history.title, history.is_title_given = title.replace("\x00", "").strip()[:TITLE_LIMIT_CHARACTERS], True
    history.search_text = _search_text(history, _own_turns(history.conversation))
    history.save(update_fields=["title", "is_title_given", "search_text"])


@transaction.atomic
def delete_conversation(user: User, id: uuid.UUID) -> None:
    """Delete a conversation with everything that belongs to it. Raises `NotYours`."""
    get_conversation_for(user, id).delete()


@transaction.atomic
def delete_all(user: User) -> int:
    """Delete every conversation of a user except those that are going on; gives their number."""
    _, deleted = idle_conversations().filter(user=user).delete()
    return deleted.get(Conversation._meta.label, 0)


def idle_conversations() -> QuerySet[Conversation]:
    """The conversations that no live session holds open: over, or left."""
    return Conversation.objects.exclude(Exists(_open_sessions(OuterRef("pk"))))


# -- what nobody took --------------------------------------------------------------------------------------------------


def enqueue_due() -> int:
    """Publish every wanted summary that is due and that nobody is at, or that only a lost message told of."""
    now = timezone.now()
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    due = Q(due_at__lte=now, attempts__lt=attempts.TRIES_BY_ITSELF) & is_free
    histories = CallHistory.objects.exclude(state=SummaryState.READY).filter(due).order_by("due_at")
    rolling = RollingSummary.objects.filter(due, requested_at__isnull=False).order_by("due_at")
    names: list[tuple[str, QuerySet[CallHistory] | QuerySet[RollingSummary]]] = [
        (queue.WRITE_ROLLING_SUMMARY, rolling),
        (queue.WRITE_SUMMARY, histories),
    ]
    count = 0
    for name, rows in names:
        for conversation_id in rows.values_list("conversation_id", flat=True)[: queue.DUE_AT_ONCE]:
            queue.enqueue(name, conversation_id, is_repeated=True)
            count += 1
    return count


def request_missing(dry_run: bool = False) -> int:
    """Ask again for every summary of the history that is missing, failed ones included; gives their number."""
    missing = CallHistory.objects.exclude(state=SummaryState.READY)
    conversations = list(missing.values_list("conversation_id", flat=True))
    if not dry_run:
        for conversation_id in conversations:
            request_summary(conversation_id)
    return len(conversations)


# -- the work inside ---------------------------------------------------------------------------------------------------


def _goes_on(conversation: Conversation) -> bool:
    return conversation.status == Conversation.Status.ACTIVE and _open_sessions(conversation.pk).exists()


def _open_sessions(conversation_id: uuid.UUID | OuterRef) -> QuerySet[LiveSession]:
    return LiveSession.objects.filter(conversation_id=conversation_id, ended_at__isnull=True)


def _own_turns(conversation: Conversation) -> tuple[SpokenTurn, ...]:
    """What was said in this conversation, without those it continues."""
    return spoken(own_turns_of(conversation))


def _enter(history: CallHistory, turns: tuple[SpokenTurn, ...], is_over: bool) -> None:
    """Enter a conversation with what was said until now, and see to its summary."""
    now = timezone.now()
    history.until_turn = turns[-1].number
    history.requested_at = now
    history.attempts, history.reason = 0, ""
    verbatim = verbatim_summary(turns)
    if verbatim is not None:
        _fill_in(history, verbatim)
    else:
        if not history.is_title_given and not history.title:
            history.title = title_from(first_words(turns))
        history.state = SummaryState.PENDING
        history.due_at = now if is_over else now + LEFT_BEFORE_SUMMARY
        if is_over:
            queue.enqueue(queue.WRITE_SUMMARY, history.conversation_id)
    history.search_text = _search_text(history, turns)
    history.save()


def _fill_in(history: CallHistory, summary: Summary) -> None:
    if not history.is_title_given:
        history.title = summary.title
    history.summary, history.model = summary.summary, summary.model
    history.open_points, history.facts = list(summary.open_points), list(summary.facts)
    history.state, history.reason = SummaryState.READY, ""
    history.summarised_at, history.due_at = timezone.now(), None


def _summarize(conversation: Conversation, turns: tuple[SpokenTurn, ...], service: SummarizationService) -> Summary:
    """Of the whole transcript when it fits into one piece; else its rolling summary stands for what that covers."""
    rolling = RollingSummary.objects.filter(conversation=conversation).exclude(text="").first()
    if rolling is not None and len(pieces(as_script(turns))) > 1:
        since = tuple(turn for turn in turns if turn.number > rolling.until_turn)
        if since:
            return service.summarize(since, rolling.text)
    return service.summarize(turns)


@transaction.atomic
def _keep_summary(
    history: CallHistory, claim: datetime.datetime, summary: Summary, turns: tuple[SpokenTurn, ...]
) -> None:
    """Store a summary, unless the claim is lost; one that more was said after is not kept, but made anew."""
    held = CallHistory.objects.select_for_update().filter(pk=history.pk, claimed_until=claim).first()
    if held is None:
        return
    held.claimed_until = None
    if held.until_turn == history.until_turn:
        _fill_in(held, summary)
        held.search_text = _search_text(held, turns)
        logger.info("summary of %s is ready", held.conversation_id)
    else:
        queue.enqueue(queue.WRITE_SUMMARY, held.conversation_id)
    held.save()


@transaction.atomic
def _note_failed_summary(history: CallHistory, claim: datetime.datetime, failure: SummarizerError) -> None:
    """Say why there is no summary, and when it is tried again: soon, later, or not by itself."""
    delay = attempts.delay_after(history.attempts, failure)
    has_failed = delay is None or history.attempts >= attempts.TRIES_BEFORE_FAILED
    noted = CallHistory.objects.filter(pk=history.pk, claimed_until=claim).update(
        claimed_until=None,
        state=SummaryState.FAILED if has_failed else SummaryState.PENDING,
        reason=failure.reason[:200],
        due_at=None if delay is None else timezone.now() + delay,
    )
    if noted and delay is not None:
        queue.enqueue(queue.WRITE_SUMMARY, history.conversation_id, delay)


def _search_text(history: CallHistory, turns: tuple[SpokenTurn, ...]) -> str:
    words = [history.title, history.summary, *history.facts, *(turn.text for turn in turns)]
    return "\n".join(words)[:SEARCH_TEXT_LIMIT_CHARACTERS]
