"""The only writers of histories and rolling summaries: plain synchronous functions.

A summary is asked for in a row first. Whoever claims the row does the work outside of any transaction; the claim ends
by itself, so a worker that dies takes nothing with it, and a result counts only for the claim it was made under.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from sessions_app.chains import chain_of_id
from sessions_app.live.context import Recap
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.live.transcript import TurnStatus
from sessions_app.models import Conversation, LiveSession
from sessions_app.services import NotYours, get_conversation_for, own_turns_of, turns_since
from summarization import attempts, queue
from summarization.models import CallHistory, RollingSummary, SummaryState
from summarization.prompts import (
    Prompt,
    Summary,
    as_script,
    count_tokens,
    pieces,
    read_recap,
    read_summary,
    recap_prompt,
    recap_text,
    spoken,
    summary_prompt,
    verbatim_summary,
)
from summarization.summarizer import BadAnswer, Refused, Summarizer, SummarizerError, Unavailable
from summarization.titles import TITLE_LIMIT_CHARACTERS, first_words, title_from

logger = logging.getLogger(__name__)

SEARCH_TEXT_LIMIT_CHARACTERS = 200_000
"""PostgreSQL refuses to index a text whose words take more than 1 MB."""

ROLLING_EVERY_TURNS = 6
ROLLING_EVERY_TOKENS = 1_500

LEFT_BEFORE_SUMMARY = datetime.timedelta(minutes=10)
"""A conversation that was left without an end may go on: its summary is not made before."""

WRITE_SUMMARY = "summarization.write_summary"
WRITE_ROLLING_SUMMARY = "summarization.write_rolling_summary"

Answer = TypeVar("Answer")
Row = TypeVar("Row", bound=Model)


class SummarizationService:
    """Summaries of transcripts, by the first of the summarizer's models that gives a usable answer."""

    def __init__(self, summarizer: Summarizer) -> None:
        self._summarizer = summarizer

    def summarize(self, turns: tuple[SpokenTurn, ...], recap: str = "") -> Summary:
        """The summary of a conversation: of these turns and of what `recap` says came before them.

        A short transcript is kept as it is; of a long one each piece but the last becomes part of the recap. Blocks.
        Raises `SummarizerError`, and ValueError when nobody said anything.
        """
        script = as_script(turns)
        if not script:
            raise ValueError("nobody said anything")
        if not recap and (verbatim := verbatim_summary(turns)) is not None:
            return verbatim
        *earlier, last = pieces(script)
        for piece in earlier:
            recap = self._condense(piece, recap)
        return self._ask(summary_prompt(last, recap), read_summary)

    def condense(self, turns: tuple[SpokenTurn, ...], recap: str = "") -> str:
        """A recap of these turns and of what `recap` says came before them. Blocks. Raises `SummarizerError`."""
        for piece in pieces(as_script(turns)):
            recap = self._condense(piece, recap)
        return recap

    def _condense(self, piece: str, recap: str) -> str:
        return self._ask(recap_prompt(piece, recap), lambda answer, _: read_recap(answer))

    def _ask(self, prompt: Prompt, read: Callable[[str, str], Answer]) -> Answer:
        failures: list[SummarizerError] = []
        for model in self._summarizer.models:
            try:
                return self._ask_one(model, prompt, read)
            except SummarizerError as error:
                failures.append(error)
            logger.warning("no summary: %s", failures[-1].reason)
        raise next((failure for failure in failures if failure.may_work_later), failures[0])

    def _ask_one(self, model: str, prompt: Prompt, read: Callable[[str, str], Answer]) -> Answer:
        answer = self._summarizer.ask(model, prompt)
        try:
            return read(answer, model)
        except ValueError as error:
            raise BadAnswer(f"{model} gave an answer that cannot be used") from error


@cache
def gemini_service() -> SummarizationService:
    """Gemini, as the settings have it. Made when it is first needed. Raises `Refused` without a key."""
    if not settings.GEMINI_API_KEY:
        raise Refused("no API key is set")
    # The SDK takes most of a second to import, which commands and web workers without a summary to write need not pay.
    from summarization.gemini import GeminiSummarizer

    return SummarizationService(
        GeminiSummarizer(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION, settings.SUMMARY_MODELS)
    )


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
        queue.enqueue(WRITE_SUMMARY, conversation_id)


@transaction.atomic
def request_summary(conversation_id: uuid.UUID) -> None:
    """Ask for the summary of a conversation in the history, again if there is one."""
    now = timezone.now()
    asked = CallHistory.objects.filter(conversation_id=conversation_id).update(
        state=SummaryState.PENDING, reason="", attempts=0, requested_at=now, due_at=now
    )
    if asked:
        queue.enqueue(WRITE_SUMMARY, conversation_id)


def write_summary(conversation_id: uuid.UUID, service: SummarizationService | None = None) -> None:
    """Make the summary that is wanted of a conversation, if it is and nobody else is at it. Blocks for the model."""
    wanted = CallHistory.objects.exclude(state=SummaryState.READY)
    claim = _claim(wanted.filter(conversation_id=conversation_id))
    if claim is None:
        return
    history = _held(CallHistory.objects.all(), conversation_id, claim)
    if history is None:
        return
    turns = _own_turns(history.conversation)
    try:
        summary = _summarize(history.conversation, turns, service or gemini_service())
    except Exception as error:
        _note_failed_summary(history, claim, _as_failure(error))
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


# -- rolling summaries -------------------------------------------------------------------------------------------------


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
    claim = _claim(wanted.filter(conversation_id=conversation_id))
    if claim is None:
        return
    rolling = _held(RollingSummary.objects.all(), conversation_id, claim)
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
        _note_failed_rolling_summary(rolling, claim, _as_failure(error))
    else:
        _let_go_of_rolling_summary(
            rolling, claim, text=text, until_turn=rolling.wanted_until_turn, written_at=timezone.now()
        )
        request_rolling_summary_if_due(conversation_id)


# -- what nobody took --------------------------------------------------------------------------------------------------


def enqueue_due() -> int:
    """Publish every wanted summary that is due and that nobody is at, or that only a lost message told of."""
    now = timezone.now()
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    due = Q(due_at__lte=now, attempts__lt=attempts.TRIES_BY_ITSELF) & is_free
    histories = CallHistory.objects.exclude(state=SummaryState.READY).filter(due).order_by("due_at")
    rolling = RollingSummary.objects.filter(due, requested_at__isnull=False).order_by("due_at")
    names: list[tuple[str, QuerySet[CallHistory] | QuerySet[RollingSummary]]] = [
        (WRITE_ROLLING_SUMMARY, rolling),
        (WRITE_SUMMARY, histories),
    ]
    count = 0
    for name, rows in names:
        for conversation_id in rows.values_list("conversation_id", flat=True)[: queue.SWEEP_LIMIT]:
            queue.enqueue(name, conversation_id, is_sweep=True)
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
            queue.enqueue(WRITE_SUMMARY, history.conversation_id)
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
        queue.enqueue(WRITE_SUMMARY, held.conversation_id)
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
        queue.enqueue(WRITE_SUMMARY, history.conversation_id, delay)


@transaction.atomic
def _want_rolling_summary(conversation: Conversation, until_turn: int) -> None:
    now = timezone.now()
    rolling, _ = RollingSummary.objects.get_or_create(conversation=conversation)
    wanted = RollingSummary.objects.filter(pk=rolling.pk, requested_at=None).update(
        requested_at=now, due_at=now, wanted_until_turn=until_turn, attempts=0
    )
    if wanted:
        queue.enqueue(WRITE_ROLLING_SUMMARY, conversation.pk)


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
        queue.enqueue(WRITE_ROLLING_SUMMARY, rolling.conversation_id, delay)


def _claim(rows: QuerySet[Row]) -> datetime.datetime | None:
    """Take the one row of these that is due, unless somebody has it; gives the end of the claim, which is its mark."""
    now = timezone.now()
    claim = now + attempts.CLAIM_VALID
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    due = rows.filter(is_free, due_at__lte=now, attempts__lt=attempts.TRIES_BY_ITSELF)
    return claim if due.update(claimed_until=claim, attempts=F("attempts") + 1) else None


def _held(rows: QuerySet[Row], conversation_id: uuid.UUID, claim: datetime.datetime) -> Row | None:
    """The row as it was claimed, with its conversation; None when it was deleted since."""
    claimed = rows.filter(conversation_id=conversation_id, claimed_until=claim)
    return claimed.select_related("conversation").first()


def _as_failure(error: Exception) -> SummarizerError:
    if isinstance(error, SummarizerError):
        return error
    logger.error("summarising failed", exc_info=error)
    return Unavailable("something went wrong here; the log says what")


def _search_text(history: CallHistory, turns: tuple[SpokenTurn, ...]) -> str:
    words = [history.title, history.summary, *history.facts, *(turn.text for turn in turns)]
    return "\n".join(words)[:SEARCH_TEXT_LIMIT_CHARACTERS]
