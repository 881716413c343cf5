"""The callers of the benchmark: `python -m tests.bench.callers URL ORIGIN SECONDS`, their cookies on stdin.

Each sends 25 frames of 40 ms a second and counts what comes back. Prints READY when all talk, then at the end a line of
JSON: frames sent, chunks heard.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import uuid

import uvloop
from websockets.asyncio.client import connect

FRAME_MS = 40
FRAME = bytes(range(256)) * 5  # 1,280 bytes: 40 ms of PCM16 at 16 kHz


class Call:
    """One caller. The cookie is "-" where nobody asks for one."""

    def __init__(self, url: str, origin: str, cookie: str) -> None:
        self.sent = 0
        self.heard = 0
        self.talks = asyncio.Event()
        self._url = url
        self._origin = origin
        self._headers = {"Cookie": cookie} if cookie != "-" else {}

    async def hold(self, seconds: float) -> None:
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
            due, end = loop.time(), loop.time() + seconds
            while due < end:
                await page.send(struct.pack(">I", self.sent) + FRAME)
                self.sent += 1
                due += FRAME_MS / 1000
                await asyncio.sleep(max(0, due - loop.time()))
            listening.cancel()

    async def _listen(self, page: object) -> None:
        async for frame in page:  # type: ignore[attr-defined]
            if isinstance(frame, bytes):
                self.heard += 1
                self.talks.set()


async def main(url: str, origin: str, seconds: float) -> None:
    callers = [Call(url, origin, cookie) for cookie in sys.stdin.read().split("\n")]
    holding = [asyncio.create_task(caller.hold(seconds)) for caller in callers]
    async with asyncio.timeout(60):
        for caller in callers:
            await caller.talks.wait()
    print("READY", flush=True)
    await asyncio.gather(*holding)
    print(json.dumps({"sent": sum(c.sent for c in callers), "heard": sum(c.heard for c in callers)}), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
