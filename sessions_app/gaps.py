"""When conversations had no line for a while: the events that say so."""

from __future__ import annotations

from django.db.models import Q

from sessions_app.live.machine.reasons import PLANNED

GAP = Q(kind="connected", data__has_key="gap_ms")
"""The line stood again, or the next one did. What another process took over is not among them: it knows of no gap."""

PLANNED_GAP = GAP & Q(data__cause__in=[cause.value for cause in PLANNED])
UNPLANNED_GAP = GAP & ~Q(data__cause__in=[cause.value for cause in PLANNED])
