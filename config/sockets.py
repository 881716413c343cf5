"""Who may open a WebSocket at all, and who they are, before any consumer is asked: by the rules for pages."""

import logging
from importlib import import_module
from io import BytesIO
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

logger = logging.getLogger(__name__)

PAGE_SCHEMES = {"ws": "http", "wss": "https", "https": "https"}
"""By which scheme the page was loaded that asks, where no proxy says something else."""

HEADERS_OF_ORIGINS = (b"origin", b"host", b"x-forwarded-proto")


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that closes a socket before it is accepted, which the client sees as 403."""
    await receive()
    await send({"type": "websocket.close"})


class OriginGate:
    """Lets pages of this very site through to `application` and refuses everybody else.

    The rule is the one by which Django accepts a form: scheme, host and port of the page are those that the handshake
    came to, or are among `CSRF_TRUSTED_ORIGINS`. A client that names no origin is no page.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._forms = OriginOfForms()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        handshake = origins_in(scope)
        if self._forms.accepts(handshake):
            return await self._application(scope, receive, send)
        # A proxy that is not set up for it looks like this, too: its operator must be able to find out.
        logger.warning("a socket was refused: its origin %.100r is not of this site", handshake.headers.get("Origin"))
        return await refuse(scope, receive, send)


class OriginOfForms(CsrfViewMiddleware):
    """Django's check of forms, of which the origin alone is asked."""

    def __init__(self) -> None:
        super().__init__(_no_view)

    def accepts(self, request: HttpRequest) -> bool:
        return "HTTP_ORIGIN" in request.META and bool(self._origin_verified(request))  # type: ignore[attr-defined]


class SessionUser:
    """Puts session and user into the scope, as Django finds them for a page; `CookieMiddleware` has to be above it.

    What Channels has for it knows no `SECRET_KEY_FALLBACKS`, and ends a session that was signed with one of them. It
    also looks at each message that is sent, for a session to be saved with it; a socket saves none.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._new_session = import_module(settings.SESSION_ENGINE).SessionStore

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        session = self._new_session(scope["cookies"].get(settings.SESSION_COOKIE_NAME))
        user = await _user_of(session)
        return await self._application({**scope, "session": session, "user": user}, receive, send)


class _SessionAsItIs(dict[str, Any]):
    """What a session holds. A socket cannot hand out a new cookie, so it leaves the session to the pages."""

    def cycle_key(self) -> None:
        pass

    def flush(self) -> None:
        self.clear()


@database_sync_to_async
def _user_of(session: SessionBase) -> User | AnonymousUser:
    request = HttpRequest()
    request.session = _SessionAsItIs(session.items())  # type: ignore[assignment]
    return get_user(request)


def _no_view(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError("only the origin is asked")


def origins_in(scope: Any) -> ASGIRequest:
    """What a handshake or a request says about where it comes from and goes to, as a request; anything else in it may
    be nonsense, and is left out."""
    told = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": PAGE_SCHEMES.get(scope.get("scheme"), "http"),
        "server": scope.get("server"),
        "headers": [(name, value) for name, value in scope["headers"] if name in HEADERS_OF_ORIGINS],
    }
    return ASGIRequest(told, BytesIO())
