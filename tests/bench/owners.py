"""`python -m tests.bench.owners [--calls N] [--only NAME]`: two web workers at one PostgreSQL and one Valkey, which are
killed, stopped, suspended and restarted, and lose their database or their Valkey, in the middle of calls.

The callers keep what was not acknowledged, and come back to the other worker. Each frame carries its number, so that
the emulator can tell which of them a call's session knows in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.bench.measuring import MAKE_CALLERS, spread
from tests.scenarios.page import FRAME_BYTES, FRAME_MS
from tests.services.emulator import Emulator
from tests.services.postgres import running_postgres
from tests.services.settings import use_settings_of_tests
from tests.services.valkey import running_valkey
from tests.services.web import WebServer
from tests.soak.page import SoakPage
from tests.soak.provider import Provider
from tests.soak.soak import EMULATOR_OPTIONS
from tests.soak.speech import utterances
from tests.soak.stamps import stamped

TALK_S = 5.0
SUSPENDED_S = 20.0
AWAY_S = 30.0
PAUSE_FRAMES = 60
SETTLE_S = 60

COUNT_ROWS = """
from sessions_app.models import SessionEvent, Turn, TurnUsage
from django.db.models import F
late = [model.objects.filter(live_session__end_reason="owner-lost", at__gt=F("live_session__ended_at")).count()
        for model in (SessionEvent, TurnUsage)]
print(sum(late), Turn.objects.count())
"""


class Fleet:
    """Two workers. Pages go to the next one that runs when their socket has gone."""

    def __init__(self, directory: Path, emulator: Emulator, kind: str) -> None:
        first = WebServer(directory / "web-1", emulator.environment, kind)
        environment = {**emulator.environment, "DATABASE_URL": first.database_url}
        self.workers = [first, WebServer(directory / "web-2", environment, kind)]
        self.shunned: set[WebServer] = set()

    def other(self, worker: WebServer) -> WebServer:
        first, second = self.workers
        other = second if worker is first else first
        return worker if other in self.shunned else other

    async def restart(self, worker: WebServer) -> None:
        await asyncio.to_thread(worker.start)
        self.shunned.discard(worker)


class FleetPage(SoakPage):
    """Comes back by way of the other worker, as behind a proxy that has taken the first one out."""

    fleet: Fleet

    def _note_close(self) -> None:
        super()._note_close()
        assert isinstance(self.web, WebServer)
        self.web = self.fleet.other(self.web)


@dataclass
class Caller:
    """One call that is held all the time, and how many frames it has said."""

    number: int
    page: FleetPage
    said: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        self.tasks = [asyncio.create_task(self.page.live()), asyncio.create_task(self._speak())]

    async def _speak(self) -> None:
        """A sentence, a pause, the next sentence: forty milliseconds at a time."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for sentence in itertools.cycle(utterances()):
            pcm = b"".join(sentence.frames) + bytes(PAUSE_FRAMES * FRAME_BYTES)
            for start in range(0, len(pcm) - FRAME_BYTES, FRAME_BYTES):
                await self.page.speak_frame(stamped(pcm[start : start + FRAME_BYTES], self.number, self.said))
                self.said += 1
                due += FRAME_MS / 1000
                await asyncio.sleep(max(0, due - loop.time()))

    async def stop(self) -> None:
        self.tasks[1].cancel()
        await self.page.pump()


@dataclass
class Bench:
    fleet: Fleet
    provider: Provider
    callers: list[Caller]

    async def gather(self, worker: WebServer) -> None:
        """Bring all callers to one worker."""
        for caller in self.callers:
            if caller.page.web is not worker:
                caller.page.lose_network(0.1)
        await self.all_live(lambda page: page.web is worker)
        await asyncio.sleep(TALK_S)

    async def all_live(self, also: Callable[[FleetPage], bool] = lambda page: True) -> None:
        async with asyncio.timeout(SETTLE_S):
            await _comes(lambda: all(caller.page.is_live and also(caller.page) for caller in self.callers))

    def gaps_since(self, at: float) -> list[float]:
        """How long each page was without its session, in seconds."""
        return [
            absence.ready_at - absence.gone_at
            for caller in self.callers
            for absence in caller.page.absences
            if absence.gone_at >= at
        ]

    def doubled_s(self, since: float) -> float:
        """The longest time for which one conversation had two connections to the provider."""
        longest = 0.0
        for caller in self.callers:
            links = self.provider.links(caller.number)
            for one, two in itertools.pairwise(links):
                end = one.closed_at or time.time()
                longest = max(longest, min(end, two.closed_at or end) - max(two.opened_at, since))
        return longest


async def kill(bench: Bench) -> str:
    worker = bench.fleet.workers[0]
    return await _lose(bench, worker, signal.SIGKILL)


async def leave(bench: Bench) -> str:
    worker = bench.fleet.workers[0]
    return await _lose(bench, worker, signal.SIGTERM)


async def _lose(bench: Bench, worker: WebServer, number: signal.Signals) -> str:
    await bench.gather(worker)
    at = time.time()
    bench.fleet.shunned.add(worker)
    worker.send(number)
    await asyncio.to_thread(worker.wait)
    ended_s = time.time() - at
    await bench.all_live(lambda page: page.web is not worker)
    await asyncio.sleep(TALK_S)
    await bench.fleet.restart(worker)
    return f"{_told(bench.gaps_since(at))}; the process ended after {ended_s:.1f} s"


async def suspend(bench: Bench) -> str:
    worker = bench.fleet.workers[0]
    await bench.gather(worker)
    at = time.time()
    bench.fleet.shunned.add(worker)
    worker.send(signal.SIGSTOP)
    for caller in bench.callers:
        caller.page.lose_network(0.1)
    await bench.all_live(lambda page: page.web is not worker)
    await asyncio.sleep(max(0.0, at + SUSPENDED_S - time.time()))
    woken_at = time.time()
    worker.send(signal.SIGCONT)
    await asyncio.sleep(TALK_S)
    bench.fleet.shunned.discard(worker)
    await bench.provider.look()
    rows, _ = (await asyncio.to_thread(worker.shell, COUNT_ROWS)).split()
    doubled = f"two lines for {bench.doubled_s(woken_at):.2f} s after it woke"
    return f"{_told(bench.gaps_since(at))}; {doubled}; rows by who was fenced: {rows}"


async def roll(bench: Bench) -> str:
    """Both workers are restarted, one after the other."""
    at, ended_s = time.time(), []
    for worker in bench.fleet.workers:
        began = time.time()
        bench.fleet.shunned.add(worker)
        worker.send(signal.SIGTERM)
        await asyncio.to_thread(worker.wait)
        ended_s.append(time.time() - began)
        await bench.all_live(lambda page, gone=worker: page.web is not gone)  # type: ignore[misc]
        await bench.fleet.restart(worker)
        await asyncio.sleep(TALK_S)
    ends = " and ".join(f"{seconds:.1f}" for seconds in ended_s)
    return f"{_told(bench.gaps_since(at))}; the processes ended after {ends} s"


async def without_valkey(bench: Bench) -> str:
    return await _without(bench, "valkey")


async def without_postgres(bench: Bench) -> str:
    return await _without(bench, "postgres")


async def without_both(bench: Bench) -> str:
    return await _without(bench, "valkey", "postgres")


async def _without(bench: Bench, *names: str) -> str:
    """Suspended servers answer nothing; half a minute later they go on."""
    at = time.time()
    with suspended(*names):
        await asyncio.sleep(2)
        early = [caller.page.acknowledged for caller in bench.callers]
        await asyncio.sleep(AWAY_S - 2)
        late = [caller.page.acknowledged for caller in bench.callers]
    went_on = sum(caller.page.is_live for caller in bench.callers)
    back_at = time.time()
    async with asyncio.timeout(SETTLE_S):
        pairs = list(zip(bench.callers, late, strict=True))
        await _comes(lambda: all(caller.page.acknowledged > past for caller, past in pairs))
    meanwhile = sum(now > then for now, then in zip(late, early, strict=True))
    return (
        f"{went_on} of {len(bench.callers)} lines live all the time, pages torn: {len(bench.gaps_since(at))}; "
        f"pages with an ack meanwhile: {meanwhile}; all acknowledged again {time.time() - back_at:.1f} s after"
    )


@contextmanager
def suspended(*names: str) -> Iterator[None]:
    """The servers that this process has started stand still."""
    pids = _servers(names)
    if not pids:
        raise RuntimeError(f"no {names}")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _servers(names: tuple[str, ...]) -> list[int]:
    """The processes of the servers that this bench has started."""
    pids = []
    if "valkey" in names:
        pids += [pid for pid in _children(os.getpid()) if Path(f"/proc/{pid}/comm").read_text().startswith("valkey")]
    if "postgres" in names:
        directory = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
        master = int((Path(directory) / "postmaster.pid").read_text().split()[0])
        pids += [master, *_children(master)]
    return pids


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


PARTS: dict[str, tuple[str, Callable[[Bench], Awaitable[str]], int]] = {
    "kill": ("kill -9 of the owner", kill, 3),
    "leave": ("SIGTERM of the owner", leave, 3),
    "suspend": ("SIGSTOP for 20 s, pages moved, SIGCONT", suspend, 1),
    "roll": ("both restarted, one after the other", roll, 1),
    "valkey": ("Valkey away for 30 s", without_valkey, 1),
    "postgres": ("PostgreSQL away for 30 s", without_postgres, 1),
    "both": ("both away for 30 s", without_both, 1),
}


async def _comes(condition: Callable[[], bool]) -> None:
    """Look until something is so."""
    while not condition():  # noqa: ASYNC110 - what happens in another process wakes nobody up here
        await asyncio.sleep(0.01)


def _told(gaps: list[float]) -> str:
    ordered = sorted(gaps) or [float("nan")]
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"gap median {spread(gaps)[0]:.2f}, p95 {p95:.2f}, longest {ordered[-1]:.2f} s ({len(gaps)} pages)"


async def _settle(bench: Bench) -> tuple[int, int]:
    """Everything said is heard; frames lost in all calls, and frames that a session knows twice."""
    for caller in bench.callers:
        await caller.stop()
    lost = repeated = 0
    for caller in bench.callers:
        async with asyncio.timeout(SETTLE_S):
            while not (caller.page.is_live and caller.page.outbox.is_sent):
                await asyncio.sleep(0.05)
                await caller.page.pump()
    await asyncio.sleep(3)
    await bench.provider.look()
    for caller in bench.callers:
        known: Counter[int] = Counter()
        for session in {link.session for link in bench.provider.links(caller.number)}:
            hearing = await bench.provider.hearing(session)
            known.update(number for number in hearing.known if number is not None)
        lost += caller.said - len(known)
        repeated += sum(known.values()) - len(known)
        await caller.page.end()
        caller.tasks[0].cancel()
    return lost, repeated


async def measure(options: argparse.Namespace, fleet: Fleet, emulator: Emulator) -> None:
    cookies = (await asyncio.to_thread(fleet.workers[0].shell, MAKE_CALLERS.format(calls=options.calls))).split()
    provider = Provider(emulator)
    callers = []
    for number, cookie in enumerate(cookies):
        page = FleetPage(fleet.workers[number % 2], cookie)
        page.fleet = fleet
        callers.append(Caller(number, page))
    bench = Bench(fleet, provider, callers)
    watching = asyncio.create_task(provider.watch())
    for caller in callers:
        caller.start()
        await asyncio.sleep(0.05)
    await bench.all_live()
    await asyncio.sleep(TALK_S)
    for name, (title, part, times) in PARTS.items():
        if options.only and name not in options.only:
            continue
        for _ in range(times):
            print(f"{title}: {await part(bench)}", flush=True)
    lost, repeated = await _settle(bench)
    frames = sum(caller.said for caller in callers)
    replies = Counter(turn.get("code") for caller in callers for turn in caller.page.turns.values())
    actions = Counter(told.message.get("action") for caller in callers for told in caller.page.story)
    print(", ".join(f"{action}: {count}" for action, count in actions.items() if action))
    again = replies["turn.given_again"]
    print(f"{frames:,} frames said, {lost} lost; {repeated} known twice; replies given again: {again}")
    watching.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.owners", description=__doc__)
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="uvicorn")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=[])
    options = parser.parse_args()
    with running_valkey() as redis_url, running_postgres() as database_url, tempfile.TemporaryDirectory() as name:
        os.environ |= {"REDIS_URL": redis_url, "DATABASE_URL": database_url}
        use_settings_of_tests()
        emulator = Emulator(Path(name) / "emulator", EMULATOR_OPTIONS)
        try:
            fleet = Fleet(Path(name), emulator, options.server)
            try:
                asyncio.run(measure(options, fleet, emulator))
            finally:
                for worker in fleet.workers:
                    worker.stop()
        finally:
            emulator.stop()


if __name__ == "__main__":
    main()
