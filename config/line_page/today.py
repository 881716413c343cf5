"""What the lines of conversations went through today: how long they were away, and what was lost by that."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, FloatField, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.line_page.clock import Clock
from config.line_page.figures import Figure, MaySee, figure
from config.line_page.plot import Gap, Plot, length_words, plot
from sessions_app.gaps import GAP, PLANNED_GAP
from sessions_app.live.machine.reasons import PLANNED
from sessions_app.models import SessionEvent
from sessions_app.numbers import in_digits
from summarization.lengths import duration_words

GAPS_DRAWN = 500
"""The longest of a day: more could neither be told apart nor read."""

LOST_DAYS = 7


@dataclass(frozen=True, slots=True)
class Loss:
    """How often something of what users said could not be kept, and how much that was, in words."""

    figure: Figure
    amount: str


@dataclass(frozen=True, slots=True)
class Gaps:
    """`drawn`: those in the picture, in order of time."""

    figures: Sequence[Figure]
    drawn: Sequence[Gap]
    plot: Plot
    longest: str

    @property
    def count(self) -> int:
        return self.figures[0].count


def losses(may_see: MaySee, clock: Clock) -> list[Loss]:
    """Of today, and of the seven days that end with it."""
    if not may_see(SessionEvent):
        return []
    (begins, ends), week_begins = clock.day, clock.days_ago(LOST_DAYS - 1)
    today = Q(at__gte=begins)
    sums = SessionEvent.objects.filter(kind="lost", at__gte=week_begins, at__lt=ends).aggregate(
        times_today=Count("pk", filter=today),
        messages_today=_sum_of("messages", today),
        ms_today=_sum_of("ms", today),
        times_week=Count("pk"),
        messages_week=_sum_of("messages"),
        ms_week=_sum_of("ms"),
    )
    return [
        Loss(
            figure(sums[f"times_{of}"], words, SessionEvent, kind="lost", at__gte=since, at__lt=ends),
            _amount(int(sums[f"messages_{of}"]), int(sums[f"ms_{of}"])),
        )
        for of, words, since in (
            ("today", _("losses today"), begins),
            ("week", _("losses in %(days)s days") % {"days": LOST_DAYS}, week_begins),
        )
    ]


def gaps(may_see: MaySee, clock: Clock) -> Gaps | None:
    """How long lines were away today. Those that are longest are drawn."""
    if not may_see(SessionEvent):
        return None
    begins, ends = clock.day
    of_day = SessionEvent.objects.filter(GAP, at__gte=begins, at__lt=ends)
    counts = of_day.aggregate(all=Count("pk"), planned=Count("pk", filter=PLANNED_GAP))
    rows = of_day.order_by("-data__gap_ms").values_list("pk", "at", "data")[:GAPS_DRAWN]
    drawn = sorted((_gap_of(*row) for row in rows), key=lambda gap: gap.at)
    today = {"at__gte": begins, "at__lt": ends}
    figures = [
        figure(counts["all"], _("gaps today"), SessionEvent, gap="any", **today),
        figure(counts["planned"], _("planned"), SessionEvent, gap="planned", **today),
        figure(counts["all"] - counts["planned"], _("unplanned"), SessionEvent, gap="unplanned", **today),
    ]
    longest = length_words(max((gap.gap_ms for gap in drawn), default=0))
    return Gaps(figures, drawn, plot(drawn, begins, ends, clock.now, clock.zone), longest)


def _gap_of(event: int, at: datetime.datetime, data: dict[str, object]) -> Gap:
    cause = str(data.get("cause", ""))
    return Gap(event, at, int(str(data["gap_ms"])), cause, cause in PLANNED)


def _sum_of(name: str, condition: Q | None = None) -> Coalesce:
    return Coalesce(Sum(Cast(KT(f"data__{name}"), FloatField()), filter=condition), 0.0)


def _amount(messages: int, ms: int) -> str:
    shown = {"count": in_digits(messages), "duration": duration_words(ms)}
    words = ngettext("%(count)s message, %(duration)s of sound", "%(count)s messages, %(duration)s of sound", messages)
    return words % shown
