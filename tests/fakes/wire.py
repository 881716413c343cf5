"""The SDK's own session over a wire in the test's process: what it reads is given, what it writes is kept."""

from __future__ import annotations

import asyncio
from functools import cache

from google import genai
from google.genai import types
from google.genai.live import AsyncSession
from google.oauth2.credentials import Credentials
from websockets.exceptions import ConnectionClosedOK
from websockets.frames import Close


class Wire:
    """Stands where the SDK's socket stands. After the last of `received` the connection is closed with 1000."""

    def __init__(self, *received: bytes) -> None:
        self.received = list(received)
        self.sent: list[str | bytes] = []

    async def recv(self, decode: bool | None = None) -> bytes:
        if not self.received:
            raise ConnectionClosedOK(Close(1000, ""), Close(1000, ""), True)
        return self.received.pop(0)

    async def send(self, message: str | bytes, text: bool | None = None) -> None:
        self.sent.append(message)

    async def ping(self) -> asyncio.Future[float]:
        """Nobody answers."""
        return asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        self.received.clear()


@cache
def _client(*, is_there: bool) -> genai.Client:
    if is_there:
        return genai.Client(vertexai=True, project="none", location="none", credentials=Credentials("none"))
    return genai.Client(api_key="none", http_options=types.HttpOptions(api_version="v1beta"))


def session_over(wire: Wire, *, is_there: bool = False) -> AsyncSession:
    """`is_there`: as the SDK reads Agent Platform."""
    return AsyncSession(api_client=_client(is_there=is_there)._api_client, websocket=wire)  # type: ignore[arg-type]
