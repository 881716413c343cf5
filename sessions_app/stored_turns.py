"""The stored turns of a conversation, read in pieces: what is read does not grow with the conversation."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from sessions_app.chains import chain_of, chain_of_id
from sessions_app.live.context import select_newest
from sessions_app.live.page import EarlierTurns
from sessions_app.live.transcript import NO_ANSWER_CODES, Role, TurnStatus
from sessions_app.live.transcript import Turn as SpokenTurn
from sessions_app.live.turn_window import TURNS_AT_ONCE, TurnWindow, newest_window
from sessions_app.models import Conversation, Turn

_ROWS = TURNS_AT_ONCE + 1
"""In one query: a full window, and the row that tells that there are more."""

_ENDS_EXCHANGE = Q(role=Role.MODEL, status=TurnStatus.COMPLETE) | Q(role=Role.SYSTEM, code__in=NO_ANSWER_CODES)
"""As `transcript.Turn.ends_exchange`."""

_ROWS_AT_ONCE = 20
"""Brought over from the database: they may have 32,000 characters each, and fill a window by themselves."""


@transaction.atomic
def load_past(conversation: Conversation, page_id: uuid.UUID) -> tuple[tuple[SpokenTurn, ...], EarlierTurns]:
    """The newest turns of a conversation and of those it continues, and what must be known of the earlier ones.

    Numbers run through. Ids of typed messages are those of the page life `page_id`: they are unique in a page only.
    """
    chain = chain_of(conversation)
    window = newest_window(_newest_first(chain, page_id))
    if not window.more:
        return window.turns, EarlierTurns()
    first = window.turns[0].number
    before = Turn.objects.filter(conversation__in=chain, number__lt=first)
    whole = [turn.number for turn in window.turns if turn.ends_exchange]
    has_reply = bool(whole) or any(turn.role is Role.MODEL for turn in window.turns)
    last_whole = -1 if whole else _last_number(before.filter(_ENDS_EXCHANGE))
    until = max([*whole, last_whole])
    return window.turns, EarlierTurns(
        exist=True,
        spoken=_spoken_before(chain, page_id, window.turns, until if until >= 0 else window.turns[-1].number),
        typed=dict(before.filter(page_id=page_id).exclude(client_id="").values_list("client_id", "number")),
        last_reply=-1 if has_reply else _last_number(before.filter(_ENDS_EXCHANGE | Q(role=Role.MODEL))),
        last_whole_reply=last_whole,
    )


@transaction.atomic
def turns_before(conversation_id: uuid.UUID, page_id: uuid.UUID, number: int) -> TurnWindow:
    """The turns of a conversation, and of those it continues, just before the turn of this number.

    `page_id` as for `load_past`. Whoever asks has made sure whose conversation it is.
    """
    return newest_window(_newest_first(chain_of_id(conversation_id), page_id, number))


def spoken_turn(turn: Turn, page_id: uuid.UUID | None) -> SpokenTurn:
    """A row as the core knows it; the id of a typed message is that of one page life only."""
    return SpokenTurn(
        number=turn.number,
        role=Role(turn.role),
        text=turn.text,
        status=TurnStatus(turn.status),
        at_ms=int(turn.at.timestamp() * 1000),
        id=turn.client_id if turn.page_id == page_id else "",
        code=turn.code,
        heard=turn.heard,
        recordings=tuple(turn.recordings or ()),
        until_ms=None if turn.until is None else int(turn.until.timestamp() * 1000),
        replaces=turn.replaces,
        withdrawn=turn.withdrawn,
    )


def _spoken_before(
    chain: list[uuid.UUID], page_id: uuid.UUID, loaded: tuple[SpokenTurn, ...], until: int
) -> tuple[SpokenTurn, ...]:
    """Of the turns before those that are loaded, the ones that a session without memory is told.

    What comes after the last whole reply, `until`, counts for nothing here: it may not be settled, and its place in
    the context is then taken by what came before.
    """
    first = loaded[0].number
    newest_first = itertools.chain(reversed(loaded), _newest_first(chain, page_id, first))
    told = select_newest(turn for turn in newest_first if turn.number <= until)
    return tuple(turn for turn in told if turn.number < first)


def _newest_first(chain: list[uuid.UUID], page_id: uuid.UUID, before: int | None = None) -> Iterator[SpokenTurn]:
    """Every turn, or every one before a number, each piece of them read when it is come to."""
    while True:
        count = 0
        for row in _piece(chain, before).iterator(chunk_size=_ROWS_AT_ONCE):
            count += 1
            before = row.number
            yield spoken_turn(row, page_id)
        if count < _ROWS:
            return


def _piece(chain: list[uuid.UUID], before: int | None) -> QuerySet[Turn]:
    """The newest rows before a number.

    Of one conversation they stand together in the index of its turns. Of several the database would sort all turns of
    all of them, were it not told from which number on the newest must be.
    """
    rows = Turn.objects.order_by("-number")
    if before is not None:
        rows = rows.filter(number__lt=before)
    if len(chain) > 1:
        nth = rows.filter(conversation=OuterRef("pk")).values("number")[_ROWS - 1 : _ROWS]
        links = Conversation.objects.filter(pk__in=chain).annotate(nth=Subquery(nth))
        floor = links.aggregate(floor=Max("nth"))["floor"]
        rows = rows if floor is None else rows.filter(number__gte=floor)
    return rows.filter(conversation__in=chain)[:_ROWS]


def _last_number(rows: QuerySet[Turn]) -> int:
    """The highest number of these rows; -1 when there are none."""
    last = rows.order_by("-number").values_list("number", flat=True).first()
    return -1 if last is None else last
