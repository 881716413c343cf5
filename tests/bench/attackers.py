"""Rude clients: `python -m tests.bench.attackers KIND HOST SECONDS`, their cookies on stdin, one a line.

They speak WebSocket by hand, for no library would do what they do. A line of stdin may name a conversation behind a
blank after the cookie. Prints a line of JSON in the end: how many sockets were opened, and how many were refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
import uuid
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

BOMBS = 30
BOMB_MESSAGES = 8
BOMB_BYTES = 16 * 1024 * 1024
"""The largest message that uvicorn takes when nobody tells it otherwise."""

SILENT = 500
STARTS = 300
STARTS_WAIT_S = 3.0
SLOW = 180
SLOW_RECEIVE_BYTES = 4_096
SLOW_ASKS_EVERY_S = 0.1

TEXT, BINARY = 1, 2
NEWEST_TURN = 2**31 - 1


@dataclass
class Line:
    """One socket. `writer` is None when the handshake was refused."""

    writer: asyncio.StreamWriter | None

    def send(self, kind: int, payload: bytes, *, compressed: bool = False) -> None:
        if self.writer is None or self.writer.is_closing():
            return
        head = 0x80 | (0x40 if compressed else 0) | kind
        size = len(payload)
        if size < 126:
            length = struct.pack(">B", 0x80 | size)
        elif size < 65_536:
            length = struct.pack(">BH", 0x80 | 126, size)
        else:
            length = struct.pack(">BQ", 0x80 | 127, size)
        self.writer.write(bytes([head]) + length + bytes(4) + payload)  # a mask of zeros changes nothing

    def say(self, **message: object) -> None:
        self.send(TEXT, json.dumps(message).encode())

    def tear(self) -> None:
        if self.writer is not None:
            self.writer.transport.abort()


async def knock(host: str, mode: str, line: str, number: int, *, reads: bool = True) -> Line:
    """Open one socket, from one of some addresses of loopback."""
    address, port = host.split(":")
    near = socket.socket()
    if not reads:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_RECEIVE_BYTES)
    near.setblocking(False)
    near.bind((f"127.0.1.{1 + number // 50}", 0))
    loop = asyncio.get_running_loop()
    await loop.sock_connect(near, (address, int(port)))
    reader, writer = await asyncio.open_connection(sock=near, limit=1_024)
    cookie = line.split()[0] if line else ""
    writer.write(
        f"GET /ws/{mode}/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
    )
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError):
        return Line(None)
    if b" 101 " not in answer:
        writer.close()
        return Line(None)
    if reads:
        task = asyncio.create_task(swallow(reader))
        KEPT.add(task)
        task.add_done_callback(KEPT.discard)
    return Line(writer)


KEPT: set[asyncio.Task[None]] = set()


async def swallow(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65_536):
            pass


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=-12)
    return (packer.compress(bytes(BOMB_BYTES)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def throw_bombs(host: str, lines: list[str], seconds: float) -> list[Line]:
    payload = bomb()

    async def throw(number: int) -> Line:
        line = await knock(host, "text", lines[number % len(lines)], number)
        for _ in range(BOMB_MESSAGES):
            line.send(BINARY, payload, compressed=True)
        return line

    return await at_once(throw, BOMBS, seconds)


async def stay_silent(host: str, lines: list[str], seconds: float) -> list[Line]:
    return await at_once(lambda number: knock(host, "text", lines[0], number), SILENT, seconds)


async def start_all(host: str, lines: list[str], seconds: float) -> list[Line]:
    async def start(number: int) -> Line:
        line = await knock(host, "text", lines[0], number)
        line.say(type="start", page_id=str(uuid.uuid4()), last_down=-1)
        return line

    return await at_once(start, STARTS, STARTS_WAIT_S)


async def take_nothing(host: str, lines: list[str], seconds: float) -> list[Line]:
    """Two pages of each user, who ask for their long conversation again and again, and read none of it."""

    async def ask(number: int) -> Line:
        mode = ("text", "call")[number % 2]
        name, conversation = lines[number // 2].split()
        line = await knock(host, mode, name, number, reads=False)
        line.say(type="start", page_id=str(uuid.uuid4()), last_down=-1, **{"continue": conversation})
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and line.writer is not None and not line.writer.is_closing():
            line.say(type="older", before=NEWEST_TURN)
            line.say(type="ping", t=1)
            await asyncio.sleep(SLOW_ASKS_EVERY_S * 2)
        return line

    return await at_once(ask, SLOW, 0)


async def at_once(act: Callable[[int], Awaitable[Line]], times: int, seconds: float) -> list[Line]:
    lines = await asyncio.gather(*(act(number) for number in range(times)))
    await asyncio.sleep(seconds)
    return lines


KINDS = {"bombs": throw_bombs, "silent": stay_silent, "starts": start_all, "slow": take_nothing}


async def main(kind: str, host: str, seconds: float) -> None:
    given = sys.stdin.read().splitlines() or [""]
    lines = await KINDS[kind](host, given, seconds)
    opened = sum(line.writer is not None for line in lines)
    for line in lines:
        line.tear()
    print(json.dumps({"opened": opened, "refused": len(lines) - opened}), flush=True)


if __name__ == "__main__":
    os.nice(5)
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
