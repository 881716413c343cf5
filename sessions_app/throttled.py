"""How a page refuses what is tried too often: 429, when to come back, and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sessions_app.throttle import Rule, Scope, TooManyTries
from sessions_app.throttle_rows import take

View = TypeVar("View", bound=Callable[..., HttpResponse])
ResponseType = TypeVar("ResponseType", bound=HttpResponse)


def throttled(rule: Rule, when: Callable[[HttpRequest], bool] = lambda request: True) -> Callable[[View], View]:
    """Limit what each user may ask of a view; it goes below the decorator that asks for a log-in.

    Args:
        when: which requests count; the others are always answered.
    """

    def limit(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if when(request):
                user = cast(User, request.user)
                try:
                    take(rule, {Scope.ACCOUNT: str(user.pk)}, user)
                except TooManyTries as refusal:
                    return _refuse(request, refusal)
            return view(request, *args, **kwargs)

        return cast(View, limited)

    return limit


def is_post(request: HttpRequest) -> bool:
    return request.method == "POST"


def too_many(response: ResponseType, refusal: TooManyTries) -> ResponseType:
    """Mark the answer, a page that says `str(refusal)`, as a refusal for now."""
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    response["Retry-After"] = str(refusal.wait_s)
    return response


def _refuse(request: HttpRequest, refusal: TooManyTries) -> HttpResponse:
    """The address again is the way back: a form begins anew there, a search or a file is asked for once more."""
    if not request.accepts("text/html"):
        return too_many(HttpResponse(f"{refusal}\n", content_type="text/plain; charset=utf-8"), refusal)
    return too_many(render(request, "429.html", {"sentence": str(refusal)}), refusal)
