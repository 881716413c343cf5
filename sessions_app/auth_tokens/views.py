"""Ephemeral tokens over HTTP: made, listed, renewed, forgotten. JSON in and out, see `docs/own-client.md`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app import throttle_rows
from sessions_app.auth_tokens.callers import Caller, Refused, for_programs
from sessions_app.auth_tokens.service import (
    EphemeralTokenService,
    MintedToken,
    NoSuchToken,
    RightEnded,
    TooManyTokens,
    as_data,
    rules_of_the_server,
)
from sessions_app.auth_tokens.terms import Rules, WishRefused
from sessions_app.live.providers.minting import API_VERSION, MintingFailed, TokenOrder
from sessions_app.throttle import TOKENS, Scope

Result = TypeVar("Result")

BODY_LIMIT_BYTES = 64 * 1024
LISTED = 100


@for_programs("GET", "HEAD", "POST")
def tokens(request: HttpRequest, caller: Caller) -> HttpResponse:
    """GET: the tokens that count, the rules for more. POST: makes one, and gives it this once."""
    service, rules = _service(caller)
    if request.method != "POST":
        return _listed(service, rules)
    asked = _body(request)
    return _made(caller, lambda: service.create_token(asked))


@for_programs("GET", "HEAD", "DELETE")
def token(request: HttpRequest, caller: Caller, id: uuid.UUID) -> HttpResponse:
    """GET: the status of a token. DELETE: forgets it."""
    service, _ = _service(caller)
    if request.method == "DELETE":
        _known(lambda: service.forget_token(id))
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    status = service.get_token_status(id)
    if not status.has_token:
        raise _no_such_token()
    return JsonResponse(status.as_data() | {"is_due_for_renewal": status.is_due_for_renewal})


@for_programs("POST")
def renew(request: HttpRequest, caller: Caller, id: uuid.UUID) -> HttpResponse:
    """Makes another in the place of a token, and gives it this once."""
    service, _ = _service(caller)
    return _made(caller, lambda: _known(lambda: service.renew_token(id)))


def _service(caller: Caller) -> tuple[EphemeralTokenService, Rules]:
    """Raises `Refused` where the operator hands out none."""
    if not settings.EPHEMERAL_TOKENS:
        raise Refused(HTTPStatus.FORBIDDEN, "switched_off", _("This server hands out no tokens."))
    rules = rules_of_the_server()
    return EphemeralTokenService(caller.user, _Gemini(), rules, caller.key), rules


class _Gemini:
    """The provider's minter, whose SDK takes a second to load where nothing has loaded it."""

    def mint(self, order: TokenOrder) -> str:
        if not settings.GEMINI_API_KEY:
            raise MintingFailed
        from sessions_app.live.providers.auth_tokens import GeminiMinter

        with closing(GeminiMinter(settings.GEMINI_API_KEY)) as minter:
            return minter.mint(order)


def _listed(service: EphemeralTokenService, rules: Rules) -> HttpResponse:
    now = timezone.now()
    return JsonResponse(
        {
            "status": service.get_token_status().as_data(),
            "tokens": [as_data(row, now) for row in service.tokens(LISTED)],
            "models": rules.models,
            "locked_fields": sorted(rules.locked),
            "expire_in_s_max": rules.longest_s,
            "left_today": service.left_today(),
        }
    )


def _made(caller: Caller, make: Callable[[], MintedToken]) -> HttpResponse:
    """Have a token made, and give it. Raises `Refused` and `TooManyTries`."""
    throttle_rows.take(TOKENS, {Scope.ACCOUNT: str(caller.user.pk)}, caller.user)
    try:
        minted = make()
    except WishRefused as refusal:
        status = HTTPStatus.FORBIDDEN if refusal.is_forbidden else HTTPStatus.BAD_REQUEST
        raise Refused(status, refusal.code, str(refusal)) from None
    except TooManyTokens as refusal:
        wait = {"Retry_After": str(refusal.wait_s)}
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "day_spent", str(refusal), **wait) from None
    except RightEnded:
        text = _("Meanwhile the account was closed, or the access key revoked.")
        raise Refused(HTTPStatus.UNAUTHORIZED, "right_ended", text) from None
    except MintingFailed as failure:
        raise _failed(failure) from None
    facts = as_data(minted.row, timezone.now())
    answer = {"token": minted.value, "api_version": API_VERSION, **facts}
    return JsonResponse(answer, status=HTTPStatus.CREATED)


def _failed(failure: MintingFailed) -> Refused:
    """What whoever asked is told; the provider's words may be about the project, and are the operator's."""
    if failure.is_refusal:
        text = _("The provider refuses to make this token (status %(code)s). The operator can look into it.") % {
            "code": failure.code
        }
        return Refused(HTTPStatus.BAD_GATEWAY, "provider_refuses", text)
    wait = {} if failure.retry_after_s is None else {"Retry_After": str(failure.retry_after_s)}
    text = _("The provider makes no token at the moment. Try again in a while.")
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "provider_unavailable", text, **wait)


def _body(request: HttpRequest) -> object:
    """What was sent, parsed; nothing counts as an empty object. Raises `Refused`."""
    try:
        raw = request.body
    except RawPostDataException:
        raw = b"-"  # a form, which was read as one already
    except RequestDataTooBig:
        raw = b" " * (BODY_LIMIT_BYTES + 1)
    if len(raw) > BODY_LIMIT_BYTES:
        text = f"The request has more than {BODY_LIMIT_BYTES // 1024} KiB."
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)
    try:
        return json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST, "no_json", "The request is no JSON.") from None


def _known(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except NoSuchToken:
        raise _no_such_token() from None


def _no_such_token() -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, "no_such_token", _("You have no token of this id."))
