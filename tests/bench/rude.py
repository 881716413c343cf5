"""`python -m tests.bench.rude`: what one user notices of the rudeness of others, on both servers.

While somebody types and somebody else pings, others throw bombs, keep sockets open without a word, start 300 sessions
of one user, and take nothing of what they are sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measuring import MAKE_CALLERS, memory_kb, spread
from tests.scenarios.page import Page, log_in
from tests.services.cast import PASSWORD
from tests.services.emulator import QUICK, Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

PING_EVERY_S = 0.1
TYPE_EVERY_S = 0.5
LONGEST_WAIT_S = 90.0
QUIET_S = 6.0
RUDE_S = 12.0

MAKE_CHATS = """
from datetime import datetime, UTC
from django.contrib.auth.models import User
from sessions_app.models import Conversation, Turn
for user in User.objects.filter(username__startswith="caller-").order_by("pk"):
    talk = Conversation.objects.create(user=user, mode="text")
    Turn.objects.bulk_create(
        Turn(conversation=talk, number=number, role="user", text="x" * 2_500, status="complete",
             at=datetime(2026, 1, 1, tzinfo=UTC))
        for number in range(200)
    )
    print(talk.pk)
"""


@dataclass
class Felt:
    """What the polite ones noticed: how long answers took, in ms, and what was never answered."""

    pongs_ms: list[float] = field(default_factory=list)
    replies_ms: list[float] = field(default_factory=list)
    lost: int = 0

    def row(self, server: str, what: str, worst_kb: int, note: str) -> str:
        pongs = " / ".join(f"{value:.0f}" for value in spread(self.pongs_ms))
        replies = " / ".join(f"{value:.0f}" for value in spread(self.replies_ms))
        return f"| {server} | {what} | {pongs} | {replies} | {self.lost} | {worst_kb / 1024:.0f} | {note} |"


class Polite:
    """Somebody who types, and somebody else who pings, for as long as something lasts."""

    def __init__(self, web: WebServer) -> None:
        self._typist = Page(web, "text", "alice")
        self._pinger = Page(web, "text", "bob")
        self._pings = 0

    async def come(self) -> None:
        for page in (self._typist, self._pinger):
            await page.connect()
            await page.start()

    async def leave(self) -> None:
        for page in (self._typist, self._pinger):
            await page.hang_up()

    async def feel(self, others: Awaitable[str]) -> tuple[Felt, str]:
        felt = Felt()
        rude = asyncio.ensure_future(others)
        typing, pinging = (
            asyncio.create_task(self._go_on(rude, felt, act, every_s))
            for act, every_s in ((self._type, TYPE_EVERY_S), (self._ping, PING_EVERY_S))
        )
        await asyncio.gather(typing, pinging)
        felt.lost += sum(len(message["ids"]) for message in self._typist.of_type("lost"))
        return felt, await rude

    async def _go_on(
        self, rude: asyncio.Future[str], felt: Felt, act: Callable[[Felt], Awaitable[None]], every_s: float
    ) -> None:
        while not rude.done():
            try:
                await act(felt)
            except AssertionError as error:
                felt.lost += 1
                print(f"lost: {str(error)[:200]}", file=sys.stderr)
                return
            await asyncio.sleep(every_s)

    async def _type(self, felt: Felt) -> None:
        began = time.perf_counter()
        await self._typist.say("Hello")
        await self._typist.reply()
        felt.replies_ms.append((time.perf_counter() - began) * 1000)

    async def _ping(self, felt: Felt) -> None:
        self._pings += 1
        began = time.perf_counter()
        await self._pinger.send(type="ping", t=self._pings)
        await self._pinger.wait_for("pong", t=self._pings)
        felt.pongs_ms.append((time.perf_counter() - began) * 1000)


async def attack(web: WebServer, kind: str, lines: Sequence[str]) -> str:
    """Run the attackers in a process of their own; gives what they say of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.attackers", kind, web.host, str(RUDE_S)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    said, _ = await process.communicate("\n".join(lines).encode())
    facts = json.loads(said)
    return f"{facts['opened']} opened, {facts['refused']} refused"


async def start_300(web: WebServer, cookie: str) -> str:
    """Three hundred starts of one user, who then goes, and one more by which it is seen what they have left."""
    said = await attack(web, "starts", [cookie])
    began = time.perf_counter()
    page = Page(web, "text", "sam")
    try:
        await page.connect()
        await page.start()
    except (AssertionError, TimeoutError):
        return f"{said}; no session after {LONGEST_WAIT_S:.0f} s"
    took_s = time.perf_counter() - began
    await page.disconnect()
    return f"{said}; the next start took {took_s:.2f} s"


async def wait(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return ""


async def suffer(web: WebServer, users: list[str], only: str) -> None:
    cookies = [line.split()[0] for line in users]
    await asyncio.to_thread(log_in, web.url, "sam", PASSWORD)  # to log in is not what is measured
    sam = next(pair for pair in web.log_in("sam").split("; ") if pair.startswith("sessionid"))
    polite = Polite(web)
    await polite.come()
    trials: dict[str, Callable[[], Awaitable[str]]] = {
        "nobody else": lambda: wait(QUIET_S),
        "30 bombs of visitors": lambda: attack(web, "bombs", []),
        "30 bombs of users": lambda: attack(web, "bombs", cookies[:30]),
        "500 silent sockets of one user": lambda: attack(web, "silent", cookies[:1]),
        "300 starts of one user": lambda: start_300(web, sam),
        "180 that take nothing": lambda: attack(web, "slow", users),
        "nobody else, afterwards": lambda: wait(QUIET_S),
    }
    for what, others in trials.items():
        if only not in what:
            continue
        before_kb = forget_peak(web.pid)
        felt, note = await polite.feel(others())
        print(felt.row(web.kind, what, web.peak_kb(), f"{before_kb / 1024:.0f} MB before. {note}"), flush=True)
        await asyncio.sleep(1)
    await polite.leave()


def forget_peak(pid: int) -> int:
    """Have the kernel measure the peak from now on; gives the present size in KB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return memory_kb(pid)


def main() -> None:
    import tests.scenarios.page as page_of_tests

    parser = argparse.ArgumentParser(prog="python -m tests.bench.rude", description=__doc__)
    parser.add_argument("--server", choices=("daphne", "uvicorn"), help="only this one")
    parser.add_argument("--only", default="", help="trials with this in their name")
    options = parser.parse_args()
    use_settings_of_tests()
    page_of_tests.ANSWER_WITHIN_S = LONGEST_WAIT_S
    print("| server | others | pong ms p50 / p99 / max | reply ms p50 / p99 / max | lost | MB at the worst | |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |", flush=True)
    with tempfile.TemporaryDirectory() as name:
        emulator = Emulator(Path(name) / "emulator", QUICK)
        for kind in (options.server,) if options.server else ("daphne", "uvicorn"):
            web = WebServer(Path(name) / kind, {**emulator.environment, "LOG_LEVEL": "ERROR"}, kind)
            cookies = web.shell(MAKE_CALLERS.format(calls=90)).split()
            chats = web.shell(MAKE_CHATS).split()
            try:
                asyncio.run(suffer(web, [" ".join(pair) for pair in zip(cookies, chats, strict=True)], options.only))
            finally:
                web.stop()
        emulator.stop()


if __name__ == "__main__":
    main()
