"""What turns cost, and the work on recordings, and whether a user has had their share: the only writer of `TurnUsage`
and `RecordingUsage`."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Count, F, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Concat, TruncDate
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from energy.days import day_of
from energy.fair_use import Allowance, FairUseRefusal, Used, refusal_of
from energy.levels import Mode
from energy.services import cost_micro_usd
from energy.usage import AUDIO, TEXT, Report, TurnTokens, turns_of
from sessions_app.models import LiveSession, RecordingUsage, TurnUsage

SMALLEST_SHOWN_MICRO_USD = 100

_COUNTS = (
    "input_tokens",
    "input_text_tokens",
    "input_audio_tokens",
    "input_tool_use_tokens",
    "input_cached_tokens",
    "output_tokens",
    "output_text_tokens",
    "output_audio_tokens",
    "cost_micro_usd",
)
_TURN = Concat("conversation_id", Value(" "), "turn", output_field=CharField())
"""What a turn is told by. It may have several rows: of each model that had a part in it, of each connection that gave
it."""

_REPORTED_ANEW = ("model", "report", *_COUNTS)


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What several turns took and cost. Modalities other than text and audio are in the sums alone.

    Results of tools and what was cached are parts of what was taken in, of whatever modality.
    """

    turns: int = 0
    input_tokens: int = 0
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    input_tool_use_tokens: int = 0
    input_cached_tokens: int = 0
    output_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    cost_micro_usd: int = 0

    def __add__(self, other: UsageTotal) -> UsageTotal:
        return UsageTotal(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


# -- writing -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_usage(
    conversation_id: str, session_id: str, connection: int, turn: int, model: str, report: dict[str, Any]
) -> None:
    """Keep what the provider reported of a turn; of a turn that is reported again the latest counts.

    The first reports of a connection cannot tell how they are meant, so those before this one may be restated.

    Args:
        connection: which one of the live session: reports that add up do so over a connection.
        turn: the number of the model's turn.
        report: `sessions_app.live.providers.upstream.UsageReported.as_data()`.
    """
    row = TurnUsage(
        conversation_id=uuid.UUID(conversation_id),
        live_session_id=uuid.UUID(session_id),
        connection=connection,
        turn=turn,
        model=model,
        report=report,
    )
    others = TurnUsage.objects.filter(live_session_id=row.live_session_id, connection=connection).exclude(turn=turn)
    rows = sorted([*others, row], key=lambda each: each.turn)
    counted = turns_of([Report.of(each.report) for each in rows])
    changed = [each for each, tokens in zip(rows, counted, strict=True) if _restate(each, tokens)]
    TurnUsage.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["live_session", "connection", "turn"],
        update_fields=_REPORTED_ANEW,  # not its time: it belongs to the day on which it was reported first
    )
    restated = [each for each in changed if each is not row]
    if restated:
        TurnUsage.objects.bulk_update(restated, _COUNTS)


def save_recording_usage(user_id: int, recording_id: uuid.UUID, model: str, report: dict[str, Any]) -> None:
    """Keep what one request about a recording took that is part of no conversation. `report`: as for `save_usage`."""
    row = RecordingUsage(user_id=user_id, recording_id=recording_id, model=model, report=report)
    (tokens,) = turns_of([Report.of(report)])
    row.cost_micro_usd = 0
    _restate(row, tokens)
    row.save()


def _restate(row: TurnUsage | RecordingUsage, tokens: TurnTokens) -> bool:
    """Set the counts of a row; whether that changed them."""
    counts = {
        "input_tokens": sum(tokens.input.values()),
        "input_text_tokens": tokens.input.get(TEXT, 0),
        "input_audio_tokens": tokens.input.get(AUDIO, 0),
        "input_tool_use_tokens": sum(tokens.tool_use.values()),
        "input_cached_tokens": sum(tokens.cached.values()),
        "output_tokens": sum(tokens.output.values()),
        "output_text_tokens": tokens.output.get(TEXT, 0),
        "output_audio_tokens": tokens.output.get(AUDIO, 0),
    }
    if all(getattr(row, name) == count for name, count in counts.items()):
        return False
    for name, count in counts.items():
        setattr(row, name, count)
    row.cost_micro_usd = cost_micro_usd(row.model, tokens)
    return True


# -- fair use ----------------------------------------------------------------------------------------------------------


def fair_use_refusal(
    user_id: int, mode: Mode, now: datetime.datetime, except_session: uuid.UUID | None = None
) -> FairUseRefusal | None:
    """Why a user may not begin a session of this mode, or go on with `except_session`; None when they may.

    Asks the database only where the settings set a limit.
    """
    if not is_limited():
        return None
    used = used_today(user_id, mode, now, except_session)
    return refusal_of(used, _allowance(), mode, now, settings.TIME_ZONE)


def is_limited() -> bool:
    """Whether the settings set a limit for users."""
    return _allowance() != Allowance()


def _allowance() -> Allowance:
    return Allowance(
        settings.FAIR_USE_CALL_MINUTES_PER_DAY, settings.FAIR_USE_SESSIONS, settings.FAIR_USE_TOKENS_PER_DAY
    )


def used_today(user_id: int, mode: Mode, now: datetime.datetime, except_session: uuid.UUID | None = None) -> Used:
    """What a user has used on the server's day so far. Time of call is counted only when a call is asked for.

    Args:
        except_session: the one that is asked for; its time and its tokens count, it is not another one open.
    """
    begins, ends = day_of(now, settings.TIME_ZONE)
    sessions = LiveSession.objects.filter(conversation__user_id=user_id)
    open_ones = sessions.filter(ended_at=None)
    usages = usages_of_user(user_id).filter(at__gte=begins, at__lt=ends)
    of_recordings = RecordingUsage.objects.filter(user=user_id, at__gte=begins, at__lt=ends).order_by()
    work = of_recordings.aggregate(tokens=Coalesce(Sum(F("input_tokens") + F("output_tokens")), 0))
    return Used(
        call_seconds_today=_call_seconds(sessions, begins, now) if mode is Mode.CALL else 0,
        sessions_open=(open_ones.exclude(pk=except_session) if except_session else open_ones).count(),
        tokens_today=total(usages).tokens + work["tokens"],
    )


def _call_seconds(sessions: QuerySet[LiveSession], since: datetime.datetime, now: datetime.datetime) -> float:
    """How long calls went on between two moments; an open one goes on still."""
    calls = sessions.filter(conversation__mode=Mode.CALL, started_at__lt=now).exclude(ended_at__lte=since)
    return sum(
        (min(ended_at or now, now) - max(started_at, since)).total_seconds()
        for started_at, ended_at in calls.values_list("started_at", "ended_at")
    )


# -- totals ------------------------------------------------------------------------------------------------------------


def usages_of_user(user_id: int) -> QuerySet[TurnUsage]:
    """The turns of all conversations of a user; see the totals below."""
    return TurnUsage.objects.filter(conversation__user_id=user_id)


def total(usages: QuerySet[TurnUsage]) -> UsageTotal:
    """What these turns took in all."""
    return _total(usages.order_by().aggregate(**_sums()))


def totals_of_conversations(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, UsageTotal]:
    """What each conversation took; one without a report is left out."""
    usages = TurnUsage.objects.filter(conversation__in=ids)
    return {sums["group"]: _total(sums) for sums in _grouped(usages, F("conversation"))}


def totals_per_day(usages: QuerySet[TurnUsage]) -> list[tuple[datetime.date, UsageTotal]]:
    """What these turns took on each of the server's days, the last day first; days without a turn are left out."""
    days = _grouped(usages, TruncDate("at", tzinfo=ZoneInfo(settings.TIME_ZONE)))
    return [(sums["group"], _total(sums)) for sums in days.order_by("-group")]


def totals_per_user(usages: QuerySet[TurnUsage]) -> list[tuple[str, UsageTotal]]:
    """What these turns took for each user, by name; who cost most first."""
    tokens = F("sum_of_input_tokens") + F("sum_of_output_tokens")
    users = _grouped(usages, F("conversation__user__username"))
    return [(sums["group"], _total(sums)) for sums in users.order_by("-sum_of_cost_micro_usd", tokens.desc(), "group")]


def in_dollars(cost_micro_usd: int) -> str:
    """Such as "$0.0123"; turns cost fractions of a cent."""
    dollars = Decimal(cost_micro_usd) / 1_000_000
    if 0 < cost_micro_usd < SMALLEST_SHOWN_MICRO_USD:
        return _("under %(cost)s") % {"cost": in_dollars(SMALLEST_SHOWN_MICRO_USD)}
    # Translators: an amount of dollars, as it is written in your language.
    return _("$%(amount)s") % {"amount": number_format(round(dollars, 4), 4, force_grouping=True)}


def _grouped(usages: QuerySet[TurnUsage], key: F | TruncDate) -> QuerySet[Any, Any]:
    """The sums of each group of turns, under the names that `_total` reads."""
    return usages.order_by().values(group=key).annotate(**_sums())


def _sums() -> dict[str, Any]:
    return {"sum_of_turns": Count(_TURN, distinct=True), **{f"sum_of_{name}": Sum(name) for name in _COUNTS}}


def _total(sums: dict[str, Any]) -> UsageTotal:
    return UsageTotal(**{name: sums[f"sum_of_{name}"] or 0 for name in ("turns", *_COUNTS)})
