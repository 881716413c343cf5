"""Who asks for something that is meant for programs, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from sessions_app.throttle import TooManyTries
from sessions_app.throttled import too_many

View = Callable[..., HttpResponse]


class Refused(Exception):
    """An answer that is an error: `{"error": {"code", "text"}}` with this status and these headers."""

    def __init__(self, status: int, code: str, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.code, self.headers = status, code, headers

    def as_response(self) -> HttpResponse:
        error = {"error": {"code": self.code, "text": str(self)}}
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return JsonResponse(error, status=self.status, headers=headers)


def for_programs(*methods: str) -> Callable[[View], View]:
    """A view whose every refusal is JSON, for whoever is logged in; it takes `caller` behind the request."""

    def wrap(view: View) -> View:
        # Forgery is looked for below, where its refusal can be JSON.
        @csrf_exempt
        @never_cache
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                if request.method not in methods:
                    allowed = ", ".join(methods)
                    text = f"Only {allowed} can be asked for here."
                    raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "bad_method", text, Allow=allowed)
                return view(request, caller_of(request), *args, **kwargs)
            except Refused as refusal:
                return refusal.as_response()
            except TooManyTries as refusal:
                return too_many(Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many", str(refusal)).as_response(), refusal)

        return answered

    return wrap


def caller_of(request: HttpRequest) -> User:
    """Who asks, by the session of their browser. Raises `Refused`, also for what another site has them ask."""
    if not request.user.is_authenticated:
        raise Refused(HTTPStatus.UNAUTHORIZED, "not_logged_in", "Log in first.")
    if reason := _forgery(request):
        raise Refused(HTTPStatus.FORBIDDEN, "forged", f"This was not asked for by a page of this site: {reason}.")
    return request.user


class _ForgeryCheck(CsrfViewMiddleware):
    """Django's, which gives the reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _forgery(request: HttpRequest) -> str:
    """Why a request is taken for a forged one; empty for one that is not."""
    check = _ForgeryCheck(_no_view)
    check.process_request(request)
    return cast(str, check.process_view(request, _no_view, (), {}) or "").rstrip(".")


def _no_view(request: HttpRequest) -> HttpResponse:
    """Stands where the middleware wants one, and is not called."""
    return HttpResponse()
