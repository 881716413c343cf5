"""Who asks for something that is meant for programs, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from sessions_app.accounts import access_keys
from sessions_app.models import AccessKey
from sessions_app.throttle import TooManyTries
from sessions_app.throttled import too_many

BEARER = "bearer"

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with an account, and the access key that they came by, if it was one."""

    user: User
    key: AccessKey | None


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
    """A view whose every refusal is JSON, for whoever has an account; it takes the caller behind the request."""

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


def caller_of(request: HttpRequest) -> Caller:
    """Who asks: by the access key that was sent, whatever cookies were as well, else by the session of their browser.

    Raises `Refused`, also for what another site has a browser ask.
    """
    credentials = request.headers.get("Authorization", "")
    if credentials:
        scheme, _, value = credentials.partition(" ")
        key = access_keys.find(value.strip(), AccessKey.Use.TOKENS) if scheme.lower() == BEARER else None
        if key is None:
            text = "This access key lets nobody in. It may have been revoked, or have ended with a password."
            raise Refused(HTTPStatus.UNAUTHORIZED, "bad_key", text, WWW_Authenticate="Bearer")
        return Caller(key.user, key)
    if not request.user.is_authenticated:
        text = "Send an access key as Authorization: Bearer, or log in."
        raise Refused(HTTPStatus.UNAUTHORIZED, "not_logged_in", text, WWW_Authenticate="Bearer")
    if reason := _forgery(request):
        raise Refused(HTTPStatus.FORBIDDEN, "forged", f"This was not asked for by a page of this site: {reason}.")
    return Caller(request.user, None)


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
