"""The figures that are looked up when somebody asks: how things stand, in this process and in the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from config.metrics.figures import MODES
from config.metrics.rows import Rows
from energy.ladders import ladder_of
from energy.levels import Mode, models_of
from energy.quota import LimitKind, ModelState
from sessions_app.live.machine.events import State

NO_MODEL = "none"

Labels = TypeVar("Labels", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Standing:
    """How this process stands. `sessions`: live ones by mode, model and state, see `SessionRegistry.standing`.
    `rows`: None while the database is away."""

    sessions: Mapping[tuple[Mode, str, State], int]
    pages: int
    is_leaving: bool
    rows: Rows | None
    channel_layer_answers: bool


class StandingCollector(Collector):
    """Shows one `Standing`."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterable[Metric]:
        yield from _of_process(self._standing)
        if self._standing.rows is not None:
            yield from _of_rows(self._standing.rows)


def _of_process(standing: Standing) -> Iterator[Metric]:
    models = (*models_of(settings.ENERGY_LADDERS), NO_MODEL)
    sessions = {(mode, model, state): 0 for mode in MODES for model in models for state in State}
    for (mode, model, state), count in standing.sessions.items():
        sessions[mode, model or NO_MODEL, state] = count
    yield _gauge("live_sessions", "Live sessions that this process holds.", ("mode", "model", "state"), sessions)
    yield _single("open_pages", "Pages that are connected to this process.", standing.pages)
    yield _single("leaving", "1 once this process takes no new sessions.", standing.is_leaving)
    yield _single("database_up", "1 when the database answered.", standing.rows is not None)
    yield _single("channel_layer_up", "1 when the channel layer (Redis) answered.", standing.channel_layer_answers)


def _of_rows(rows: Rows) -> Iterator[Metric]:
    yield _single("web_workers", "Web processes whose heartbeat is heard.", rows.workers)
    levels = {(mode, str(level)): 0 for mode in MODES for level in range(ladder_of(mode).top.number + 1)}
    levels |= {(Mode(mode), str(level)): count for (mode, level), count in rows.levels.items()}
    yield _gauge("users_at_level", "Users by the level that their mode was at last.", ("mode", "level"), levels)
    yield from _of_ledger(rows.ledger)
    waiting = rows.queue.items()
    yield _gauge("queue_length", "Who waits for a place.", ("mode",), {(mode,): each.count for mode, each in waiting})
    yield _gauge(
        "queue_longest_wait_seconds",
        "How long who waits longest has waited.",
        ("mode",),
        {(mode,): each.longest_s for mode, each in waiting},
    )
    yield _single("places_taken", "Live sessions that have a place in the budget.", rows.places_taken)
    yield _single("places_limit", "The budget, LIVE_SESSIONS_MAX; 0 for none.", settings.LIVE_SESSIONS_MAX)
    yield _gauge(
        "tokens_today",
        "Tokens of all turns since the server's day began.",
        ("model", "direction", "modality"),
        {(model, *kind): count for model, spent in rows.spent_today.items() for kind, count in spent.tokens.items()},
    )
    yield _gauge(
        "cost_today_dollars",
        "What they cost by TOKEN_PRICES.",
        ("model",),
        {(model,): spent.cost_micro_usd / 1_000_000 for model, spent in rows.spent_today.items()},
    )
    work = rows.summaries.items()
    yield _gauge(
        "summaries_overdue",
        "Summaries that could be worked at, and are not.",
        ("kind",),
        {(kind,): each.overdue.count for kind, each in work},
    )
    yield _gauge(
        "summaries_longest_overdue_seconds",
        "For how long the oldest of them.",
        ("kind",),
        {(kind,): each.overdue.longest_s for kind, each in work},
    )
    yield _gauge(
        "summaries_in_hand", "Summaries somebody is at.", ("kind",), {(kind,): each.in_hand for kind, each in work}
    )
    yield _single("summaries_failed", "Conversations whose summary has failed.", sum(each.failed for _, each in work))


def _of_ledger(ledger: Mapping[str, ModelState]) -> Iterator[Metric]:
    spent = {
        (model, kind): state.is_spent and state.kind is kind for model, state in ledger.items() for kind in LimitKind
    }
    yield _gauge("model_spent", "1 while a model is held back by a limit.", ("model", "limit"), spent)
    resets = {
        (model,): state.resets_at.timestamp() if state.is_spent and state.resets_at is not None else 0
        for model, state in ledger.items()
    }
    yield _gauge("model_resets_timestamp_seconds", "When it is expected back; 0 when it is there.", ("model",), resets)


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Mapping[Labels, float | bool]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"holdline_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def _single(name: str, text: str, value: float | bool) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"holdline_{name}", text, value=float(value))
