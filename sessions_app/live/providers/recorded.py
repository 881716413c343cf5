"""A provider's connection whose frames are handed to somebody, both ways, as they go over the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection

Tap = Callable[[str, str | bytes], None]
"""Is told each frame: `client` or `server`, and what it holds."""


def tapped(tap: Tap) -> type[ClientConnection]:
    """What websockets is to make connections of. Sound that is sent past the connection (`try_send_audio`) is not
    told."""

    class Tapped(ClientConnection):
        async def send(self, message: Any, *arguments: Any, **named: Any) -> None:
            tap("client", message)
            await super().send(message, *arguments, **named)

        async def recv(self, *arguments: Any, **named: Any) -> Any:
            message = await super().recv(*arguments, **named)
            tap("server", message)
            return message

    return Tapped
