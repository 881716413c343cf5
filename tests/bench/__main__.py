"""`./run bench [--calls N] [--seconds S]`: the web process on Daphne and on uvicorn beside a bare relay, in one run."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.certificate import ensure_certificate
from tests.bench.measuring import MAKE_CALLERS, cpu_s, memory_kb, running
from tests.services.processes import free_port
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

WARM_UP_S = 3.0


@dataclass(frozen=True)
class Cost:
    """`cpu_ms`: of the process for each second of one call. `memory_kb`: that each call adds."""

    name: str
    cpu_ms: float
    memory_kb: float
    frames_lost: int


def measure(name: str, pid: int, url: str, origin: str, cookies: list[str], calls: int, seconds: float) -> Cost:
    """Hold the calls, and see what the process `pid` spends on them."""
    start_callers(url, origin, cookies[:1], 1).wait()  # what is loaded once is not the cost of a call
    before_kb = memory_kb(pid)
    callers = start_callers(url, origin, cookies, seconds + 2 * WARM_UP_S)
    assert callers.stdout is not None
    if callers.stdout.readline().strip() != "READY":
        raise RuntimeError(f"the callers could not talk to {name}")
    time.sleep(WARM_UP_S)
    started, spent_s = time.monotonic(), cpu_s(pid)
    time.sleep(seconds)
    lasted_s, spent_s = time.monotonic() - started, cpu_s(pid) - spent_s
    held_kb = memory_kb(pid)
    result = json.loads(callers.stdout.readline())
    callers.wait()
    expected = int(calls * (seconds + 2 * WARM_UP_S) * 10)
    return Cost(
        name,
        spent_s * 1000 / lasted_s / calls,
        (held_kb - before_kb) / calls,
        max(0, expected - result["heard"] - calls * 2),
    )


def start_callers(url: str, origin: str, cookies: list[str], seconds: float) -> subprocess.Popen[str]:
    """Callers in a process of their own, one for each cookie."""
    callers = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.callers", url, origin, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert callers.stdin is not None
    callers.stdin.write("\n".join(cookies))
    callers.stdin.close()
    return callers


def measure_relay(directory: Path, provider_url: str, certificate: str, calls: int, seconds: float) -> Cost:
    port = free_port()
    with running("relay", str(port), provider_url, certificate, port=port, directory=directory) as relay:
        url = f"ws://127.0.0.1:{port}/"
        return measure("bare relay", relay.pid, url, f"http://127.0.0.1:{port}", ["-"] * calls, calls, seconds)


def measure_web(kind: str, directory: Path, environment: dict[str, str], calls: int, seconds: float) -> Cost:
    server = WebServer(directory / kind, environment, kind)
    try:
        cookies = server.shell(MAKE_CALLERS.format(calls=calls)).split()
        url = f"ws://{server.host}/ws/call/"
        return measure(f"Holdline on {kind}", server.pid, url, server.url, cookies, calls, seconds)
    finally:
        server.stop()


def mean(costs: Sequence[Cost]) -> Cost:
    """Of one process in all rounds: processors slow down and speed up by a fifth from one minute to the next."""
    return Cost(
        costs[0].name,
        statistics.mean(cost.cpu_ms for cost in costs),
        statistics.mean(cost.memory_kb for cost in costs),
        sum(cost.frames_lost for cost in costs),
    )


def table(costs: list[Cost]) -> str:
    """The costs, with their ratio to the first."""
    lines = [
        "| process | CPU ms per call-second | ratio | memory KB per call | chunks missed |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for cost in costs:
        ratio = cost.cpu_ms / costs[0].cpu_ms
        lines.append(f"| {cost.name} | {cost.cpu_ms:.2f} | {ratio:.2f} | {cost.memory_kb:.0f} | {cost.frames_lost} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=20, help="calls at a time (default: 20)")
    parser.add_argument("--seconds", type=float, default=10, help="measured for each process (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="of all processes, whose mean counts (default: 3)")
    options = parser.parse_args()
    use_settings_of_tests()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        certificate = ensure_certificate(directory, "127.0.0.1")
        port = free_port()
        paths = (str(certificate), str(certificate.with_name("key.pem")))
        with running("provider", str(port), *paths, port=port, directory=directory):
            environment = {
                "GOOGLE_GEMINI_BASE_URL": f"https://127.0.0.1:{port}",
                "SSL_CERT_FILE": paths[0],
                "GEMINI_API_KEY": "bench",
                "LOG_LEVEL": "WARNING",
            }
            provider_url = f"wss://127.0.0.1:{port}/"
            rounds = [
                [
                    measure_relay(directory, provider_url, paths[0], options.calls, options.seconds),
                    *(
                        measure_web(kind, directory / str(number), environment, options.calls, options.seconds)
                        for kind in ("daphne", "uvicorn")
                    ),
                ]
                for number in range(options.rounds)
            ]
    print(table([mean(costs) for costs in zip(*rounds, strict=True)]))


if __name__ == "__main__":
    main()
