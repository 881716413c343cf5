"""`./run test`: everything that must hold before a change lands."""

import argparse
import os
import secrets
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from tools.browsers import ensure_chromium
from tools.environment import Environment
from tools.install import ensure_installed
from tools.load import busy_machine, one_core
from tools.paths import ALL_LISTS, BASE, PYTHON
from tools.steps import Step, Steps
from tools.telling import StopRequested, say

RESULTS = BASE / "var" / "test-results"
FORMAT = (PYTHON, "-m", "ruff", "format", "--check", ".")
LINT = (PYTHON, "-m", "ruff", "check", ".")
INTERRUPTED = 130

BROWSER, EMULATOR, FIRST_START = "tests/browser", "tests/emulator", "tests/first_start"
PROGRAMS_OF_THEIR_OWN = ("tests/config", EMULATOR, "tests/scenarios", BROWSER, FIRST_START)
"""Folders of tests that start servers and browsers, which takes longer than an edit should wait."""

WITHOUT_DATABASE = ("tests/deployment", "tests/docs", EMULATOR, "tests/live", "tests/tools")
"""Folders in which no test uses the database (collection refuses one): most of what there is to collect."""


def test(options: argparse.Namespace) -> int:
    """Check and test everything; or, with arguments, run pytest with them."""
    ensure_installed(ALL_LISTS)
    environment = _environment()
    try:
        if options.quick:
            return _quick(environment)
        if options.arguments:
            environment["CHROMIUM"] = ensure_chromium()
            pytest = [PYTHON, "-m", "pytest", *options.arguments]
            return subprocess.run(pytest, cwd=BASE, env=environment, check=False).returncode
        environment["CHROMIUM"] = ensure_chromium()
        if options.under_load:
            return _under_load(environment)
        return _everything(environment)
    except StopRequested:
        return INTERRUPTED


def _environment() -> Environment:
    """What the gate says must not depend on who runs it, and nobody compiles the same file twice."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(BASE / "var" / "cache" / "bytecode")}
    for name in ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    return environment


def _everything(environment: Environment) -> int:
    """The whole gate; its exit code."""
    started = time.monotonic()
    results = _fresh_results()
    production = environment | {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "holdline.example",
        "HOLDLINE_DATA_DIR": str(results / "data"),
        "GEMINI_API_KEY": "checked-but-not-used",
    }
    services = (PYTHON, "-m", "tests.services")
    # Every process that runs tests collects them all first.
    apart = [f"--ignore={folder}" for folder in (BROWSER, FIRST_START)]
    stored = [*apart, *(f"--ignore={folder}" for folder in WITHOUT_DATABASE)]
    first = [
        # Collecting compiles what the processes of all lanes would otherwise compile at the same time, each for itself.
        [Step("collection", (PYTHON, "-m", "pytest", "--collect-only", "-qq"), environment)],
        [Step("format", FORMAT, environment), Step("lint", LINT, environment)],
        # What only a network can answer: a few seconds of waiting, and no verdict where there is none.
        [_lookup("files of others", "vendored", environment), _lookup("known vulnerabilities", "audit", environment)],
    ]
    lanes = [
        [
            _tests(
                "on SQLite, in memory",
                "not browser and not first_start and not several_workers",
                environment,
                aloud=True,
                more=[*apart, f"--ignore={EMULATOR}"],
                workers=2,
            )
        ],
        [
            _tests("in a browser", "browser", environment, more=(BROWSER,), workers=2),
            _tests("on PostgreSQL and Valkey", "stored", environment, before=services, more=stored, workers=2),
        ],
        [
            # mypy ends without cleaning up after the settings it has loaded.
            Step("types", (PYTHON, "-m", "mypy"), environment | {"TMPDIR": str(results)}),
            _tests("of the first start", "first_start", environment, more=(FIRST_START,)),
            _tests("of the emulator", "not browser", environment, more=(EMULATOR,), workers=2),
            Step("migrations", (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"), production),
            Step("deployment", (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"), production),
        ],
    ]
    with Steps() as steps:
        outcomes = [steps.side_by_side(part) for part in (first, lanes)]
    return _verdict(results, all(outcomes), started)


def _quick(environment: Environment) -> int:
    """What can be known within a minute; its exit code."""
    started = time.monotonic()
    results = _fresh_results()
    ignored = [f"--ignore={folder}" for folder in PROGRAMS_OF_THEIR_OWN]
    lanes = [
        [
            Step("format", FORMAT, environment),
            Step("lint", LINT, environment),
            Step("types of what changed", (PYTHON, "-m", "mypy", *_changed()), environment | {"TMPDIR": str(results)}),
        ],
        [_tests("of the pure and driver rings", "not program", environment, aloud=True, more=ignored, workers=2)],
    ]
    with Steps() as steps:
        went_well = steps.side_by_side(lanes)
    return _verdict(results, went_well, started)


def _under_load(environment: Environment) -> int:
    """The whole gate on a machine that has little to give, in two ways; 0 when both are green."""
    with busy_machine():
        busy = _everything(environment)
    with one_core():
        alone = _everything(environment)
    return busy or alone


def _tests(
    name: str,
    selection: str,
    environment: Environment,
    *,
    before: Sequence[str] = (),
    more: Sequence[str] = (),
    workers: int = 0,
    aloud: bool = False,
) -> Step:
    """A run of pytest over the tests that a marker expression selects, spread over worker processes."""
    report = RESULTS / f"{name.replace(' ', '-').replace(',', '')}.xml"
    spread = ("--numprocesses", str(workers), "--dist", "worksteal") if workers else ()
    command = (*before, PYTHON, "-m", "pytest", "-m", selection, *spread, *more, "--junit-xml", str(report))
    return Step(f"tests {name}", command, environment, aloud)


def _lookup(name: str, module: str, environment: Environment) -> Step:
    return Step(name, (PYTHON, "-m", f"tools.supply_chain.{module}"), environment, sums_up=True)


def _changed() -> list[str]:
    """The Python files that differ from the last commit. None (so that all are checked) where there is no git."""
    if not shutil.which("git"):
        return []
    words = ("git", "ls-files", "--modified", "--others", "--exclude-standard", "--deduplicate", "*.py")
    listing = subprocess.run(words, cwd=BASE, capture_output=True, text=True, check=False)
    return [name for name in listing.stdout.splitlines() if (BASE / name).exists()]


def _fresh_results() -> Path:
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    return RESULTS


def _verdict(results: Path, went_well: bool, started: float) -> int:
    passed, failed, skipped = count(results)
    say(f"in {(time.monotonic() - started) / 60:.1f} minutes")
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if went_well and passed and not failed and not skipped else 1


def count(results: Path) -> tuple[int, int, int]:
    """Tests that passed, failed (errors included) and were skipped, over all reports in a directory."""
    total = failed = skipped = 0
    for report in results.glob("*.xml"):
        for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 - written by our own tests
            total += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped
