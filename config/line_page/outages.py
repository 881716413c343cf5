"""What went wrong last, newest first: connections that broke, workers that were lost, models that were spent."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, TruncHour
from django.utils.translation import gettext as _

from config.line_page.clock import Clock
from config.line_page.figures import Figure, MaySee, figure
from energy.ladders import projects_in_use
from energy.marking import gettext_noop
from energy.models import ModelQuota
from sessions_app.models import LiveSession, SessionEvent

SHOWN = 20
DAYS = 7

WORDS = {
    "connection_lost": gettext_noop("Connections broke"),
    "connection_abandoned": gettext_noop("Connections given up as dead"),
    "memory_lost": gettext_noop("The provider had forgotten what it resumed"),
    "failed": gettext_noop("Sessions gave up dialling"),
    "exhausted": gettext_noop("Sessions were left without a model"),
    "level_lowered": gettext_noop("Sessions moved down to another model"),
}
"""The kinds of events that are trouble, in words."""

OF_MODEL = "level_lowered"
"""Says to which model; the others, if anything, for what reason."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Trouble of one kind within an hour, from `began_at` until `ended_at`, or a model that was spent. `hit`: the
    sessions it hit, None where that cannot be said."""

    began_at: datetime.datetime
    ended_at: datetime.datetime
    words: str
    detail: str
    rows: Figure
    hit: Figure | None


def last_outages(may_see: MaySee, clock: Clock) -> list[Outage] | None:
    """Of the last seven days, the newest; None for somebody who may see nothing of them."""
    if not any(map(may_see, (SessionEvent, LiveSession, ModelQuota))):
        return None
    since, zone = clock.days_ago(DAYS - 1), ZoneInfo(clock.zone)
    found: list[Outage] = []
    if may_see(SessionEvent):
        found += _of_connections(since, zone, may_see(LiveSession))
    if may_see(LiveSession):
        found += _of_workers(since, zone)
    if may_see(ModelQuota):
        found += _of_models(since)
    return sorted(found, key=lambda outage: outage.ended_at, reverse=True)[:SHOWN]


def _of_connections(since: datetime.datetime, zone: ZoneInfo, may_see_sessions: bool) -> Iterator[Outage]:
    groups = (
        SessionEvent.objects.filter(kind__in=WORDS, at__gte=since)
        .order_by()
        .annotate(hour=TruncHour("at", tzinfo=zone), detail=Coalesce(KT("data__reason"), KT("data__model")))
        .values("hour", "kind", "detail")
        .annotate(times=Count("pk"), sessions=Count("live_session", distinct=True), first=Min("at"), last=Max("at"))
        .order_by("-last")[:SHOWN]
    )
    for group in groups:
        name = "model" if group["kind"] == OF_MODEL else "reason"
        detail = group["detail"]
        told = f"data__{name}" if detail is not None else f"data__{name}__isnull"
        filters = {
            "kind": group["kind"],
            told: True if detail is None else detail,
            "at__gte": group["first"],
            "at__lte": group["last"],
        }
        rows = figure(group["times"], "event", SessionEvent, **filters)
        hit = None
        if may_see_sessions:
            of_events = {f"events__{lookup}": value for lookup, value in filters.items()}
            hit = figure(group["sessions"], "session", LiveSession, **of_events)
        yield Outage(group["first"], group["last"], _(WORDS[group["kind"]]), detail or "", rows, hit)


def _of_workers(since: datetime.datetime, zone: ZoneInfo) -> Iterator[Outage]:
    lost = LiveSession.objects.filter(end_reason=LiveSession.OWNER_LOST, ended_at__gte=since)
    groups = (
        lost.order_by()
        .annotate(hour=TruncHour("ended_at", tzinfo=zone))
        .values("hour", "owner")
        .annotate(sessions=Count("pk"), first=Min("ended_at"), last=Max("ended_at"))
        .order_by("-last")[:SHOWN]
    )
    for group in groups:
        hit = figure(
            group["sessions"],
            "session",
            LiveSession,
            end_reason=LiveSession.OWNER_LOST,
            owner=group["owner"],
            ended_at__gte=group["first"],
            ended_at__lte=group["last"],
        )
        yield Outage(group["first"], group["last"], _("A worker was lost with what it held"), group["owner"], hit, hit)


def _of_models(since: datetime.datetime) -> Iterator[Outage]:
    spent = ModelQuota.objects.filter(project__in=projects_in_use(), spent_since__gte=since).order_by("-spent_since")
    for quota in spent[:SHOWN]:
        began_at = cast(datetime.datetime, quota.spent_since)
        words = _("%(model)s was spent") if quota.restored_at else _("%(model)s is spent")
        rows = figure(1, "model", ModelQuota, id__exact=quota.pk)
        yield Outage(began_at, quota.restored_at or began_at, words % {"model": quota.model}, quota.kind, rows, None)
