"""`./run bench --scale`: how many calls one core holds until they are late, and what ten minutes of calls leave behind.

The process has a core to itself; the provider and the callers share the others. How late: from the moment a page sends
a frame until it hears the chunk with which the provider answered that frame, their own parts included.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.bench.contestants import Contestant, Provider, bare_relay, provider, web
from tests.bench.measuring import EVERY_CORE, cpu_s, memory_kb, put_on, spread

CORE = frozenset({min(EVERY_CORE)})
OTHER_CORES = EVERY_CORE - CORE or CORE

STEP = 10
CALLS_LIMIT = 200
LATE_MS = 20.0
STEP_S = 10.0

SAMPLE_EVERY_S = 2.0
WARM_UP_SHARE = 0.3
"""Of the ten minutes: until then each call has had its first swaps, and buffers have found their size."""


def print_scale(server: str, calls: int, minutes: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with provider("echo", directory) as at:
            put_on(OTHER_CORES, at.pid)
            print("| process | calls | share of a core | p50 ms | p99 ms | KB per call |")
            print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
            print_ramp(bare_relay(at, directory, CALLS_LIMIT))
            print_ramp(web(server, at, directory / "ramp", CALLS_LIMIT))
        if minutes:
            with provider("swaps", directory) as at:
                put_on(OTHER_CORES, at.pid)
                print_growth(server, at, directory / "growth", calls, minutes)


def print_ramp(entering: AbstractContextManager[Contestant]) -> None:
    """A row for each number of calls, up to the first at which the 99th percentile is late."""
    with entering as contestant:
        put_on(CORE, contestant.pid)
        for calls in range(STEP, CALLS_LIMIT + 1, STEP):
            with contestant.call(calls, OTHER_CORES) as callers:
                began, before_s = time.monotonic(), cpu_s(contestant.pid)
                time.sleep(STEP_S)
                core = (cpu_s(contestant.pid) - before_s) / (time.monotonic() - began)
                kb = (memory_kb(contestant.pid) - contestant.before_kb) / calls
                p50, p99, _ = spread(callers.hang_up().took_ms)
            print(f"| {contestant.name} | {calls} | {core:.0%} | {p50:.1f} | {p99:.1f} | {kb:.0f} |", flush=True)
            if p99 > LATE_MS:
                return


def print_growth(server: str, at: Provider, directory: Path, calls: int, minutes: float) -> None:
    """By a straight line through the memory of the process after a while, to the end."""
    lasts_s = minutes * 60
    with web(server, at, directory, calls) as contestant, contestant.call(calls):
        began = time.monotonic()
        samples: list[tuple[float, float]] = []
        while (at_s := time.monotonic() - began) < lasts_s:
            samples.append((at_s, memory_kb(contestant.pid)))
            time.sleep(SAMPLE_EVERY_S)
    settled = [sample for sample in samples if sample[0] >= WARM_UP_SHARE * lasts_s]
    slope_kb, start_kb = line_through(settled)
    grown_kb = slope_kb * lasts_s
    kb = (settled[-1][1] - contestant.before_kb) / calls
    print(f"\n{calls} calls for {minutes:g} minutes on {server}, each swapped once a minute:")
    print(f"{kb:.0f} KB per call at the end; {grown_kb:+.0f} KB in {minutes:g} minutes, {grown_kb / start_kb:+.1%} of")
    print(f"the process, {grown_kb / calls:+.1f} KB per call")


def line_through(samples: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope, and where it begins."""
    slope, start = statistics.linear_regression(*zip(*samples, strict=True))
    return slope, start
