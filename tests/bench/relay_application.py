"""The bare relay as an ASGI application, to be run by the servers: what they cost without Holdline.

Where the provider is stands in RELAY_PROVIDER_URL, what proves it in SSL_CERT_FILE.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.bench.relay import HEAD, SETUP, TAIL, sounds_of


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await hold_call(receive, send)
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def hold_call(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    async with connect(os.environ["RELAY_PROVIDER_URL"], compression=None, max_size=None) as provider:
        await provider.send(SETUP)
        downward = asyncio.create_task(pass_down(provider, send))
        try:
            while (event := await receive())["type"] == "websocket.receive":
                if frame := event.get("bytes"):
                    await provider.send(HEAD + base64.b64encode(frame[4:]).decode() + TAIL)
        finally:
            downward.cancel()


async def pass_down(provider: ClientConnection, send: Any) -> None:
    number = 0
    try:
        async for frame in provider:
            for pcm in sounds_of(frame):
                await send({"type": "websocket.send", "bytes": struct.pack(">I", number) + pcm})
                number += 1
    except ConnectionClosed:
        return
