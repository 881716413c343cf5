"""The operator's page: what is live, and how the line does. Each figure leads to its rows."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.line_page import outages, present, today
from config.line_page.clock import Clock


def line_page(request: HttpRequest) -> HttpResponse:
    """For operators, who see of it what they may see in the admin. The database is asked as often for many rows as
    for few."""

    def may_see(model: type[Model]) -> bool:
        return admin.site.get_model_admin(model).has_view_permission(request)

    clock = Clock(timezone.now(), settings.TIME_ZONE)
    context = {
        **admin.site.each_context(request),
        "title": _("The line now"),
        "clock": clock,
        "losses": today.losses(may_see, clock),
        "live": present.live(may_see, clock),
        "workers": present.workers(may_see),
        "outages": outages.last_outages(may_see, clock),
        "outages_shown": outages.SHOWN,
        "outage_days": outages.DAYS,
        "gaps": today.gaps(may_see, clock),
        "ledger": present.ledger(may_see, clock),
        "summaries": present.summaries(may_see),
    }
    return TemplateResponse(request, "admin/line/page.html", context)
