"""`./run bench`: the web process on Daphne and on uvicorn beside a bare relay, in the same seconds; `--scale`: how many
calls one core holds, and whether a process grows."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import scale
from tests.bench.contestants import Contestant, bare_relay, provider, relay_on, web
from tests.bench.measuring import cpu_s, memory_kb, spread
from tests.services.settings import use_settings_of_tests

SLICE_S = 5.0


@dataclass(frozen=True)
class Cost:
    """`cpu_ms`: of the process for each second of one call. `ratio`: to the relay's. `memory_kb`: that each call
    adds. `p99_ms`: from a page to the provider and back."""

    name: str
    cpu_ms: float
    ratio: float
    memory_kb: float
    p99_ms: float

    def row(self) -> str:
        return f"| {self.name} | {self.cpu_ms:.2f} | {self.ratio:.2f} | {self.memory_kb:.0f} | {self.p99_ms:.1f} |"


def compare(calls: int, seconds: float, *, holdline: bool) -> list[Cost]:
    """Of Holdline, or of the relay, on each server.

    All hold their calls at the same time, so that whatever slows the machine down slows them all.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory, on = Path(name), web if holdline else relay_on
        at = stack.enter_context(provider("echo", directory))
        contestants = [
            stack.enter_context(bare_relay(at, directory, calls)),
            *(stack.enter_context(on(kind, at, directory, calls)) for kind in ("daphne", "uvicorn")),
        ]
        callers = [stack.enter_context(contestant.call(calls)) for contestant in contestants]
        spent = [spent_in_a_slice(contestants) for _ in range(max(1, round(seconds / SLICE_S)))]
        held_kb = [memory_kb(contestant.pid) for contestant in contestants]
        return [
            Cost(
                contestant.name,
                1000 * statistics.median(each[place] for each in spent) / calls,
                statistics.median(each[place] / each[0] for each in spent),
                (held_kb[place] - contestant.before_kb) / calls,
                spread(callers[place].hang_up().took_ms)[1],
            )
            for place, contestant in enumerate(contestants)
        ]


def spent_in_a_slice(contestants: list[Contestant]) -> list[float]:
    """The share of a core that each takes."""
    began, before_s = time.monotonic(), [cpu_s(contestant.pid) for contestant in contestants]
    time.sleep(SLICE_S)
    after_s, lasted_s = [cpu_s(contestant.pid) for contestant in contestants], time.monotonic() - began
    return [(after - before) / lasted_s for before, after in zip(before_s, after_s, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=20, help="at a time, to each process (default: 20)")
    parser.add_argument("--seconds", type=float, default=30, help="measured, in slices of 5 (default: 30)")
    parser.add_argument("--servers", action="store_true", help="the relay on each server, instead of Holdline")
    parser.add_argument(
        "--scale", action="store_true", help="more and more calls on one core, then ten minutes of them"
    )
    parser.add_argument("--server", choices=("daphne", "uvicorn"), default="uvicorn", help="of --scale")
    parser.add_argument("--minutes", type=float, default=10, help="of the calls of --scale; 0: none (default: 10)")
    options = parser.parse_args()
    use_settings_of_tests()
    if options.scale:
        scale.print_scale(options.server, options.calls, options.minutes)
        return
    print("| process | CPU ms per call-second | ratio | memory KB per call | p99 ms |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for cost in compare(options.calls, options.seconds, holdline=not options.servers):
        print(cost.row())


if __name__ == "__main__":
    main()
