"""Rolling summaries: what a conversation that goes on was about, up to a turn. The only writer of `RollingSummary`."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sessions_app.chains import chain_of_id
from sessions_app.live.context import Recap
from sessions_app.live.tokens import estimate_tokens
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.live.transcript import TurnStatus
from sessions_app.models import Conversation
from sessions_app.services import turns_since
from summarization import attempts, claims, queue
from summarization.claims import Claim
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.prompts import recap_text, spoken, within_limit
from summarization.summarizer import SummarizerError
from summarization.summarizing import SummarizationService, as_failure, gemini_service
from summarization.withdrawn import tells_withdrawn

ROLLING_EVERY_TURNS = 6
ROLLING_EVERY_TOKENS = 1_500


def latest_recap(conversation_id: uuid.UUID) -> Recap | None:
    """What a new session of this conversation is told of the past, as far as it has been condensed.

    Its rolling summary or, while it has none, the recap of the conversation it continues; and its summary in the
    history where that covers more. Of all that at most `RECAP_LIMIT_TOKENS`. None when nothing has been condensed.
    """
    chain = chain_of_id(conversation_id)
    return _recap_of(chain, _rows_of(chain))


def _rows_of(chain: list[uuid.UUID]) -> dict[uuid.UUID, RollingSummary]:
    rows = RollingSummary.objects.filter(conversation__in=chain).annotate(tells_withdrawn=tells_withdrawn())
    return {row.conversation_id: row for row in rows}


def _recap_of(chain: list[uuid.UUID], rows: dict[uuid.UUID, RollingSummary]) -> Recap | None:
    """What the nearest rolling summary of the chain says, and what the histories add that were written since."""
    written = next((place for place, id in enumerate(chain) if id in rows and _holds_good(rows[id])), None)
    row = rows[chain[written]] if written is not None else None
    since = chain if written is None else chain[: written + 1]
    ready = CallHistory.objects.filter(~tells_withdrawn(), conversation__in=since, state=SummaryState.READY)
    histories = {history.conversation_id: history for history in ready}
    recap = Recap(row.text, row.until_turn) if row is not None else None
    for id in reversed(since):
        if id in histories:
            recap = _told_more(recap, histories[id])
    return replace(recap, text=within_limit(recap.text)) if recap is not None else None


def _holds_good(row: RollingSummary) -> bool:
    return bool(row.text) and not getattr(row, "tells_withdrawn")  # noqa: B009 - an annotation


def _told_more(before: Recap | None, history: CallHistory) -> Recap:
    """What went before, and the summary of a conversation where that covers more."""
    if before is not None and before.until_turn >= history.until_turn:
        return before
    own = recap_text(history.summary, history.facts)
    return Recap(f"{before.text}\n{own}" if before is not None else own, history.until_turn)


def request_rolling_summary_if_due(conversation_id: uuid.UUID) -> Recap | None:
    """Ask for the next rolling summary when enough was said since the last; at most one is wanted at a time.

    Gives `latest_recap` as it is now: this is called after every reply, and both are found by the same queries.
    """
    chain = chain_of_id(conversation_id)
    rows = _rows_of(chain)
    recap = _recap_of(chain, rows)
    own = rows.get(conversation_id)
    is_wanted = own is not None and own.requested_at is not None
    is_deadly = own is not None and own.claims_lost >= attempts.CLAIMS_LOST_BEFORE_FAILED
    if is_wanted or is_deadly or not _goes_on(conversation_id):
        return recap
    turns = _settled(_turns_after(chain, recap))
    if turns and _is_due(turns, recap, own):
        _want_rolling_summary(conversation_id, turns[-1].number)
    return recap


def write_rolling_summary(conversation_id: uuid.UUID, service: SummarizationService | None = None) -> None:
    """Make the rolling summary that is wanted, if it is and nobody else is at it. Blocks for the model."""
    claim = claims.take(RollingSummary.objects.filter(requested_at__isnull=False), conversation_id)
    rolling = claim.rows.select_related("conversation").first() if claim is not None else None
    if claim is None or rolling is None:
        return
    chain = chain_of_id(conversation_id)
    recap = _recap_of(chain, _rows_of(chain))
    turns = tuple(turn for turn in _turns_after(chain, recap) if turn.number <= rolling.wanted_until_turn)
    if not turns or rolling.conversation.status == Conversation.Status.ENDED:
        _let_go_of_rolling_summary(claim)
        return
    try:
        with claims.kept(claim):
            text = (service or gemini_service()).condense(turns, recap.text if recap is not None else "")
    except Exception as error:
        _note_failed_rolling_summary(rolling, claim, as_failure(error))
    else:
        _let_go_of_rolling_summary(claim, text=text, until_turn=rolling.wanted_until_turn, written_at=timezone.now())
        request_rolling_summary_if_due(conversation_id)


def give_up_deadly() -> None:
    """What workers were lost at too often is wanted no more, and no turn asks for it: turns stand for themselves."""
    deadly = RollingSummary.objects.filter(claims_lost__gte=attempts.CLAIMS_LOST_BEFORE_FAILED)
    deadly.filter(requested_at__isnull=False).update(requested_at=None, due_at=None, attempts=0)


def allow_again(rows: QuerySet[RollingSummary]) -> int:
    """Forget the workers that were lost at these: the next turn asks anew; gives their number."""
    return rows.filter(claims_lost__gt=0).update(claims_lost=0)


def _goes_on(conversation_id: uuid.UUID) -> bool:
    return Conversation.objects.filter(pk=conversation_id, status=Conversation.Status.ACTIVE).exists()


def _turns_after(chain: list[uuid.UUID], recap: Recap | None) -> tuple[SpokenTurn, ...]:
    return spoken(turns_since(chain, recap.until_turn if recap is not None else -1))


def _settled(turns: tuple[SpokenTurn, ...]) -> tuple[SpokenTurn, ...]:
    """The turns before the first that is still growing."""
    growing = next((place for place, turn in enumerate(turns) if turn.status is TurnStatus.PARTIAL), len(turns))
    return turns[:growing]


def _is_due(turns: tuple[SpokenTurn, ...], recap: Recap | None, rolling: RollingSummary | None) -> bool:
    """Whether enough has come together that no rolling summary covers; a recap that was inherited counts, too."""
    tokens = sum(estimate_tokens(turn.text) for turn in turns)
    if recap is not None and (rolling is None or rolling.until_turn < recap.until_turn):
        tokens += estimate_tokens(recap.text)
    return len(turns) >= ROLLING_EVERY_TURNS or tokens >= ROLLING_EVERY_TOKENS


@transaction.atomic
def _want_rolling_summary(conversation_id: uuid.UUID, until_turn: int) -> None:
    now = timezone.now()
    rolling, _ = RollingSummary.objects.get_or_create(conversation_id=conversation_id)
    wanted = RollingSummary.objects.filter(pk=rolling.pk, requested_at=None).update(
        requested_at=now, due_at=now, wanted_until_turn=until_turn, attempts=0
    )
    if wanted:
        queue.enqueue(queue.WRITE_ROLLING_SUMMARY, conversation_id)


def _let_go_of_rolling_summary(claim: Claim[RollingSummary], **written: object) -> None:
    """Nothing is wanted any more: it is written, or there is nothing to write, or it failed too often."""
    claim.rows.update(**claims.GIVEN_BACK, requested_at=None, due_at=None, attempts=0, **written)


@transaction.atomic
def _note_failed_rolling_summary(
    rolling: RollingSummary, claim: Claim[RollingSummary], failure: SummarizerError
) -> None:
    """Try again in a while; after too many tries the next turn that is said asks anew."""
    delay = attempts.delay_after(rolling.attempts, failure)
    if delay is None or rolling.attempts >= attempts.TRIES_BEFORE_FAILED:
        _let_go_of_rolling_summary(claim)
        return
    noted = claim.rows.update(**claims.GIVEN_BACK, due_at=timezone.now() + delay)
    if noted:
        queue.enqueue(queue.WRITE_ROLLING_SUMMARY, rolling.conversation_id, delay)
