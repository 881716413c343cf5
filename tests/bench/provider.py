"""The provider of the benchmark: `python -m tests.bench.provider PORT CERTIFICATE KEY quiet|echo|swaps`.

Speaks just enough of the Live API to hold calls. A quiet one gives a handle, takes what it is sent and says nothing.
An echo answers what was said when it has been quiet for 0.8 s: 72 chunks of 100 ms in four seconds, each sent at once
for a frame and beginning as that did. Then its turn ends, and it gives a handle. With callers that speak for 2.4 s of
every 7.2 that makes ten chunks a second. With swaps it sends a GoAway besides, once a minute or so.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import ssl
import sys
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

Chatter = Callable[[ServerConnection], Awaitable[None]]
"""What a provider does for one caller after the set-up."""

CHUNK_MS = 100
CHUNK_BYTES = 24 * 2 * CHUNK_MS
QUIET_BEFORE_REPLY, FRAMES_OF_REPLY = 20, 100
CHUNKS_PER_FRAME = 0.72
SWAP_AFTER_FRAMES = range(45 * 25, 75 * 25)


def frame(message: dict[str, Any]) -> bytes:
    """As the provider writes them: binary, indented by two blanks, with a line's end."""
    return (json.dumps(message, indent=2) + "\n").encode()


BEGINNING = 18
"""In bytes: what an echo repeats, the moment and one sample more; in base64 they end where a character does."""

PCM = bytes(BEGINNING) + bytes(number % 251 for number in range(BEGINNING, CHUNK_BYTES))
BLOB = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(PCM).decode()}
AUDIO = frame({"serverContent": {"modelTurn": {"parts": [{"inlineData": BLOB}]}}})
BEFORE, AFTER = AUDIO.split(base64.b64encode(bytes(BEGINNING)), 1)
AUDIO_OPENS = '{"realtime_input": {"audio": {"data": "'
QUIET = "A" * 800
WORDS = frame({"serverContent": {"inputTranscription": {"text": "Go on with it, please."}}})
TURN_ENDS = [
    frame({"serverContent": {"outputTranscription": {"text": "And so on."}}}),
    frame({"serverContent": {"generationComplete": True}}),
    frame(
        {"serverContent": {"turnComplete": True}, "usageMetadata": {"promptTokenCount": 900, "totalTokenCount": 990}}
    ),
]


async def hold_call(connection: ServerConnection, chatter: Chatter) -> None:
    """One call, until the caller closes it."""
    await connection.recv()
    await connection.send(frame({"setupComplete": {}}))
    await chatter(connection)


async def be_quiet(connection: ServerConnection) -> None:
    await give_handle(connection)
    async for _ in connection:
        pass


async def give_handle(connection: ServerConnection) -> None:
    update = {"newHandle": str(uuid.uuid4()), "resumable": True}
    await connection.send(frame({"sessionResumptionUpdate": update}))


async def echo(connection: ServerConnection, *, swaps: bool = False) -> None:
    """Reads what comes itself."""
    await give_handle(connection)
    await connection.send(AUDIO)
    leaves_at = random.choice(SWAP_AFTER_FRAMES) if swaps else -1
    number, quiet, owed = 0, FRAMES_OF_REPLY + QUIET_BEFORE_REPLY, 0.0
    async for message in connection:
        if not message.startswith(AUDIO_OPENS):  # type: ignore[arg-type]
            continue
        number += 1
        if number == leaves_at:
            await connection.send(frame({"goAway": {"timeLeft": "20s"}}))
        opening = len(AUDIO_OPENS)
        quiet = quiet + 1 if message[opening + 100 : opening + 900] == QUIET else 0
        replied = quiet - QUIET_BEFORE_REPLY
        if replied == 0:
            await connection.send(WORDS)
        elif replied == FRAMES_OF_REPLY:
            for ending in TURN_ENDS:
                await connection.send(ending)
            await give_handle(connection)
        elif 0 < replied < FRAMES_OF_REPLY:
            owed += CHUNKS_PER_FRAME
            if owed >= 1:
                owed -= 1
                beginning = message[opening : opening + BEGINNING // 3 * 4]
                await connection.send(BEFORE + beginning.encode() + AFTER)  # type: ignore[union-attr]


async def main(port: int, certificate: str, key: str, chatter: Chatter) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    hold = partial(hold_call, chatter=chatter)
    async with serve(hold, "127.0.0.1", port, ssl=context, compression=None, max_size=None) as server:
        await server.serve_forever()


KINDS: dict[str, Chatter] = {
    "quiet": be_quiet,
    "echo": echo,
    "swaps": partial(echo, swaps=True),
}

if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], KINDS[sys.argv[4]]))
