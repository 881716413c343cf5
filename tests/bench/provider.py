"""The provider of the benchmark: `python -m tests.bench.provider PORT CERTIFICATE KEY [quiet]`.

Speaks just enough of the Live API to hold calls: after the set-up ten chunks of 100 ms of audio a second,
and a new handle every five seconds. Takes whatever it is sent. A quiet one gives a handle and says nothing more.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Chatter = Callable[[ServerConnection], Awaitable[None]]
"""What a provider says to one caller after the set-up."""

CHUNK_MS = 100
CHUNK_BYTES = 24 * 2 * CHUNK_MS
CHUNKS_PER_HANDLE = 50


def frame(message: dict[str, Any]) -> bytes:
    """As the provider writes them: binary, indented by two blanks, with a line's end."""
    return (json.dumps(message, indent=2) + "\n").encode()


PCM = bytes(number % 251 for number in range(CHUNK_BYTES))
BLOB = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(PCM).decode()}
AUDIO = frame({"serverContent": {"modelTurn": {"parts": [{"inlineData": BLOB}]}}})


async def hold_call(connection: ServerConnection, chatter: Chatter) -> None:
    """One call, until the caller closes it."""
    await connection.recv()
    await connection.send(frame({"setupComplete": {}}))
    speaking = asyncio.ensure_future(chatter(connection))
    try:
        async for _ in connection:
            pass
    finally:
        speaking.cancel()


async def give_handle(connection: ServerConnection) -> None:
    update = {"newHandle": str(uuid.uuid4()), "resumable": True}
    await connection.send(frame({"sessionResumptionUpdate": update}))


async def speak(connection: ServerConnection) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    number = 0
    while True:
        if number % CHUNKS_PER_HANDLE == 0:
            await give_handle(connection)
        try:
            await connection.send(AUDIO)
        except ConnectionClosed:
            return
        number += 1
        due += CHUNK_MS / 1000
        await asyncio.sleep(max(0, due - loop.time()))


async def main(port: int, certificate: str, key: str, chatter: Chatter) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    hold = partial(hold_call, chatter=chatter)
    async with serve(hold, "127.0.0.1", port, ssl=context, compression=None, max_size=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    chatter = give_handle if sys.argv[4:] == ["quiet"] else speak
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], chatter))
