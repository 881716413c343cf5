"""What the rows say, which all processes share: levels, ledger, queue, tokens of the day, summaries. For a thread."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from energy import ledger
from energy.days import day_of
from energy.levels import Mode, models_of
from energy.models import EnergyState, LiveSlot
from energy.queue import GONE_AFTER
from energy.quota import ModelState
from sessions_app import lines
from sessions_app.claimable import Claimable
from sessions_app.models import RecordingUsage, TurnUsage
from summarization import claims
from summarization.models import CallHistory, RollingSummary, SummaryState

STATEMENT_LIMIT_MS = 2_000

TOKENS = (
    ("input", "text", "input_text_tokens"),
    ("input", "audio", "input_audio_tokens"),
    ("output", "text", "output_text_tokens"),
    ("output", "audio", "output_audio_tokens"),
)
"""Direction, modality, and the column of the tables of usage. Other modalities are in the sums alone."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a model took and cost since the day began: tokens by direction and modality."""

    tokens: Mapping[tuple[str, str], int]
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """`longest_s`: of those who wait, the longest; 0 when nobody does."""

    count: int
    longest_s: float


@dataclass(frozen=True, slots=True)
class SummaryWork:
    """`overdue`: what could be worked at and is not. `in_hand`: what somebody is at. `failed`: given up, or between two
    of the late tries."""

    overdue: Waiting
    in_hand: int
    failed: int


@dataclass(frozen=True, slots=True)
class Rows:
    """All of it, as of one moment."""

    levels: Mapping[tuple[str, int], int]
    ledger: Mapping[str, ModelState]
    queue: Mapping[str, Waiting]
    places_taken: int
    spent_today: Mapping[str, Spent]
    summaries: Mapping[str, SummaryWork]
    workers: int


def read_rows() -> Rows:
    """A fixed number of queries, whatever there is. Raises what the database raises, soon where that is PostgreSQL."""
    if connection.vendor != "postgresql":
        return _read()  # a transaction on SQLite would take the lock that writers wait for
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(STATEMENT_LIMIT_MS)])
        return _read()


def _read() -> Rows:
    now = timezone.now()
    queue, places_taken = _slots(now)
    return Rows(
        levels={
            (mode, level): count
            for mode, level, count in EnergyState.objects.order_by().values_list("mode", "level").annotate(Count("pk"))
        },
        ledger=ledger.states_of(models_of(settings.ENERGY_LADDERS)),
        queue=queue,
        places_taken=places_taken,
        spent_today=_spent_since(day_of(now, settings.TIME_ZONE)[0]),
        summaries={
            "call": _work(CallHistory, now, failed=Q(state=SummaryState.FAILED)),
            "rolling": _work(RollingSummary, now),
        },
        workers=lines.living_workers().count(),
    )


def _slots(now: datetime.datetime) -> tuple[dict[str, Waiting], int]:
    """Who waits for a place, and how many have one."""
    waiting = Q(granted_at=None)
    present = LiveSlot.objects.filter(seen_at__gte=now - GONE_AFTER).order_by().values("mode")
    rows = {
        row["mode"]: row
        for row in present.annotate(
            waits=Count("pk", filter=waiting), taken=Count("pk", filter=~waiting), since=Min("asked_at", filter=waiting)
        )
    }
    queue = {mode.value: _waiting(rows.get(mode.value, {}), "waits", "since", now) for mode in Mode}
    return queue, sum(row["taken"] for row in rows.values())


def _spent_since(begin: datetime.datetime) -> dict[str, Spent]:
    """By model of a ladder; those of others together are `other`."""
    sums = {name: Sum(name) for *_, name in TOKENS}
    counted = [
        usages.objects.filter(at__gte=begin).order_by().values_list("model").annotate(Sum("cost_micro_usd"), **sums)
        for usages in (TurnUsage, RecordingUsage)
    ]
    nothing = Spent({(way, kind): 0 for way, kind, _ in TOKENS}, 0)
    spent = dict.fromkeys((*models_of(settings.ENERGY_LADDERS), "other"), nothing)
    for model, cost, *counts in chain.from_iterable(counted):
        name = model if model in spent else "other"
        before = spent[name]
        tokens = {
            (way, kind): before.tokens[way, kind] + count for (way, kind, _), count in zip(TOKENS, counts, strict=True)
        }
        spent[name] = Spent(tokens, before.cost_micro_usd + cost)
    return spent


def _work(model: type[Claimable], now: datetime.datetime, failed: Q | None = None) -> SummaryWork:
    overdue = claims.may_be_taken(now)
    row = model._default_manager.aggregate(
        waits=Count("pk", filter=overdue),
        since=Min("due_at", filter=overdue),
        in_hand=Count("pk", filter=Q(claimed_until__isnull=False)),
        failed=Count("pk", filter=failed if failed is not None else Q(pk=None)),
    )
    return SummaryWork(_waiting(row, "waits", "since", now), row["in_hand"], row["failed"])


def _waiting(row: Mapping[str, Any], count: str, since: str, now: datetime.datetime) -> Waiting:
    begun = row.get(since)
    return Waiting(row.get(count, 0), max(0.0, (now - begun).total_seconds()) if begun is not None else 0.0)
