"""The only writers of histories: plain synchronous functions.

A summary is asked for in a row first. Whoever claims the row does the work outside of any transaction; a claim that
nobody renews ends, so a worker that dies takes nothing with it, and a result counts only under the claim it was made
for.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Least
from django.utils import timezone

from sessions_app import lines
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.models import Conversation, LiveSession
from sessions_app.recordings import service as recordings
from sessions_app.services import NotYours, get_conversation_for, own_turns_of
from summarization import attempts, claims, queue, search_entries
from summarization import recordings as recording_works
from summarization.claims import Claim
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
from summarization.withdrawn import tells_withdrawn

logger = logging.getLogger(__name__)

SEARCH_TEXT_LIMIT_CHARACTERS = 200_000
"""PostgreSQL refuses to index a text whose words take more than 1 MB."""

LEFT_BEFORE_SUMMARY = timedelta(minutes=10)
"""A conversation that was left without an end may go on: its summary is not made before."""

WANTED = (SummaryState.PENDING, SummaryState.FAILED)

LOST_TOO_OFTEN = f"the process that wrote it ended in the middle, {attempts.CLAIMS_LOST_BEFORE_FAILED} times in a row"

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
    """Ask for the summary of a conversation in the history, again if there is one.

    One that was given up because workers were lost at it is tried once more.
    """
    now = timezone.now()
    once_more = Least(F("claims_lost"), attempts.CLAIMS_LOST_BEFORE_FAILED - 1)
    asked = CallHistory.objects.filter(conversation_id=conversation_id).update(
        state=SummaryState.PENDING, reason="", attempts=0, claims_lost=once_more, requested_at=now, due_at=now
    )
    if asked:
        queue.enqueue(queue.WRITE_SUMMARY, conversation_id)


def write_summary(conversation_id: uuid.UUID, service: SummarizationService | None = None) -> None:
    """Make the summary that is wanted of a conversation, if it is and nobody else is at it. Blocks for the model."""
    claim = claims.take(CallHistory.objects.filter(state__in=WANTED), conversation_id)
    history = claim.rows.select_related("conversation").first() if claim is not None else None
    if claim is None or history is None:
        return
    turns = _own_turns(history.conversation)
    try:
        with claims.kept(claim):
            summary = _summarize(history.conversation, turns, service or gemini_service())
    except Exception as error:
        _note_failed_summary(history, claim, as_failure(error))
    else:
        _keep_summary(history, claim, summary, turns)


@transaction.atomic
def rename(user: User, id: uuid.UUID, title: str) -> None:
    """Give a conversation in which somebody said something a title that no summary replaces. Raises `NotYours`.

    One that goes on gets its entry for that; it is entered anew with what is said in it.
    """
    conversation = get_conversation_for(user, id)
    turns = _own_turns(conversation)
    history = CallHistory.objects.select_for_update(of=("self",)).filter(conversation=conversation).first()
    if history is None:
        if not turns:
            raise NotYours
        history = CallHistory(conversation=conversation)
        _enter(history, turns, is_over=False)
    history.title, history.is_title_given = title.replace("\x00", "").strip()[:TITLE_LIMIT_CHARACTERS], True
    history.search_text = _search_text(history, turns)
    history.save(update_fields=["title", "is_title_given", "search_text"])
    search_entries.write(history, turns)


@transaction.atomic
def delete_conversation(user: User, id: uuid.UUID) -> None:
    """Delete a conversation with everything that belongs to it. Raises `NotYours`."""
    get_conversation_for(user, id).delete()


@transaction.atomic
def delete_all(user: User) -> int:
    """Delete every conversation of a user except those that are going on, and every recording that is not attached to
    one of these; gives the number of conversations."""
    lines.lock_all(user.pk)
    _, deleted = idle_conversations().filter(user=user).delete()
    recordings.delete_loose(user)
    return deleted.get(Conversation._meta.label, 0)


def idle_conversations() -> QuerySet[Conversation]:
    """The conversations that no live session holds open: over, or left."""
    return Conversation.objects.exclude(Exists(_open_sessions(OuterRef("pk"))))


# -- what nobody took --------------------------------------------------------------------------------------------------


def give_up_deadly() -> None:
    """What workers were lost at too often has failed, until somebody asks for it again."""
    deadly = CallHistory.objects.filter(state__in=WANTED, claims_lost__gte=attempts.CLAIMS_LOST_BEFORE_FAILED)
    deadly.filter(claimed_until=None).update(state=SummaryState.FAILED, reason=LOST_TOO_OFTEN, due_at=None)


def enqueue_due() -> int:
    """Publish what is wanted, due and in nobody's hands: summaries, and works on recordings.

    Those that have been due for longest, as many as there is room for among the messages that wait; gives their number.
    """
    due = claims.may_be_taken(timezone.now())
    condensed = RollingSummary.objects.filter(due, requested_at__isnull=False).order_by("due_at")
    histories = CallHistory.objects.filter(due, state__in=WANTED).order_by("due_at")
    room = queue.room_for_model_calls()
    found = [(*row, queue.WRITE_ROLLING_SUMMARY) for row in condensed.values_list("due_at", "conversation_id")[:room]]
    found += [(*row, queue.WRITE_SUMMARY) for row in histories.values_list("due_at", "conversation_id")[:room]]
    works = recording_works.due().values_list("due_at", "recording_id")
    found += [(*row, queue.WRITE_RECORDING_WORK) for row in works[:room]]
    told = sorted(found)[:room]
    for _, about_id, name in told:
        queue.enqueue(name, about_id)
    return len(told)


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
    search_entries.write(history, turns)


def _fill_in(history: CallHistory, summary: Summary) -> None:
    if not history.is_title_given:
        history.title = summary.title
    history.summary, history.model = summary.summary, summary.model
    history.open_points, history.facts = list(summary.open_points), list(summary.facts)
    history.state, history.reason = SummaryState.READY, ""
    history.summarised_at, history.due_at = timezone.now(), None


def _summarize(conversation: Conversation, turns: tuple[SpokenTurn, ...], service: SummarizationService) -> Summary:
    """Of the whole transcript when it fits into one piece; else its rolling summary stands for what that covers."""
    condensed = RollingSummary.objects.filter(~tells_withdrawn(), conversation=conversation).exclude(text="").first()
    if condensed is not None and len(pieces(as_script(turns))) > 1:
        since = tuple(turn for turn in turns if turn.number > condensed.until_turn)
        if since:
            return service.summarize(since, condensed.text)
    return service.summarize(turns)


@transaction.atomic
def _keep_summary(
    history: CallHistory, claim: Claim[CallHistory], summary: Summary, turns: tuple[SpokenTurn, ...]
) -> None:
    """Store a summary, unless the claim is lost; one that more was said after is not kept, but made anew."""
    held = claim.rows.select_for_update().first()
    if held is None:
        return
    for name, value in claims.GIVEN_BACK.items():
        setattr(held, name, value)
    if held.until_turn == history.until_turn:
        _fill_in(held, summary)
        held.search_text = _search_text(held, turns)
        search_entries.write(held, turns)
        logger.info("summary of %s is ready", held.conversation_id)
    else:
        queue.enqueue(queue.WRITE_SUMMARY, held.conversation_id)
    held.save()


@transaction.atomic
def _note_failed_summary(history: CallHistory, claim: Claim[CallHistory], failure: SummarizerError) -> None:
    """Say why there is no summary, and when it is tried again: soon, later, or not by itself."""
    delay = attempts.delay_after(history.attempts, failure)
    has_failed = delay is None or history.attempts >= attempts.TRIES_BEFORE_FAILED
    noted = claim.rows.update(
        **claims.GIVEN_BACK,
        state=SummaryState.FAILED if has_failed else SummaryState.PENDING,
        reason=failure.reason[:200],
        due_at=None if delay is None else timezone.now() + delay,
    )
    if noted and delay is not None:
        queue.enqueue(queue.WRITE_SUMMARY, history.conversation_id, delay)


def _search_text(history: CallHistory, turns: tuple[SpokenTurn, ...]) -> str:
    """What the version before searches, which may run beside this one."""
    words = [history.title, history.summary, *history.facts, *(turn.text for turn in turns)]
    return "\n".join(words)[:SEARCH_TEXT_LIMIT_CHARACTERS]
