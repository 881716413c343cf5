"""The callers of the benchmark: `python -m tests.bench.callers URL ORIGIN`, their cookies on the first line of stdin.

Each sends 25 frames of 40 ms a second, speaks for 2.4 s of every 7.2, and counts what comes back. A frame begins with
the moment it was sent; a chunk of the provider that begins with one tells how long both ways took.
They begin one after the other. Prints READY when all have talked for a while. At the end of stdin they hang up, and a
line of JSON says: frames sent, chunks heard, those times in ms, counted from READY.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import struct
import sys
import time
import uuid
from array import array

import uvloop
from websockets.asyncio.client import connect

FRAME_MS = 40
RATE_HZ = 16_000
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
VOICED_FRAMES, QUIET_FRAMES = 60, 120

BEGINS_EVERY_S = 0.1
SETTLES_S = 2.0

MOMENT_BYTES = 16


def with_moment(pcm: bytes, us: int) -> bytes:
    """A frame that begins with microseconds of the monotonic clock: a byte of them in each sample, too quiet for the
    server's ear to take it for a voice, which a whole number was not."""
    beginning = bytearray(MOMENT_BYTES)
    beginning[::2] = us.to_bytes(MOMENT_BYTES // 2, "little")
    return bytes(beginning) + pcm[MOMENT_BYTES:]


def moment_of(pcm: bytes) -> int:
    """What `with_moment` was given. 0: no moment."""
    return int.from_bytes(pcm[:MOMENT_BYTES:2], "little")


def spoken() -> list[bytes]:
    """Frames of something that passes for a voice: with overtones, its pitch gliding, swelling and fading."""
    samples = array("h")
    turns = 0.0
    for at in range(VOICED_FRAMES * FRAME_SAMPLES):
        through = at / RATE_HZ / 0.6 % 1
        turns += (120 + 60 * through) / RATE_HZ
        wave = sum(math.sin(2 * math.pi * overtone * turns) / overtone for overtone in range(1, 9))
        samples.append(int(8_000 * math.sin(math.pi * through) * wave))
    return [samples[at : at + FRAME_SAMPLES].tobytes() for at in range(0, len(samples), FRAME_SAMPLES)]


SAID = [*spoken(), *[bytes(2 * FRAME_SAMPLES)] * QUIET_FRAMES]


class Call:
    """One caller. The cookie is "-" where nobody asks for one."""

    def __init__(self, url: str, origin: str, cookie: str) -> None:
        self.sent = 0
        self.heard = 0
        self.took_ms: list[float] = []
        self.talks = asyncio.Event()
        self._url = url
        self._origin = origin
        self._headers = {"Cookie": cookie} if cookie != "-" else {}
        self._phase = random.randrange(len(SAID))

    async def hold(self, begins_after_s: float, is_over: asyncio.Event) -> None:
        await asyncio.sleep(begins_after_s)
        async with connect(
            self._url,
            origin=self._origin,  # type: ignore[arg-type]
            additional_headers=self._headers,
            compression=None,
            max_size=None,
        ) as page:
            await page.send(json.dumps({"type": "start", "page_id": str(uuid.uuid4()), "last_down": -1}))
            listening = asyncio.create_task(self._listen(page))
            await self.talks.wait()
            loop = asyncio.get_running_loop()
            due, number = loop.time() + random.random() * FRAME_MS / 1000, 0
            while not is_over.is_set():
                await asyncio.sleep(max(0, due - loop.time()))
                await page.send(struct.pack(">I", number) + self._frame(number))
                number += 1
                self.sent += 1
                due += FRAME_MS / 1000
            listening.cancel()

    def _frame(self, number: int) -> bytes:
        return with_moment(SAID[(number + self._phase) % len(SAID)], now_us())

    async def _listen(self, page: object) -> None:
        async for frame in page:  # type: ignore[attr-defined]
            if isinstance(frame, bytes):
                self.heard += 1
                self.talks.set()
                if sent_us := moment_of(frame[4 : 4 + MOMENT_BYTES]):
                    self.took_ms.append((now_us() - sent_us) / 1000)


def now_us() -> int:
    return time.monotonic_ns() // 1000


async def main(url: str, origin: str) -> None:
    callers = [Call(url, origin, cookie) for cookie in sys.stdin.readline().split()]
    is_over = asyncio.Event()
    holding = [asyncio.create_task(caller.hold(at * BEGINS_EVERY_S, is_over)) for at, caller in enumerate(callers)]
    async with asyncio.timeout(120):
        for caller in callers:
            await caller.talks.wait()
    await asyncio.sleep(SETTLES_S)
    for caller in callers:
        caller.sent, caller.heard = 0, 0
        caller.took_ms.clear()
    print("READY", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    is_over.set()
    await asyncio.gather(*holding)
    result = {
        "sent": sum(caller.sent for caller in callers),
        "heard": sum(caller.heard for caller in callers),
        "took_ms": [round(ms, 2) for caller in callers for ms in caller.took_ms],
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
