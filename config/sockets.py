"""Who may open a WebSocket at all, decided before any consumer is asked."""

from typing import Any
from urllib.parse import ParseResult, urlparse

from channels.security.websocket import OriginValidator


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that closes a socket before it is accepted, which the client sees as 403."""
    await receive()
    await send({"type": "websocket.close"})


class OriginGate(OriginValidator):
    """Lets pages of the allowed hosts through to `application` and refuses everybody else.

    The rules are those of Channels. Its own way to refuse is a consumer, which listens to the channel layer and so
    fails with it; and it raises on an Origin header that is no URL, which here is a foreign one.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        application: Any = self.application if self._is_ours(scope) else refuse
        return await application(scope, receive, send)

    def _is_ours(self, scope: Any) -> bool:
        try:
            return bool(self.valid_origin(_origin_of(scope)))
        except ValueError:
            return False


def _origin_of(scope: Any) -> ParseResult | None:
    headers = dict(scope["headers"])
    return urlparse(headers[b"origin"].decode("latin-1")) if b"origin" in headers else None
