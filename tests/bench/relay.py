"""The bare relay: `python -m tests.bench.relay PORT PROVIDER_URL CERTIFICATE`.

A page's frames to the provider and back, with the translation that has to be done and nothing else: no sessions, no
backlog, no database, no accounts. On `websockets` and uvloop.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import struct
import sys
from collections.abc import Iterator

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

SETUP = json.dumps({"setup": {"model": "models/gemini-3.8-live"}})
HEAD, TAIL = '{"realtime_input": {"audio": {"data": "', '", "mime_type": "audio/pcm;rate=16000"}}}'


class Relay:
    def __init__(self, provider_url: str, certificate: str) -> None:
        self._url = provider_url
        self._context = ssl.create_default_context(cafile=certificate)

    async def hold_call(self, page: ServerConnection) -> None:
        async with connect(self._url, ssl=self._context, compression=None, max_size=None) as provider:
            await provider.send(SETUP)
            downward = asyncio.create_task(pass_down(provider, page))
            try:
                async for frame in page:
                    if isinstance(frame, bytes):
                        await provider.send(HEAD + base64.b64encode(frame[4:]).decode() + TAIL)
            finally:
                downward.cancel()


def sounds_of(frame: str | bytes) -> Iterator[bytes]:
    """The sound in a frame of the provider."""
    for part in json.loads(frame).get("serverContent", {}).get("modelTurn", {}).get("parts", ()):
        yield base64.b64decode(part["inlineData"]["data"])


async def pass_down(provider: ClientConnection, page: ServerConnection) -> None:
    number = 0
    try:
        async for frame in provider:
            for pcm in sounds_of(frame):
                await page.send(struct.pack(">I", number) + pcm)
                number += 1
    except ConnectionClosed:
        return


async def main(port: int, provider_url: str, certificate: str) -> None:
    relay = Relay(provider_url, certificate)
    async with serve(relay.hold_call, "127.0.0.1", port, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
