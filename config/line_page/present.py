"""What holds at this moment: who talks, which workers live, which models are spent, which summaries wait."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.line_page.clock import Clock
from config.line_page.figures import Figure, MaySee, figure, row_url
from energy.ladders import projects_in_use
from energy.levels import Reason
from energy.marking import gettext_noop
from energy.models import EnergyChange, EnergyState, LiveSlot, ModelQuota
from energy.queue import GONE_AFTER
from sessions_app.lines import DEAD_AFTER
from sessions_app.models import Conversation, LiveSession, Worker
from summarization.models import CallHistory, SummaryState

ROWS_SHOWN = 50
"""Of workers and of models, each; more are counted."""


HEARD, LEAVING = gettext_noop("heard"), gettext_noop("leaving")
SILENT, GONE = gettext_noop("silent"), gettext_noop("gone")
"""What a worker is like, as the template has it translated."""


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker, or the name of one that holds sessions and has no row. `silent_s`: seconds since its last heartbeat,
    None for one that has no row; `held`: its open sessions, None where they may not be seen."""

    name: str
    state: str
    is_well: bool
    silent_s: float | None
    started_at: datetime.datetime | None
    held: Figure | None


@dataclass(frozen=True, slots=True)
class Workers:
    figures: Sequence[Figure]
    lines: Sequence[WorkerLine]
    left_out: int

    @property
    def has_gone(self) -> bool:
        return any(line.state == "gone" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Spent:
    """A model that may not be dialled."""

    quota: ModelQuota
    url: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """`spent` is empty where nothing is, and None where that may not be seen."""

    figures: Sequence[Figure]
    spent: Sequence[Spent] | None
    left_out: int


def live(may_see: MaySee, clock: Clock) -> list[Figure]:
    """Who talks, who waits, and how many conversations began today."""
    figures: list[Figure] = []
    if may_see(LiveSession):
        of_mode = Counter(
            dict(
                LiveSession.objects.filter(ended_at=None)
                .order_by()
                .values_list("conversation__mode")
                .annotate(Count("pk"))
            )
        )
        is_open = {"ended_at__isempty": True}
        open_words = ngettext("session open", "sessions open", of_mode.total())
        call_words = ngettext("of them a call", "of them calls", of_mode["call"])
        chat_words = ngettext("of them a text chat", "of them text chats", of_mode["text"])
        figures += [
            figure(of_mode.total(), open_words, LiveSession, **is_open),
            figure(of_mode["call"], call_words, LiveSession, **is_open, conversation__mode__exact="call"),
            figure(of_mode["text"], chat_words, LiveSession, **is_open, conversation__mode__exact="text"),
        ]
    if may_see(LiveSlot):
        seen_since = clock.now - GONE_AFTER
        places = LiveSlot.objects.filter(seen_at__gte=seen_since).aggregate(
            taken=Count("pk", filter=Q(granted_at__isnull=False)), waiting=Count("pk", filter=Q(granted_at=None))
        )
        present = {"seen_at__gte": seen_since}
        figures += [
            figure(places["taken"], _places_taken(places["taken"]), LiveSlot, **present, granted_at__isnull=False),
            figure(places["waiting"], _("waiting for a place"), LiveSlot, **present, granted_at__isnull=True),
        ]
    if may_see(Conversation):
        today = {"started_at__gte": clock.day[0], "started_at__lt": clock.day[1]}
        begun = Conversation.objects.filter(**today).count()
        begun_words = ngettext("conversation begun today", "conversations begun today", begun)
        figures.append(figure(begun, begun_words, Conversation, **today))
    return figures


def _places_taken(taken: int) -> str:
    if not settings.LIVE_SESSIONS_MAX:
        return ngettext("place taken", "places taken", taken)
    # Translators: beneath a number; such as 12 "places taken of 50".
    words = ngettext("place taken of %(all)s", "places taken of %(all)s", taken)
    return words % {"all": settings.LIVE_SESSIONS_MAX}


def workers(may_see: MaySee) -> Workers | None:
    """The web processes and their heartbeats, those first that are not well."""
    if not may_see(Worker):
        return None
    held: dict[str, int] | None = None
    if may_see(LiveSession):
        held = dict(LiveSession.objects.filter(ended_at=None).order_by().values_list("owner").annotate(Count("pk")))
    lines = [_line_of(worker, held) for worker in Worker.objects.annotate(now=Now())]
    known = {line.name for line in lines}
    lines += [WorkerLine(name, GONE, False, None, None, _held(name, held)) for name in held or () if name not in known]
    lines.sort(key=lambda line: (line.is_well, line.name))
    heard = sum(line.silent_s is not None and line.silent_s < DEAD_AFTER.total_seconds() for line in lines)
    rows = sum(line.silent_s is not None for line in lines)
    leaving = sum(line.state == LEAVING for line in lines)
    figures = [
        figure(heard, ngettext("worker heard", "workers heard", heard), Worker, heartbeat="heard"),
        figure(rows - heard, ngettext("worker silent", "workers silent", rows - heard), Worker, heartbeat="missed"),
        figure(leaving, _("leaving"), Worker, heartbeat="heard", leaving_at__isempty=False),
    ]
    return Workers(figures, lines[:ROWS_SHOWN], len(lines[ROWS_SHOWN:]))


def _line_of(worker: Worker, held: dict[str, int] | None) -> WorkerLine:
    silent_s = (worker.now - worker.seen_at).total_seconds()  # type: ignore[attr-defined]
    is_heard = silent_s < DEAD_AFTER.total_seconds()
    state = SILENT if not is_heard else LEAVING if worker.leaving_at else HEARD
    held_here = _held(worker.name, held)
    return WorkerLine(worker.name, state, state == HEARD, max(0.0, silent_s), worker.started_at, held_here)


def _held(name: str, held: dict[str, int] | None) -> Figure | None:
    if held is None:
        return None
    return figure(held.get(name, 0), _("sessions"), LiveSession, ended_at__isempty=True, owner=name)


def ledger(may_see: MaySee, clock: Clock) -> Ledger:
    """What is known of the project's quotas, and what it did to users."""
    figures: list[Figure] = []
    spent: list[Spent] | None = None
    left_out = 0
    if may_see(ModelQuota):
        projects = sorted(projects_in_use())
        is_spent = {"spent_since__isnull": False, "restored_at__isnull": True}
        quotas = list(ModelQuota.objects.filter(project__in=projects, **is_spent).order_by("-spent_since"))
        figures.append(figure(len(quotas), _("models spent"), ModelQuota, project__in=",".join(projects), **is_spent))
        spent = [Spent(quota, row_url(ModelQuota, quota.pk)) for quota in quotas[:ROWS_SHOWN]]
        left_out = len(quotas[ROWS_SHOWN:])
    if may_see(EnergyChange):
        today = {"at__gte": clock.day[0], "at__lt": clock.day[1]}
        changes = dict(EnergyChange.objects.filter(**today).order_by().values_list("reason").annotate(Count("pk")))
        figures += [
            figure(changes.get(reason, 0), words, EnergyChange, **today, reason__exact=reason.value)
            for reason, words in (
                (Reason.RATE_LIMIT_EXCEEDED, _("steps down today, by the provider")),
                (Reason.QUOTA_RESET, _("steps up today, quota returned")),
            )
        ]
    if may_see(EnergyState):
        empty = EnergyState.objects.filter(level=0).count()
        figures.append(figure(empty, _("users at level 0"), EnergyState, level=0))
    return Ledger(figures, spent, left_out)


def summaries(may_see: MaySee) -> list[Figure]:
    """What the background workers are at, and what they have given up."""
    if not may_see(CallHistory):
        return []
    wanted = (SummaryState.PENDING, SummaryState.FAILED)
    of_state = Counter(
        dict(CallHistory.objects.filter(state__in=wanted).order_by().values_list("state").annotate(Count("pk")))
    )
    running = CallHistory.objects.filter(claimed_until__gt=Now()).count()
    return [
        figure(of_state["pending"], _("summaries to be written"), CallHistory, state__exact="pending"),
        figure(running, _("being written"), CallHistory, claim="running"),
        figure(of_state["failed"], _("failed"), CallHistory, state__exact="failed"),
    ]
