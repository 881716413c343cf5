"""`python -m tests.bench.swaps`: one call through fifty swaps, dialled with the key, and one dialled with a token each.

Both are held at the same time, each with an emulator of its own, so that whatever slows the machine down slows both.
The worker of the second has no key: another process makes its tokens, and the provider takes its time for each.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.emulator import Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer
from tests.soak.account import Account, Swap
from tests.soak.plan import Kind
from tests.soak.soak import EMULATOR_OPTIONS, Options, hold

MINT_S = 0.3
SECRET = "of-this-bench-and-of-nothing-else-at-all"
ALLOWED_MS = 50.0
KINDS: dict[str, dict[Kind, float]] = {
    "go-away": {"go_away": 1},
    "cut": {"cut": 1},
}
"""By name: of trouble that brings swaps."""


@dataclass(frozen=True)
class Held:
    """What came of a call. `dials`: by whether their token lay ready."""

    name: str
    accounts: list[Account]
    dials: str = ""

    @property
    def swaps(self) -> list[Swap]:
        return [swap for account in self.accounts for swap in account.swaps]

    def gap_ms(self, part: float) -> float:
        gaps = sorted(swap.gap_ms for swap in self.swaps if swap.gap_ms is not None)
        return gaps[min(len(gaps) - 1, int(len(gaps) * part))] if gaps else float("nan")

    def row(self) -> str:
        lost = sum(swap.lost for swap in self.swaps)
        gaps = " | ".join(f"{self.gap_ms(part):.0f}" for part in (0.5, 0.95, 1.0))
        findings = sum(len(account.findings) for account in self.accounts)
        return f"| {self.name} | {len(self.swaps)} | {gaps} | {lost} | {findings} | {self.dials} |"


@contextmanager
def emulator_in(directory: Path) -> Iterator[Emulator]:
    emulator = Emulator(directory / "emulator", EMULATOR_OPTIONS)
    try:
        yield emulator
    finally:
        emulator.stop()


@contextmanager
def web_in(directory: Path, environment: dict[str, str]) -> Iterator[WebServer]:
    web = WebServer(directory, environment)
    try:
        yield web
    finally:
        web.stop()


def with_the_key(options: Options, directory: Path) -> Held:
    with emulator_in(directory) as emulator, web_in(directory / "web", emulator.environment) as web:
        return Held("key", asyncio.run(hold(options, web, emulator)))


def with_tokens(options: Options, directory: Path) -> Held:
    with emulator_in(directory) as emulator:
        emulator.fault("slow_minting", delay_s=MINT_S)
        emulator.fault("resume_uses_token", on=True)
        secret = {"GEMINI_TOKEN_SERVICE_SECRET": SECRET}
        serves = {**emulator.environment, "GEMINI_TOKEN_SERVICE": "1", **secret}
        with web_in(directory / "keeper", serves) as keeper:
            dials = {
                **emulator.environment,
                "GEMINI_API_KEY": "",
                "GEMINI_DIAL_WITH_TOKENS": "1",
                "GEMINI_TOKEN_SERVICE_URL": f"{keeper.url}/token-service/",
                **secret,
            }
            with web_in(directory / "worker", dials) as worker:
                accounts = asyncio.run(hold(options, worker, emulator))
                return Held("tokens", accounts, dials_of(worker))


def dials_of(worker: WebServer) -> str:
    with urllib.request.urlopen(f"{worker.url}/metrics", timeout=10) as response:
        text = response.read().decode()
    counts = re.findall(r'^holdline_token_dials_total\{token="(\w+)"\} (\d+)', text, re.MULTILINE)
    return ", ".join(f"{count} {how}" for how, count in counts)


def compare(options: Options) -> list[Held]:
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as threads:
        directory = Path(name)
        running = [
            threads.submit(with_the_key, options, directory / "key"),
            threads.submit(with_tokens, options, directory / "tokens"),
        ]
        return [each.result() for each in running]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.swaps", description=__doc__)
    parser.add_argument("--swaps", type=int, default=50, help="of each call (default: 50)")
    parser.add_argument("--minutes", type=float, default=15, help="at most (default: 15)")
    parser.add_argument("--calls", type=int, default=1, help="held by each; the swaps are theirs together")
    parser.add_argument("--kind", choices=KINDS, default="go-away", help="of trouble (default: go-away)")
    given = parser.parse_args()
    use_settings_of_tests()
    options = Options(given.calls, given.minutes, seed=1, swaps=given.swaps, kinds=KINDS[given.kind])
    by_key, by_token = compare(options)
    print("| dialled with | swaps | gap p50 ms | p95 | longest | frames lost | findings | tokens |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    print(by_key.row())
    print(by_token.row())
    for held in (by_key, by_token):
        for finding in (finding for account in held.accounts for finding in account.findings):
            print(f"{held.name}: {finding.text}")
    later_ms = by_token.gap_ms(0.95) - by_key.gap_ms(0.95)
    print(f"p95 with tokens: {later_ms:+.0f} ms")
    if later_ms > ALLOWED_MS or any(swap.lost for swap in by_token.swaps):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
