"""`python -m tests.bench.logins [--minutes 10]`: log-in under attack, from one address and from 200.

Attackers try as fast as they can while the user of the account logs in from a known browser and from new ones. One
address tries names that nobody has as well, which only the limit of addresses stops.
`python -m tests.services python -m tests.bench.logins` does it on PostgreSQL.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from tests.services.cast import PASSWORD
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

ATTACKERS = 8
"""Connections that are always busy."""

KNOWN_EVERY_S = 2.0
NEW_EVERY_S = 15.0
VICTIM = "alice"
OFFICE = "203.0.113.7"
ATTACKS = {
    "one address": [(name, OFFICE) for name in (VICTIM, "")],
    "200 addresses": [(VICTIM, f"198.51.100.{number}") for number in range(200)],
}
"""Whose account, empty for each time another name, and from where. The victim's known browser is in the same office as
the first attacker."""

LET_IN, LOOKED_AT, REFUSED = 302, 200, 429


class Browser:
    """Sends log-in forms from whatever address, and keeps its cookies."""

    def __init__(self, web: WebServer) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
        self._cookies: dict[str, str] = {}
        self._ask("GET", OFFICE)

    def log_in(self, name: str, password: str, address: str) -> int:
        """The status of the answer: `LET_IN`, `LOOKED_AT` (the password was wrong) or `REFUSED`."""
        token = self._cookies["csrftoken"]
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        return self._ask("POST", address, urlencode(form))

    def log_out(self) -> None:
        """As it is when the session has ended."""
        self._cookies.pop("sessionid", None)

    def _ask(self, method: str, address: str, body: str = "") -> int:
        headers = {
            "X-Forwarded-For": address,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection.request(method, "/accounts/login/", body, headers)
        response = self._connection.getresponse()
        response.read()
        for line in response.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return response.status


class Siege:
    """One attack, and what its victim notices."""

    def __init__(self, web: WebServer, targets: Sequence[tuple[str, str]]) -> None:
        self._web = web
        self._over = threading.Event()
        self._targets = itertools.cycle(targets)
        self._names = itertools.count()
        self._lock = threading.Lock()
        self.on_victim: Counter[int] = Counter()
        self.on_others: Counter[int] = Counter()
        self.known: Counter[int] = Counter()
        self.new: Counter[int] = Counter()
        self.known_ms: list[float] = []

    def run(self, seconds: float) -> None:
        browser = Browser(self._web)
        assert browser.log_in(VICTIM, PASSWORD, OFFICE) == LET_IN
        jobs = [threading.Thread(target=self._attack) for _ in range(ATTACKERS)]
        jobs += [threading.Thread(target=self._come_back, args=(browser,)), threading.Thread(target=self._come_new)]
        for job in jobs:
            job.start()
        self._over.wait(seconds)
        self._over.set()
        for job in jobs:
            job.join()

    def _attack(self) -> None:
        browser = Browser(self._web)
        while not self._over.is_set():
            with self._lock:
                name, address = next(self._targets)
                name = name or f"name{next(self._names)}"
            status = browser.log_in(name, "wrong", address)
            with self._lock:
                (self.on_victim if name == VICTIM else self.on_others)[status] += 1

    def _come_back(self, browser: Browser) -> None:
        while not self._over.is_set():
            browser.log_out()
            began_at = time.perf_counter()
            self.known[browser.log_in(VICTIM, PASSWORD, OFFICE)] += 1
            self.known_ms.append((time.perf_counter() - began_at) * 1_000)
            self._over.wait(KNOWN_EVERY_S)

    def _come_new(self) -> None:
        """The victim with the right password, each time in a browser and at an address that nobody knows."""
        number = 0
        while not self._over.wait(NEW_EVERY_S):
            self.new[Browser(self._web).log_in(VICTIM, PASSWORD, f"192.0.2.{number % 250}")] += 1
            number += 1


@contextmanager
def server(directory: Path) -> Iterator[WebServer]:
    """A web server behind a proxy, as those that have many addresses before them are."""
    web = WebServer(directory, {"TRUST_PROXY": "1", "DJANGO_SETTINGS_MODULE": "config.settings"})
    try:
        yield web
    finally:
        web.stop()


def report(place: str, siege: Siege) -> str:
    tries = siege.on_victim + siege.on_others
    latency = statistics.quantiles(siege.known_ms, n=100)
    return (
        f"| {place} | {tries.total()} | {siege.on_victim[LOOKED_AT]} | {siege.on_others[LOOKED_AT]} "
        f"| {siege.known[LET_IN]} of {siege.known.total()} | {latency[49]:.0f} | {latency[98]:.0f} "
        f"| {siege.new[LET_IN]} of {siege.new.total()} |"
    )


def main() -> None:

    use_settings_of_tests()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long each of the two attacks lasts")
    minutes = parser.parse_args().minutes
    columns = ("from", "tries", "let through to the account", "to other names", "log-ins, known browser", "ms, median")
    print("| " + " | ".join((*columns, "ms, p99", "log-ins, new browsers")) + " |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    all_is_well = True
    for place, targets in ATTACKS.items():
        with tempfile.TemporaryDirectory() as name, server(Path(name) / "web") as web:
            siege = Siege(web, targets)
            siege.run(minutes * 60)
        print(report(place, siege), flush=True)
        answers = {*siege.on_victim, *siege.on_others, *siege.known, *siege.new}
        all_is_well &= set(siege.known) == {LET_IN} and answers <= {LET_IN, LOOKED_AT, REFUSED}
    if not all_is_well:
        raise SystemExit("the victim was kept out of a known browser, or something else went wrong")


if __name__ == "__main__":
    main()
