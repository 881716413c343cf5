"""`python -m tests.bench.idle [--pages N]`: what live sessions cost in which nobody says anything, on both servers.

Each is a text chat of somebody else. Once their pages say nothing at all, as in a tab that is long forgotten; once they
ping every second, as pages do that are looked at.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measuring import MAKE_CALLERS, cpu_s, memory_kb, running
from tests.services.settings import use_settings_of_tests

SETTLED_AFTER_S = 15.0
"""Where something was said, the provider is looked after for some seconds more."""
PINGS = {"none": 0.0, "every second": 1.0}


@dataclass(frozen=True)
class Cost:
    """`core`: the share of a processor core that all of them take; `kb`: of memory each."""

    server: str
    pings: str
    core: float
    kb: float

    def row(self) -> str:
        return f"| {self.server} | {self.pings} | {self.core:.1%} | {self.kb:.0f} |"


def measure(kind: str, pings: str, directory: Path, environment: dict[str, str], pages: int, seconds: float) -> Cost:
    from tests.services.web import WebServer

    web = WebServer(directory, environment, kind)
    try:
        cookies = web.shell(MAKE_CALLERS.format(calls=pages + 1)).split()
        start_holders(web.host, web.url, cookies[:1], 0).terminate()  # what is loaded once is not the cost of a page
        before_kb = memory_kb(web.pid)
        holders = start_holders(web.host, web.url, cookies[1:], PINGS[pings])
        time.sleep(SETTLED_AFTER_S)
        began, spent_s = time.monotonic(), cpu_s(web.pid)
        time.sleep(seconds)
        core = (cpu_s(web.pid) - spent_s) / (time.monotonic() - began)
        kb = (memory_kb(web.pid) - before_kb) / pages
        holders.terminate()
        holders.wait()
    finally:
        web.stop()
    return Cost(kind, pings, core, kb)


def start_holders(host: str, origin: str, cookies: list[str], ping_every_s: float) -> subprocess.Popen[str]:
    """Pages in a process of their own, one for each cookie, all of them live."""
    holders = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.holders", f"ws://{host}/ws/text/", origin, str(ping_every_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holders.stdin is not None
    assert holders.stdout is not None
    holders.stdin.write("\n".join(cookies))
    holders.stdin.close()
    if holders.stdout.readline().strip() != "READY":
        raise RuntimeError("not every page got its session")
    return holders


def main() -> None:
    from emulator.certificate import ensure_certificate
    from tests.services.processes import free_port

    parser = argparse.ArgumentParser(prog="python -m tests.bench.idle", description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000, help="at a time (default: 1000)")
    parser.add_argument("--seconds", type=float, default=20, help="measured for each (default: 20)")
    options = parser.parse_args()
    use_settings_of_tests()
    print("| server | pings of the pages | share of a core | KB each |")
    print("| --- | --- | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        certificate = ensure_certificate(directory, "127.0.0.1")
        port = free_port()
        keys = (str(certificate), str(certificate.with_name("key.pem")))
        with running("provider", str(port), *keys, "quiet", port=port, directory=directory):
            environment = {
                "GOOGLE_GEMINI_BASE_URL": f"https://127.0.0.1:{port}",
                "SSL_CERT_FILE": keys[0],
                "GEMINI_API_KEY": "bench",
                "LOG_LEVEL": "WARNING",
            }
            for kind in ("daphne", "uvicorn"):
                for pings in PINGS:
                    place = directory / f"{kind}-{pings.replace(' ', '-')}"
                    print(measure(kind, pings, place, environment, options.pages, options.seconds).row(), flush=True)


if __name__ == "__main__":
    main()
