"""`python -m tests.bench.owners [--calls N] [--only NAME]`: two web workers at one PostgreSQL and one Valkey, which are
killed, stopped, suspended and restarted, and lose their database or their Valkey, in the middle of calls.

The callers are those of the soak, without its troubles: they keep what was not acknowledged, come back to the other
worker, and in the end there is an account of every frame and every exchange.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.bench.measuring import MAKE_CALLERS, spread
from tests.services.emulator import Emulator
from tests.services.postgres import running_postgres
from tests.services.settings import use_settings_of_tests
from tests.services.valkey import running_valkey
from tests.services.web import WebServer
from tests.soak import report
from tests.soak.account import Account, account_of
from tests.soak.conversation import Conversation
from tests.soak.page import SoakPage
from tests.soak.provider import Provider
from tests.soak.soak import EMULATOR_OPTIONS

TALK_S = 5.0
SUSPENDED_S = 20.0
AWAY_S = 30.0
SETTLE_S = 60
SEED = 1
STORIES = Path("var") / "owners"

COUNT_ROWS = """
from sessions_app.models import SessionEvent, TurnUsage
from django.db.models import F
late = [model.objects.filter(live_session__end_reason="owner-lost", at__gt=F("live_session__ended_at")).count()
        for model in (SessionEvent, TurnUsage)]
print(sum(late))
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

    def __init__(self, fleet: Fleet, web: WebServer, cookie: str) -> None:
        super().__init__(web, cookie)
        self.fleet = fleet

    def _note_close(self) -> None:
        super()._note_close()
        assert isinstance(self.web, WebServer)
        self.web = self.fleet.other(self.web)


@dataclass
class Bench:
    fleet: Fleet
    provider: Provider
    callers: list[Conversation]

    async def gather(self, worker: WebServer) -> None:
        """Bring all callers to one worker."""
        for caller in self.callers:
            if caller.page.web is not worker:
                caller.page.lose_network(0.1)
        await self.all_live(lambda page: page.web is worker)
        await asyncio.sleep(TALK_S)

    async def all_live(self, also: Callable[[SoakPage], bool] = lambda page: True) -> None:
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
    rows = (await asyncio.to_thread(worker.shell, COUNT_ROWS)).strip()
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


async def measure(options: argparse.Namespace, fleet: Fleet, emulator: Emulator) -> None:
    cookies = (await asyncio.to_thread(fleet.workers[0].shell, MAKE_CALLERS.format(calls=options.calls))).split()
    provider = Provider(emulator)
    callers = [
        Conversation(number, SEED, FleetPage(fleet, fleet.workers[number % 2], cookie), provider, redials=0, kinds={})
        for number, cookie in enumerate(cookies)
    ]
    bench = Bench(fleet, provider, callers)
    is_over = asyncio.Event()
    watching = asyncio.create_task(provider.watch())
    holding = [asyncio.create_task(caller.hold(is_over)) for caller in callers]
    await bench.all_live()
    await asyncio.sleep(TALK_S)
    for name, (title, part, times) in PARTS.items():
        if options.only and name not in options.only:
            continue
        for _ in range(times):
            print(f"{title}: {await part(bench)}", flush=True)
    is_over.set()
    await asyncio.gather(*holding)
    await provider.look()
    watching.cancel()
    _tell_what_was_lost([await account_of(caller) for caller in callers])


def _tell_what_was_lost(accounts: list[Account]) -> None:
    """By the soak's account; that lines and pages went is no finding here, for that is what was done to them."""
    frames = sum(account.conversation.page.outbox.next_number for account in accounts)
    swaps = [swap for account in accounts for swap in account.swaps]
    lost, repeated = sum(swap.lost for swap in swaps), sum(swap.repeated for swap in swaps)
    exchanges = sum(len(account.conversation.exchanges) for account in accounts)
    print(f"{frames:,} frames said, {lost} lost, {repeated} repeated in {len(swaps)} swaps; {exchanges} exchanges")
    shutil.rmtree(STORIES, ignore_errors=True)
    STORIES.mkdir(parents=True)
    report.write_stories(accounts, STORIES)
    print(f"The stories of all: {STORIES}")
    for account in accounts:
        for finding in account.findings:
            if not finding.text.endswith("for no reason") and "closed the page's socket" not in finding.text:
                print(f"conversation {finding.conversation}: {finding.text}")


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
