"""Rolling summaries: what a conversation that goes on was about, up to a turn. The only writer of `RollingSummary`."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from sessions_app.chains import chain_of_id
from sessions_app.live.context import Recap
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.live.transcript import TurnStatus
from sessions_app.models import Conversation
from sessions_app.services import turns_since
from summarization import attempts, queue
from summarization.claims import claim_row, held_row
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.prompts import count_tokens, recap_text, spoken
from summarization.summarizer import SummarizerError
from summarization.summarizing import SummarizationService, as_failure, gemini_service

ROLLING_EVERY_TURNS = 6
ROLLING_EVERY_TOKENS = 1_500


def latest_recap(conversation_id: uuid.UUID) -> Recap | None:
    """What a new session of this conversation is told of the past, as far as it has been condensed.

    Its rolling summary or, while it has none, the recap of the conversation it continues; and its summary in the
    history where that covers more.
    """
    chain = chain_of_id(conversation_id)
    written = RollingSummary.objects.filter(conversation__in=chain).exclude(text="")
    rolling = {row.conversation_id: row for row in written}
    ready = CallHistory.objects.filter(conversation__in=chain, state=SummaryState.READY)
    histories = {row.conversation_id: row for row in ready}
    condensed = next((place for place, id in enumerate(chain) if id in rolling), len(chain) - 1)
    recap: Recap | None = None
    for id in reversed(chain[: condensed + 1]):
        if id in rolling:
            recap = Recap(rolling[id].text, rolling[id].until_turn)
        if id in histories:
            recap = _told_more(recap, histories[id])
    return recap


def _told_more(before: Recap | None, history: CallHistory) -> Recap:
    """What went before, and the summary of a conversation where that covers more."""
    if before is not None and before.until_turn >= history.until_turn:
        return before
    own = recap_text(history.summary, history.facts)
    return Recap(f"{before.text}\n{own}" if before is not None else own, history.until_turn)


def request_rolling_summary_if_due(conversation_id: uuid.UUID) -> None:
    """Ask for the next rolling summary when enough was said since the last; at most one is wanted at a time."""
    rolling = RollingSummary.objects.filter(conversation_id=conversation_id).first()
    if rolling is not None and rolling.requested_at is not None:
        return
    conversation = Conversation.objects.filter(pk=conversation_id, status=Conversation.Status.ACTIVE).first()
    if conversation is None:
        return
    recap = latest_recap(conversation_id)
    turns = _settled(_turns_after(conversation, recap))
    if not turns or not _is_due(turns, recap, rolling):
        return
    _want_rolling_summary(conversation, turns[-1].number)


def write_rolling_summary(conversation_id: uuid.UUID, service: SummarizationService | None = None) -> None:
    """Make the rolling summary that is wanted, if it is and nobody else is at it. Blocks for the model."""
    wanted = RollingSummary.objects.filter(requested_at__isnull=False)
    claim = claim_row(wanted.filter(conversation_id=conversation_id))
    if claim is None:
        return
    rolling = held_row(RollingSummary.objects.all(), conversation_id, claim)
    if rolling is None:
        return
    recap = latest_recap(conversation_id)
    turns = tuple(
        turn for turn in _turns_after(rolling.conversation, recap) if turn.number <= rolling.wanted_until_turn
    )
    if not turns or rolling.conversation.status == Conversation.Status.ENDED:
        _let_go_of_rolling_summary(rolling, claim)
        return
    try:
        text = (service or gemini_service()).condense(turns, recap.text if recap is not None else "")
    except Exception as error:
        _note_failed_rolling_summary(rolling, claim, as_failure(error))
    else:
        _let_go_of_rolling_summary(
            rolling, claim, text=text, until_turn=rolling.wanted_until_turn, written_at=timezone.now()
        )
        request_rolling_summary_if_due(conversation_id)


def _turns_after(conversation: Conversation, recap: Recap | None) -> tuple[SpokenTurn, ...]:
    return spoken(turns_since(conversation, recap.until_turn if recap is not None else -1))


def _settled(turns: tuple[SpokenTurn, ...]) -> tuple[SpokenTurn, ...]:
    """The turns before the first that is still growing."""
    growing = next((place for place, turn in enumerate(turns) if turn.status is TurnStatus.PARTIAL), len(turns))
    return turns[:growing]


def _is_due(turns: tuple[SpokenTurn, ...], recap: Recap | None, rolling: RollingSummary | None) -> bool:
    """Whether enough has come together that no rolling summary covers; a recap that was inherited counts, too."""
    tokens = sum(count_tokens(turn.text) for turn in turns)
    if recap is not None and (rolling is None or rolling.until_turn < recap.until_turn):
        tokens += count_tokens(recap.text)
    return len(turns) >= ROLLING_EVERY_TURNS or tokens >= ROLLING_EVERY_TOKENS


@transaction.atomic
def _want_rolling_summary(conversation: Conversation, until_turn: int) -> None:
    now = timezone.now()
    rolling, _ = RollingSummary.objects.get_or_create(conversation=conversation)
    wanted = RollingSummary.objects.filter(pk=rolling.pk, requested_at=None).update(
        requested_at=now, due_at=now, wanted_until_turn=until_turn, attempts=0
    )
    if wanted:
        queue.enqueue(queue.WRITE_ROLLING_SUMMARY, conversation.pk)


def _let_go_of_rolling_summary(rolling: RollingSummary, claim: datetime.datetime, **written: object) -> None:
    """Nothing is wanted any more: it is written, or there is nothing to write, or it failed too often."""
    RollingSummary.objects.filter(pk=rolling.pk, claimed_until=claim).update(
        claimed_until=None, requested_at=None, due_at=None, attempts=0, **written
    )


@transaction.atomic
def _note_failed_rolling_summary(rolling: RollingSummary, claim: datetime.datetime, failure: SummarizerError) -> None:
    """Try again in a while; after too many tries the next turn that is said asks anew."""
    delay = attempts.delay_after(rolling.attempts, failure)
    if delay is None or rolling.attempts >= attempts.TRIES_BEFORE_FAILED:
        _let_go_of_rolling_summary(rolling, claim)
        return
    noted = RollingSummary.objects.filter(pk=rolling.pk, claimed_until=claim).update(
        claimed_until=None, due_at=timezone.now() + delay
    )
    if noted:
        queue.enqueue(queue.WRITE_ROLLING_SUMMARY, rolling.conversation_id, delay)
