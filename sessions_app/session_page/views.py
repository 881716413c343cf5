"""The session page, and what it shows as JSON. What changes on it goes over `/ws/session/`."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from energy.levels import Mode
from sessions_app.gateway.session_desk import ask_owners
from sessions_app.session_page.report import live_modes, report_of, with_events
from sessions_app.throttle import EXPORT
from sessions_app.throttled import throttled

MODES = ((Mode.CALL, gettext_lazy("Call")), (Mode.TEXT, gettext_lazy("Text chat")))


@require_safe
@never_cache
@login_required
def session_page(request: HttpRequest) -> HttpResponse:
    """What one's line is like now; figures come over the socket. Where the operator allows it, tokens are offered."""
    shown = {"section": "session", "modes": MODES, "tokens_on": settings.EPHEMERAL_TOKENS}
    return render(request, "sessions_app/session.html", shown)


@require_safe
@never_cache
def session_json(request: HttpRequest) -> HttpResponse:
    """Everything on the session page and the last events as JSON; with `?words=1` also what was said. 401 for visitors,
    whom no page could send anywhere."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": _("Log in first.")}, status=HTTPStatus.UNAUTHORIZED)
    return _report(request)


@throttled(EXPORT)
def _report(request: HttpRequest) -> HttpResponse:
    user_id = cast(User, request.user).pk
    own = async_to_sync(ask_owners)(user_id, live_modes(user_id))
    return JsonResponse(with_events(report_of(user_id, own), user_id, words=request.GET.get("words") == "1"))
