"""`python -m tests.bench.fuzz [--frames N] [--seed S]`: garbage on every socket, and what somebody else notices of it.

Frames of every kind, nearly right and quite wrong, over both sockets and both servers: tracebacks in the log, memory
of the process from the end of the warm-up on, and the round trip of a user who is polite.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import random
import statistics
import struct
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.bench.measuring import MAKE_CALLERS, memory_kb, spread
from tests.services.emulator import QUICK, Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

RUDE_AT_ONCE = 8
FRAMES_A_SOCKET = 400
FRAMES_AT_ONCE = 20
ANSWER_WITHIN_S = 2
PING_EVERY_S = 0.1
COMBINATIONS = [(server, mode) for server in ("daphne", "uvicorn") for mode in ("text", "call")]
WARM_UP = 0.2
"""The part of the frames after which memory counts: by then every path has been taken, and every pool is full."""

GROWTH_LIMIT = 0.05

ODD_TEXTS = ["", "\0", "\udc80", "\ud800\udc00", "x" * 70_000, "9" * 400, "NaN", "null", "\u202e", "🦊" * 40, "<b>"]
ODD_VALUES: list[Any] = [None, True, -1, 0, 2**31, 2**32, 2**70, 1e308, float("nan"), [], {}, [[[[]]]], *ODD_TEXTS]
TYPES = ["start", "text", "mic", "sound", "stop", "reset", "retry", "older", "ping", "heard", "hangup", "ready", "?"]
FIELDS = ["page_id", "last_down", "continue", "fresh", "away_ms", "id", "text", "on", "before", "t", "down", "ms"]


def frames(chance: random.Random) -> Iterator[str | bytes]:
    """What one rude page says."""
    number = 0
    for _ in range(FRAMES_A_SOCKET):
        kind = chance.random()
        if kind < 0.6:
            number += chance.choice([1, 1, 1, 1, 0, -1, 2, 1_000])
            yield struct.pack(">I", number % 2**32) + chance.randbytes(chance.choice([1280, 1280, 640, 2]))
        elif kind < 0.97:
            yield json.dumps(message(chance))
        elif kind < 0.98:
            yield chance.randbytes(chance.choice([1, 3, 5, 20_000]))
        else:
            yield chance.choice(["{", "[]", '"', "\0", '{"type": 3}', '{"type": "text"', "[" * 5_000, "💥" * 9])


def message(chance: random.Random) -> dict[str, Any]:
    """A message of the protocol, of which something may be wrong."""
    told: dict[str, Any] = {
        "type": chance.choice(TYPES),
        "id": str(chance.getrandbits(32)),
        "text": chance.choice(["Hello", "What is a fox?", " "]),
        "on": chance.random() < 0.5,
        "before": chance.randrange(100),
        "t": chance.random(),
        "down": chance.randrange(100),
        "ms": chance.randrange(1000),
    }
    if chance.random() < 0.3:
        told[chance.choice(FIELDS)] = chance.choice(ODD_VALUES)
    return told


@dataclass
class Run:
    """What happened on one kind of socket of one server. `memory_kb`: sampled with the frames sent until then."""

    server: str
    mode: str
    frames: int = 0
    sockets: int = 0
    closed: Counter[int | None] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    round_trips_s: list[float] = field(default_factory=list)
    memory_kb: list[tuple[int, int]] = field(default_factory=list)
    tracebacks: int = 0

    def growth(self) -> float:
        """By which part memory has grown from the end of the warm-up to the last tenth: the middle of each counts.

        Not a number for a run that was too short to tell.
        """
        settled = [kb for sent, kb in self.memory_kb if WARM_UP <= sent / self.frames <= WARM_UP + 0.1]
        late = [kb for sent, kb in self.memory_kb if sent / self.frames >= 0.9]
        return math.nan if not settled or not late else statistics.median(late) / statistics.median(settled) - 1

    def tenths_mb(self) -> list[float]:
        """Memory when each tenth of the frames had been sent."""
        return [
            next((kb / 1024 for sent, kb in self.memory_kb if sent / self.frames >= tenth / 10), math.nan)
            for tenth in range(1, 11)
        ]


class RudePage:
    """One socket of somebody who sends garbage. What comes is counted, by code."""

    def __init__(self, socket: ClientConnection, run: Run) -> None:
        self._socket = socket
        self._run = run
        self._news = asyncio.Event()

    async def say(self, frame: str | bytes) -> None:
        """Lone surrogates are no text on a wire; JSON has them escaped."""
        await self._socket.send(frame.encode("utf-8", "replace").decode() if isinstance(frame, str) else frame)
        self._run.frames += 1

    async def wait_for_an_answer(self) -> None:
        """What is not read is not tried: give the server time to work through what was sent, but not for ever."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), ANSWER_WITHIN_S)

    async def hear(self) -> None:
        with contextlib.suppress(WebSocketException):
            async for frame in self._socket:
                if isinstance(frame, str):
                    told = json.loads(frame)
                    self._run.answers[told["code"] if told["type"] == "error" else told["type"]] += 1
                    if told["type"] in {"ready", "pong", "error"}:
                        self._news.set()
        self._news.set()


async def rude(web: WebServer, cookie: str, run: Run, limit: int, chance: random.Random) -> None:
    """Send garbage, come back when thrown out, until so many frames have gone."""
    while run.frames < limit:
        run.sockets += 1
        with contextlib.suppress(WebSocketException, OSError):
            async with connect(
                f"ws://{web.host}/ws/{run.mode}/",
                additional_headers={"Cookie": cookie},
                origin=web.url,  # type: ignore[arg-type]
                max_size=None,
                ping_interval=None,
                close_timeout=5,
            ) as socket:
                page = RudePage(socket, run)
                hearing = asyncio.create_task(page.hear())
                try:
                    await talk(page, chance)
                finally:
                    await socket.close()
                    await hearing
                    run.closed[socket.close_code] += 1


async def talk(page: RudePage, chance: random.Random) -> None:
    """Begin as a page does, more often than not, and go on as one likes. Raises when thrown out."""
    if chance.random() < 0.8:
        page_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        await page.say(json.dumps({"type": "start", "page_id": page_id, "last_down": -1}))
        await page.wait_for_an_answer()
    for number, frame in enumerate(frames(chance), start=1):
        await page.say(frame)
        if number % FRAMES_AT_ONCE == 0:
            await page.say(json.dumps({"type": "ping", "t": number}))
            await page.wait_for_an_answer()


async def be_polite(web: WebServer, cookie: str, run: Run) -> None:
    """Ping ten times a second from a session of one's own, and note how long each answer takes."""
    headers = {"Cookie": cookie}
    url = f"ws://{web.host}/ws/text/"
    async with connect(url, additional_headers=headers, origin=web.url) as socket:  # type: ignore[arg-type]
        await socket.send(json.dumps({"type": "start", "page_id": str(uuid.uuid4()), "last_down": -1}))
        while True:
            sent_s = time.perf_counter()
            await socket.send(json.dumps({"type": "ping", "t": sent_s}))
            while (told := json.loads(await socket.recv()))["type"] != "pong" or told["t"] != sent_s:
                pass
            run.round_trips_s.append(time.perf_counter() - sent_s)
            await asyncio.sleep(PING_EVERY_S)


async def watch_memory(web: WebServer, run: Run) -> None:
    while True:
        run.memory_kb.append((run.frames, memory_kb(web.pid)))
        await asyncio.sleep(0.2)


async def fuzz(web: WebServer, cookies: list[str], mode: str, limit: int, seed: int) -> Run:
    run = Run(web.kind, mode)
    beside = [asyncio.create_task(be_polite(web, cookies[0], run)), asyncio.create_task(watch_memory(web, run))]
    await asyncio.gather(*(rude(web, cookie, run, limit, random.Random(f"{seed}-{cookie}")) for cookie in cookies[1:]))
    over = [task for task in beside if task.done()]
    for task in beside:
        task.cancel()
    for task in over:
        task.result()  # the polite user was thrown out
    run.tracebacks = web.log().count("Traceback")
    return run


def row(run: Run) -> str:
    p50, p99, longest = spread([trip * 1000 for trip in run.round_trips_s])
    most_kb = max(kb for _, kb in run.memory_kb)
    return (
        f"| {run.server} | {run.mode} | {run.frames:,} | {run.sockets:,} | {run.tracebacks} | {most_kb / 1024:.0f} | "
        f"{run.growth():+.1%} | {p50:.1f} | {p99:.1f} | {longest:.0f} |"
    )


def main() -> None:

    parser = argparse.ArgumentParser(prog="python -m tests.bench.fuzz", description=__doc__)
    parser.add_argument(
        "--frames", type=int, default=1_000_000, help="in all; a quarter of them for each socket of each server"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs=2, metavar=("SERVER", "MODE"), help="daphne or uvicorn, text or call")
    options = parser.parse_args()
    use_settings_of_tests()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as name:
        emulator = Emulator(Path(name) / "emulator", QUICK)
        print("| server | socket | frames | sockets | tracebacks | MB at most | growth | p50 ms | p99 ms | worst ms |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
        for server, mode in [options.only] if options.only else COMBINATIONS:
            web = WebServer(Path(name) / f"{server}-{mode}", emulator.environment, server)
            try:
                cookies = web.shell(MAKE_CALLERS.format(calls=RUDE_AT_ONCE + 1)).split()
                run = asyncio.run(fuzz(web, cookies, mode, options.frames // 4, options.seed))
            finally:
                web.stop()
            print(row(run), flush=True)
            runs.append(run)
            emulator.reset()
        emulator.stop()
    for run in runs:
        print(f"\n{run.server}, {run.mode}: closed {dict(run.closed)}, answered {dict(run.answers)}")
        print(f"MB after each tenth of the frames: {', '.join(f'{mb:.0f}' for mb in run.tenths_mb())}")
    if any(run.tracebacks or run.growth() > GROWTH_LIMIT for run in runs):
        raise SystemExit("a traceback, or memory that grew")


if __name__ == "__main__":
    main()
