"""What the history pages show, and what they may do: the list, the search, one conversation."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, overload

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.utils.text import Truncator

from energy.prices import parse_prices
from sessions_app import lines
from sessions_app.chains import chain_of
from sessions_app.live.transcript import Role
from sessions_app.models import Attachment, Conversation, LiveSession, Recording, SessionEvent, Turn
from sessions_app.recordings.service import attached_to
from sessions_app.services import get_conversation_for
from sessions_app.stored_words import in_words
from sessions_app.usage import totals_of_conversations
from summarization import hits, search, services
from summarization.folding import fold
from summarization.hits import NO_HITS, Hits
from summarization.models import CallHistory, SummaryState
from summarization.passages import Piece, has_hit, marked, passage
from summarization.record import Attached, Line, Neighbour, Record, Tokens, WrittenSummary, milliseconds_between
from summarization.timeline import Event, timeline
from summarization.titles import first_words, title_from, untitled

_SPOKEN = (Role.USER, Role.MODEL)
_LEVEL_CHANGES = ("level_lowered", "level_raised")
_EXCERPT_CHARACTERS = 220


class StillOpen(Exception):
    """The conversation is open in a page right now: what is said in it has to go somewhere."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. `since` and `before`: the conversation was going on at some time in between.

    `words`: as `search_words.words_of` gives them.
    """

    words: tuple[str, ...] = ()
    mode: str = ""
    model: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation in the list. `state`: of its summary, empty while there is no entry for one.

    Of a search, `hits` are turns that have the words, and `excerpt` is a passage with one.
    """

    id: uuid.UUID
    title: str
    mode: str
    started_at: datetime
    until: datetime
    is_over: bool
    excerpt: tuple[Piece, ...] = ()
    state: str = ""
    reason: str = ""
    title_pieces: tuple[Piece, ...] = ()
    hits: Hits = NO_HITS

    @property
    def duration_ms(self) -> int:
        return milliseconds_between(self.started_at, self.until)


class Found(Sequence[Entry]):
    """Conversations in order, loaded as they are sliced.

    Args:
        words: that were searched for.
        without_entry: conversations that have no entry in the history yet; they come first.
        histories: the keys of the others.
        is_cut: there are older ones with these words.
        is_partial: the oldest conversations have not been made ready for searching yet.
    """

    def __init__(
        self,
        words: tuple[str, ...],
        without_entry: Sequence[uuid.UUID],
        histories: QuerySet[CallHistory, int] | Sequence[int],
        is_cut: bool = False,
        is_partial: bool = False,
    ) -> None:
        self._words = words
        self._without_entry = without_entry
        self._histories = histories
        entered = histories.order_by().count() if isinstance(histories, QuerySet) else len(histories)
        self._count = len(without_entry) + entered
        self.is_cut = is_cut
        self.is_partial = is_partial

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, wanted: int) -> Entry: ...

    @overload
    def __getitem__(self, wanted: slice) -> list[Entry]: ...

    def __getitem__(self, wanted: int | slice) -> Entry | list[Entry]:
        if isinstance(wanted, int):
            return self[wanted : wanted + 1 or None][0]
        start, stop, _ = wanted.indices(self._count)
        first = len(self._without_entry)
        entries = _entries_without_history(self._without_entry[start:stop])
        if stop > first:
            entries += self._entered(max(0, start - first), stop - first)
        return _with_hits(entries, self._words) if self._words else entries

    def _entered(self, start: int, stop: int) -> list[Entry]:
        """Keys first, rows afterwards: sorting whole rows takes longer than both."""
        keys = list(self._histories[start:stop])
        found = CallHistory.objects.select_related("conversation").defer("search_text").in_bulk(keys)
        return [_entry(found[key], self._words) for key in keys if key in found]


NOTHING = Found((), (), ())
"""Where nothing was looked for."""


def find(user: User, filters: Filters) -> Found:
    """The conversations of a user in which somebody said something, newest first; with words, the best first."""
    histories = CallHistory.objects.filter(_conditions(filters, "conversation__"), conversation__user=user).order_by(
        "-conversation__last_activity_at"
    )
    words = tuple(filter(None, map(fold, filters.words)))
    if words:
        return _find_words(user, filters, histories, words)
    without_entry = Conversation.objects.filter(_conditions(filters), _is_spoken(), user=user, history=None)
    ids = without_entry.order_by("-last_activity_at").values_list("pk", flat=True)
    return Found((), list(ids), histories.values_list("pk", flat=True))


def _find_words(user: User, filters: Filters, histories: QuerySet[CallHistory], words: tuple[str, ...]) -> Found:
    """By the index; what that does not know yet by a look at what was said: conversations that go on, and those that
    the version before has entered."""
    unknown = hits.unknown_to_search(Conversation.objects.filter(_conditions(filters), user=user))
    indexed = search.find(histories, user.pk, words)
    with_words = hits.with_words(unknown.ids, words)
    without_entry = [id for id, history in with_words if history is None]
    entered = [history for _, history in with_words if history is not None]
    known = {history for _, history in unknown.ids}
    return Found(
        words,
        without_entry,
        [*entered, *(key for key in indexed.keys if key not in known)],
        is_cut=indexed.is_cut,
        is_partial=unknown.is_cut,
    )


def recent(user: User, count: int) -> list[Entry]:
    """The conversations of a user that were used last."""
    return find(user, Filters())[:count]


def models_of(user: User) -> list[str]:
    """The models that the user's conversations were held with, in the order of the alphabet."""
    models = LiveSession.objects.filter(conversation__user=user).order_by("model")
    return list(models.values_list("model", flat=True).distinct())


def count_deletable(user: User) -> int:
    """How many conversations of the list "delete all" would delete: those that no page has open."""
    idle = services.idle_conversations().filter(user=user)
    return idle.filter(history__isnull=False).count() + idle.filter(_is_spoken(), history=None).count()


def count_deletable_recordings(user: User) -> int:
    """How many recordings "delete all" would delete: those that no open conversation has attached."""
    idle = services.idle_conversations().filter(user=user).values("pk")
    open_ones = Conversation.objects.filter(user=user).exclude(pk__in=idle)
    staying = Attachment.objects.filter(recording=OuterRef("pk"), conversation__in=open_ones)
    return Recording.objects.filter(~Exists(staying), user=user).count()


def read(user: User, id: uuid.UUID) -> Record:
    """One conversation of a user. Raises `NotYours`."""
    conversation = get_conversation_for(user, id)
    history = CallHistory.objects.filter(conversation=conversation).defer("search_text").first()
    turns = list(conversation.turns.all())
    sessions = list(conversation.live_sessions.order_by("started_at"))
    events = list(conversation.events.select_related("live_session"))
    chain = chain_of(conversation)
    usage = _usage_of(chain)
    lines = tuple(_line(turn) for turn in turns if turn.text.strip())
    return Record(
        id=conversation.pk,
        title=(history.title if history else "") or title_from(first_words(lines)) or untitled(),
        mode=conversation.mode,
        is_over=conversation.status == Conversation.Status.ENDED,
        is_live=any(session.ended_at is None for session in sessions),
        started_at=conversation.started_at,
        until=conversation.ended_at or conversation.last_activity_at,
        models=_models(sessions, events),
        tokens=usage.get(conversation.pk, Tokens()),
        chain_tokens=sum(usage.values(), Tokens()),
        summary=_summary(history) if history else None,
        lines=lines,
        moments=timeline(_event(event) for event in events),
        recordings=tuple(
            Attached(str(recording.pk), recording.name, recording.duration_ms, bytes(recording.peaks))
            for recording in attached_to(id)
        ),
        pinned_at=conversation.pinned_at,
        **_neighbours(conversation),
    )


def _line(turn: Turn) -> Line:
    return Line(
        number=turn.number,
        role=turn.role,
        text=in_words(turn.text) if turn.role == Role.SYSTEM else turn.text,
        status=turn.status,
        at=turn.at,
        code=turn.code,
        heard=turn.heard,
        recordings=tuple(turn.recordings or ()),
        replaces=turn.replaces,
        withdrawn=turn.withdrawn,
        until=turn.until,
    )


@transaction.atomic
def delete(user: User, id: uuid.UUID) -> None:
    """Delete a conversation that no page has open. Raises `NotYours`, `StillOpen`."""
    conversation = get_conversation_for(user, id)
    # No live session begins in it between the look and the deletion.
    lines.lock_all(user.pk)
    Conversation.objects.select_for_update().filter(pk=conversation.pk).first()
    if conversation.live_sessions.filter(ended_at=None).exists():
        raise StillOpen
    services.delete_conversation(user, id)


# -- the list ----------------------------------------------------------------------------------------------------------


def _conditions(filters: Filters, prefix: str = "") -> Q:
    """What the filters ask of a conversation; `prefix` leads to it."""
    conditions = Q()
    if filters.mode:
        conditions &= Q(**{f"{prefix}mode": filters.mode})
    if filters.since is not None:
        conditions &= Q(**{f"{prefix}last_activity_at__gte": filters.since})
    if filters.before is not None:
        conditions &= Q(**{f"{prefix}started_at__lt": filters.before})
    if filters.model:
        sessions = LiveSession.objects.filter(conversation=OuterRef(f"{prefix}pk"), model=filters.model)
        conditions &= Q(Exists(sessions))
    return conditions


def _is_spoken() -> Exists:
    """Somebody said something."""
    return Exists(Turn.objects.filter(conversation=OuterRef("pk"), role__in=_SPOKEN))


def _entry(history: CallHistory, words: tuple[str, ...]) -> Entry:
    conversation = history.conversation
    summary = "\n".join([history.summary, *history.facts])
    is_found = bool(words) and has_hit(summary, words)
    return Entry(
        id=conversation.pk,
        title=history.title,
        mode=conversation.mode,
        started_at=conversation.started_at,
        until=conversation.ended_at or conversation.last_activity_at,
        is_over=conversation.status == Conversation.Status.ENDED,
        excerpt=passage(summary, words) if is_found else _pieces_of(history.summary),
        state=history.state,
        reason=history.reason,
    )


def _with_hits(entries: list[Entry], words: tuple[str, ...]) -> list[Entry]:
    found = hits.of_conversations([entry.id for entry in entries], words)
    return [
        replace(
            entry,
            title_pieces=marked(entry.title, words),
            hits=found[entry.id],
            excerpt=found[entry.id].shown[0].pieces if found[entry.id].shown else entry.excerpt,
        )
        for entry in entries
    ]


def _entries_without_history(ids: Iterable[uuid.UUID]) -> list[Entry]:
    rows = with_first_words(Conversation.objects.filter(pk__in=ids))
    return [
        Entry(
            id=conversation.pk,
            title=title_from(conversation.first_words) or untitled(),
            mode=conversation.mode,
            started_at=conversation.started_at,
            until=conversation.ended_at or conversation.last_activity_at,
            is_over=conversation.status == Conversation.Status.ENDED,
        )
        for conversation in rows.order_by("-last_activity_at")
    ]


def with_first_words(conversations: QuerySet[Conversation]) -> QuerySet[Any]:
    """With `first_words`, as `titles.first_words` has them. In the order in which they were begun."""
    said = Turn.objects.filter(conversation=OuterRef("pk"), withdrawn=False, text__regex=r"\S")
    spoken = said.order_by("number").values("text")
    by_user, by_model = (Subquery(spoken.filter(role=role)[:1]) for role in (Role.USER, Role.MODEL))
    words = Coalesce(by_user, by_model, Value(""), output_field=TextField())
    return conversations.annotate(first_words=words).order_by("started_at")


def _pieces_of(text: str) -> tuple[Piece, ...]:
    return (Piece(Truncator(" ".join(text.split())).chars(_EXCERPT_CHARACTERS)),) if text else ()


# -- one conversation --------------------------------------------------------------------------------------------------


def _models(sessions: Iterable[LiveSession], events: Iterable[SessionEvent]) -> tuple[str, ...]:
    """In the order in which they were used."""
    names = [session.model for session in sessions]
    names += [str(event.data.get("model", "")) for event in events if event.kind in _LEVEL_CHANGES]
    return tuple(dict.fromkeys(name for name in names if name))


def _event(row: SessionEvent) -> Event:
    return Event(row.at, row.kind, row.data, row.live_session.model if row.live_session else "")


def _summary(history: CallHistory) -> WrittenSummary:
    return WrittenSummary(
        state=SummaryState(history.state).value,
        text=history.summary,
        open_points=tuple(history.open_points),
        facts=tuple(history.facts),
        reason=history.reason,
        model=history.model,
    )


def _neighbours(conversation: Conversation) -> dict[str, Any]:
    """The fields of a record that lead to others."""
    before = [id for id in (conversation.continues_id, conversation.goes_on_from_id) if id is not None]
    beside = Q(continues=conversation) | Q(goes_on_from=conversation) | Q(pk__in=before)
    rows = list(with_first_words(Conversation.objects.filter(beside)).annotate(given=F("history__title")))
    titles = {row.pk: row.given or title_from(row.first_words) or untitled() for row in rows}
    found = {row.pk: Neighbour(row.pk, titles[row.pk], row.started_at) for row in rows}
    return {
        "earlier": found.get(conversation.continues_id),
        "later": tuple(found[row.pk] for row in rows if row.continues_id == conversation.pk),
        "goes_on_from": found.get(conversation.goes_on_from_id),
        "went_on_in": tuple(found[row.pk] for row in rows if row.goes_on_from_id == conversation.pk),
    }


def _usage_of(conversation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Tokens]:
    """What the turns of each conversation took. While there are no prices nothing is told of what it cost."""
    has_prices = bool(parse_prices(settings.TOKEN_PRICES).prices)
    return {
        id: Tokens(total.input_tokens, total.output_tokens, total.cost_micro_usd if has_prices else 0)
        for id, total in totals_of_conversations(conversation_ids).items()
    }
