"""Pages that are open and do nothing: `python -m tests.bench.holders URL ORIGIN PING_EVERY_S`, their cookies on stdin.

Each has a live session, and pings as often as it is told; 0: never. Prints READY when all are live, and holds them
until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

import uvloop
from websockets.asyncio.client import ClientConnection, connect

AT_A_TIME = 20
EACH_ADDRESS = 50


def address_of(number: int) -> tuple[str, int]:
    """Fifty pages come from one address: the whole of 127.0.0.0/8 is loopback on Linux."""
    return f"127.0.0.{2 + number // EACH_ADDRESS}", 0


async def hold(url: str, origin: str, number: int, cookie: str) -> ClientConnection:
    """One page, once its session is live."""
    page = await connect(
        url,
        origin=origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        compression=None,
        ping_interval=None,
        local_addr=address_of(number),
    )
    await page.send(json.dumps({"type": "start", "page_id": str(uuid.uuid4()), "last_down": -1}))
    while json.loads(await page.recv())["type"] != "ready":
        pass
    return page


async def ping(page: ClientConnection, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await page.send('{"type": "ping", "t": 1}')
        await page.recv()


async def main(url: str, origin: str, ping_every_s: float) -> None:
    places = asyncio.Semaphore(AT_A_TIME)

    async def take_a_place(number: int, cookie: str) -> ClientConnection:
        async with places:
            return await hold(url, origin, number, cookie)

    cookies = sys.stdin.read().split()
    pages = await asyncio.gather(*(take_a_place(number, cookie) for number, cookie in enumerate(cookies)))
    print("READY", flush=True)
    if ping_every_s:
        await asyncio.gather(*(ping(page, ping_every_s) for page in pages))
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
