"""The token service: hands tokens to dial with to processes that do not have the key. Off unless the settings say so.

It stands before Django, as `/metrics` does: who asks knows this process by an address, not by a name of ALLOWED_HOSTS,
cannot be redirected to HTTPS, and has calls that go on while the database is away. `docs/operations.md` has the
protocol.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from django.conf import settings

from config.doors import BodyRefused, Send, body_of, respond, shows_secret
from energy.ladders import models_for_tokens
from sessions_app.gateway.limits import Bucket
from sessions_app.live.providers.minting import API_VERSION, Minter, MintingFailed, MintOutcome, TokenOrder
from sessions_app.live.providers.token_keeper import TokenWatch
from sessions_app.live.providers.token_stock import AT_ONCE, COUNTS_FOR_MS, OPENS_FOR_MS

logger = logging.getLogger(__name__)

PATH = "/token-service/"
BODY_LIMIT_BYTES = 4 * 1024
SHORTEST_S = 10

ASKED_PER_S, ASKED_BURST = 20, 200
"""By those who have the secret: more than every call of some web processes, lost at once."""

WRONG_PER_S, WRONG_BURST = 1, 20
"""By those who have another one."""

WAITING_MAX = 64
"""Who is being answered. The provider is asked by `AT_ONCE` of them."""


class _Refused(Exception):
    def __init__(self, status: int, code: str, text: str, wait_s: int | None = None, **more: object) -> None:
        super().__init__(text)
        self.status, self.wait_s = status, wait_s
        self.error = {"code": code, "text": text, **more}


class TokenDoor:
    """Answers who asks for tokens, and leaves all else to `application`.

    Args:
        application: of Django.
        minter: gives who makes tokens, None without a key; called in a thread, once.
        watch: is told of each that is asked for.
        now_s: a clock that only goes forward.
    """

    def __init__(
        self,
        application: Any,
        minter: Callable[[], Minter | None],
        watch: TokenWatch | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._make_minter = minter
        self._minter: Minter | None = None
        self._watch = watch
        self._now_s = now_s
        self._asked = Bucket(ASKED_PER_S, ASKED_BURST, now_s())
        self._wrong = Bucket(WRONG_PER_S, WRONG_BURST, now_s())
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="token-service")
        self._waiting = 0

    async def __call__(self, scope: Any, receive: Any, send: Send) -> Any:
        if scope["path"] != PATH or not settings.GEMINI_TOKEN_SERVICE:
            return await self._application(scope, receive, send)
        try:
            status, answer, wait_s = HTTPStatus.CREATED, await self._answer(scope, receive), None
        except _Refused as refusal:
            status, answer, wait_s = HTTPStatus(refusal.status), {"error": refusal.error}, refusal.wait_s
        more = {} if wait_s is None else {b"retry-after": str(wait_s)}
        await respond(send, status, "application/json", json.dumps(answer).encode(), more)
        return None

    async def _answer(self, scope: Any, receive: Any) -> dict[str, object]:
        self._let_in(scope)
        order = _order_in(await _body(receive))
        if self._waiting >= WAITING_MAX:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too many ask at the same time.", 1)
        self._waiting += 1
        began_s, outcome = self._now_s(), MintOutcome.UNAVAILABLE
        try:
            token = await asyncio.get_running_loop().run_in_executor(self._threads, self._mint, order)
            outcome = MintOutcome.MADE
        except MintingFailed as failure:
            outcome = failure.outcome
            raise _failed(failure) from None
        finally:
            self._waiting -= 1
            if self._watch is not None:
                self._watch.asked_for_token(outcome, self._now_s() - began_s)
        return {"token": token, "api_version": API_VERSION}

    def _let_in(self, scope: Any) -> None:
        """Raises `_Refused`. Who has the secret is not kept out by those who guess."""
        if not shows_secret(scope, settings.GEMINI_TOKEN_SERVICE_SECRET):
            if not self._wrong.take(1, self._now_s()):
                raise _Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many", "Too many wrong secrets.", 60)
            logger.warning("somebody asked the token service with a wrong secret")
            raise _Refused(HTTPStatus.UNAUTHORIZED, "bad_secret", "The secret is wrong.")
        if scope["method"] != "POST":
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "bad_method", "Only POST can be asked for here.")
        if not self._asked.take(1, self._now_s()):
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many", "Too many requests.", 1)

    def _mint(self, order: TokenOrder) -> str:
        if self._minter is None:
            self._minter = self._make_minter()
        if self._minter is None:
            raise MintingFailed(text="this process has no key")
        return self._minter.mint(order)


def _order_in(asked: object) -> TokenOrder:
    """Raises `_Refused`."""
    if not isinstance(asked, Mapping) or asked.keys() - {"model", "opens_for_s", "counts_for_s"}:
        text = "A token is asked for by an object with model, opens_for_s and counts_for_s."
        raise _Refused(HTTPStatus.BAD_REQUEST, "bad_value", text)
    model, known = asked.get("model"), models_for_tokens()
    if model not in known:
        text = f"Tokens are made for {', '.join(known)}."
        raise _Refused(HTTPStatus.BAD_REQUEST, "foreign_model", text)
    now = datetime.datetime.now(datetime.UTC)
    counts = _duration_in(asked, "counts_for_s", COUNTS_FOR_MS // 1000)
    opens = min(_duration_in(asked, "opens_for_s", OPENS_FOR_MS // 1000), counts)
    return TokenOrder(str(model), 1, now + opens, now + counts)


def _duration_in(asked: Mapping[str, object], name: str, most_s: int) -> datetime.timedelta:
    value = asked.get(name, most_s)
    if type(value) is not int or not SHORTEST_S <= value <= most_s:
        text = f"{name} is a whole number from {SHORTEST_S} to {most_s}."
        raise _Refused(HTTPStatus.BAD_REQUEST, "bad_value", text)
    return datetime.timedelta(seconds=value)


def _failed(failure: MintingFailed) -> _Refused:
    """The provider's words are for the process that asked, which is ours."""
    said = {"provider_status": failure.code} if failure.code else {}
    text = failure.text or "The provider makes no token."
    match failure.outcome:
        case MintOutcome.REFUSED:
            return _Refused(HTTPStatus.BAD_GATEWAY, "provider_refuses", text, **said)
        case MintOutcome.LIMITED:
            return _Refused(HTTPStatus.TOO_MANY_REQUESTS, "provider_limits", text, failure.retry_after_s, **said)
    return _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "provider_unavailable", text, failure.retry_after_s, **said)


async def _body(receive: Any) -> object:
    """What was sent, parsed. Raises `_Refused`."""
    try:
        return json.loads(await body_of(receive, BODY_LIMIT_BYTES))
    except BodyRefused as refusal:
        raise _Refused(refusal.status, refusal.code, str(refusal)) from None
    except (ValueError, RecursionError):
        raise _Refused(HTTPStatus.BAD_REQUEST, "no_json", "The request is no JSON.") from None
