"""`/mcp`: who may ask, by which key, how often at once and how much; what is asked, the SDK reads. Off unless the
settings say so: to everybody else there is no such page.

It stands before Django because answers are streams of minutes. So what Django looks at for a page is looked at here:
the host, HTTPS, and that no page of another site has somebody's browser ask. (The specification asks for the last,
under "Streamable HTTP": https://modelcontextprotocol.io/specification/2025-11-25/basic/transports.)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from config.doors import BodyRefused, Send, body_of, header, respond
from config.mcp.calls import Calls
from config.mcp.hosting import CALLER, Hosting, NotServing
from config.sockets import OriginOfForms, origins_in
from sessions_app.accounts import access_keys
from sessions_app.auth_tokens.callers import BEARER, Caller
from sessions_app.models import AccessKey

logger = logging.getLogger(__name__)

PATH = "/mcp"
METHOD = "POST"
"""A stream that no request has asked for would have nothing to tell, and there is no session to end."""

BODY_LIMIT_BYTES = 64 * 1024
LEAVE_LIMIT_S = 2.0

REQUESTS_AT_ONCE = 64
REQUESTS_AT_ONCE_OF_A_USER = 8


class _Refused(Exception):
    def __init__(self, status: int, code: str, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code
        self.headers = {name.replace("_", "-").lower().encode(): value for name, value in headers.items()}


class McpDoor:
    """Answers programs that ask by MCP, and leaves all else to `application`.

    Args:
        application: of Django.
        calls: runs what they ask for.
    """

    def __init__(self, application: Any, calls: Calls) -> None:
        self._application = application
        self._calls = calls
        self._forms = OriginOfForms()
        self._asking: Counter[int] = Counter()
        self._answered = asyncio.Event()
        self._hosting: Hosting | None = None

    def start(self) -> None:
        """Have the SDK loaded before anybody asks, if anybody may. To be called in the loop that serves."""
        if settings.MCP:
            self._host().start()

    @property
    def taken(self) -> int:
        """How many are being answered."""
        return self._asking.total()

    async def leave(self) -> None:
        """Tell those who wait that it is over, then end; takes four seconds at most."""
        self._calls.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_LIMIT_S):
                while self._asking:
                    self._answered.clear()
                    await self._answered.wait()
        if self._hosting is not None:
            await self._hosting.leave()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> Any:
        if scope["path"] != PATH or not settings.MCP:
            return await self._application(scope, receive, send)
        answer = _Answer(send)
        try:
            await self._answer(scope, receive, answer)
        except BodyRefused as refusal:
            await _refuse(answer, _Refused(refusal.status, refusal.code, str(refusal)))
        except _Refused as refusal:
            await _refuse(answer, refusal)
        except Exception as error:
            logger.exception("a request by MCP failed")
            if answer.has_begun:
                raise
            is_away = isinstance(error, NotServing | TimeoutError)
            status = HTTPStatus.SERVICE_UNAVAILABLE if is_away else HTTPStatus.INTERNAL_SERVER_ERROR
            text = "This cannot be answered at the moment. Try again in a while."
            await _refuse(answer, _Refused(status, "unavailable", text, Retry_After="5"))
        return None

    def _host(self) -> Hosting:
        if self._hosting is None:
            self._hosting = Hosting(self._calls)
        return self._hosting

    async def _answer(self, scope: Any, receive: Any, answer: _Answer) -> None:
        if scope["method"] != METHOD:
            raise _Refused(
                HTTPStatus.METHOD_NOT_ALLOWED, "bad_method", "Only POST can be asked for here.", Allow=METHOD
            )
        self._refuse_strange_ways(origins_in(scope))
        caller = await self._caller(scope)
        self._take_place(caller.user.pk)
        try:
            body = await body_of(receive, BODY_LIMIT_BYTES)
            await self._host().serve({**scope, CALLER: caller}, _Replay(body, receive), answer)
        finally:
            self._asking[caller.user.pk] -= 1
            self._asking += Counter()  # without those who ask nothing any more
            self._answered.set()

    def _refuse_strange_ways(self, request: HttpRequest) -> None:
        """Raises `_Refused`."""
        try:
            request.get_host()
        except DisallowedHost:
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "bad_host", "This server has another name.") from None
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            text = "Ask over HTTPS: a key that goes over HTTP can be read on the way. Revoke this one."
            raise _Refused(HTTPStatus.FORBIDDEN, "no_tls", text)
        if "HTTP_ORIGIN" in request.META and not self._forms.accepts(request):
            raise _Refused(HTTPStatus.FORBIDDEN, "bad_origin", "Pages of other sites may not ask here.")

    async def _caller(self, scope: Any) -> Caller:
        """Raises `_Refused`."""
        scheme, _, value = header(scope, b"authorization").partition(" ")
        if scheme.lower() != BEARER or not value.strip():
            text = "Send an access key as Authorization: Bearer. The page of the account makes one."
            raise _Refused(HTTPStatus.UNAUTHORIZED, "no_key", text, WWW_Authenticate="Bearer")
        key = await self._calls.in_reader(partial(access_keys.find, value.strip(), AccessKey.Use.MCP))
        if key is None:
            text = "This access key lets nobody in here. It may be for something else, or have been revoked."
            told = 'Bearer error="invalid_token"'
            raise _Refused(HTTPStatus.UNAUTHORIZED, "bad_key", text, WWW_Authenticate=told)
        return Caller(key.user, key)

    def _take_place(self, user_id: int) -> None:
        """Raises `_Refused`."""
        if self._asking[user_id] >= REQUESTS_AT_ONCE_OF_A_USER:
            text = f"You ask for more than {REQUESTS_AT_ONCE_OF_A_USER} things at the same time."
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many", text, Retry_After="2")
        if self.taken >= REQUESTS_AT_ONCE:
            text = "Too many ask at the same time. Try again in a moment."
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", text, Retry_After="5")
        self._asking[user_id] += 1


class _Answer:
    """What is sent, and whether any of it was."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, event: Any) -> None:
        self.has_begun = True
        await self._send(event)


class _Replay:
    """A request whose body has been read: gives it, then whatever comes behind it."""

    def __init__(self, body: bytes, receive: Any) -> None:
        self._event: Any = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Any:
        event, self._event = self._event, None
        return event if event is not None else await self._receive()


async def _refuse(answer: _Answer, refusal: _Refused) -> None:
    body = json.dumps({"error": {"code": refusal.code, "text": str(refusal)}}).encode()
    await respond(answer, refusal.status, "application/json", body, refusal.headers)
