"""Making the virtual environment and installing the pinned lists into it, showing how far it is."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tools.installers import Account, Installer, installers, succeeds, uv_works
from tools.paths import BASE, PYTHON, TRIED_PYTHONS, VENV
from tools.pins import pinned_names
from tools.progress import Progress
from tools.telling import Refusal, say

INSTALLED = VENV / "installed-lists.json"
LAST_LINES = 15
LINE_LIMIT = 200
VENV_BYTES = 30_000_000
"""What an environment with its pip takes before anything is installed."""

LOOK_EVERY_S = 0.2

REASONS = (
    (
        r"No space left on device|os error 28|Disk quota exceeded",
        "The disk is full: make room and run it again.",
    ),
    (
        r"Permission denied|Read-only file system",
        f"This user may not write to {VENV}: put the checkout into a folder of your own, or change its owner.",
    ),
    (
        r"DO NOT MATCH THE HASHES|Hash mismatch",
        "A package is not the one that was pinned: a download was damaged, or the index gives out another file.\n"
        "Run it again. If that does not help, empty the installer's cache (pip cache purge, uv cache clean).",
    ),
    (
        r"NameResolutionError|Temporary failure in name resolution|NewConnectionError|failed to lookup address"
        r"|dns error|error sending request|Connection refused|Connection broken|connection broken|IncompleteRead"
        r"|Connection reset|RemoteDisconnected|[Tt]imed out|ConnectTimeout|Network is unreachable|ProxyError"
        r"|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|error decoding response body",
        "The packages could not be fetched: this machine is offline, or the line broke.\n"
        "Run it again when the line is back; what came through is kept and not fetched twice.\n"
        "Behind a proxy set HTTPS_PROXY; an index of your own is told with PIP_INDEX_URL.",
    ),
    (
        r"No matching distribution|Could not find a version|has no wheels|no wheels? with a matching|only-binary",
        f"There is no ready-made package for Python {sys.version_info.major}.{sys.version_info.minor} on this machine "
        f"({sys.platform}, {platform.machine()}). Tried are Python {', '.join(TRIED_PYTHONS)}.",
    ),
)
"""What installers say when something is wrong that no other installer could do better, and what to do about it."""


def ensure_installed(lists: Sequence[str]) -> None:
    """Make the virtual environment and install these pinned lists, unless exactly that has been done.

    Raises `Refusal` with what to do when it cannot be done.
    """
    (BASE / "var").mkdir(exist_ok=True)
    with (BASE / "var" / "install.lock").open("w") as lock:
        _wait_for(lock)
        if not venv_works():
            make_venv()
        wanted = {name: hashlib.sha256((BASE / name).read_bytes()).hexdigest() for name in lists}
        installed = json.loads(INSTALLED.read_text()) if INSTALLED.exists() else {}
        if wanted.items() <= installed.items():
            return
        started = time.monotonic()
        install(lists)
        INSTALLED.write_text(json.dumps(installed | wanted))
        say(f"Installed in {time.monotonic() - started:.0f} s.")


def _wait_for(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another ./run is installing here; waiting for it ...")
        fcntl.flock(lock, fcntl.LOCK_EX)


def venv_works() -> bool:
    """Whether the virtual environment has an interpreter that runs and is new enough."""
    ask = [PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return Path(PYTHON).exists() and succeeds(ask)


def make_venv() -> None:
    """Make `.venv` with the first way that works. Raises `Refusal` when none does, OSError on a full disk."""
    say("Making a virtual environment in .venv ...")
    shutil.rmtree(VENV, ignore_errors=True)
    ways = [["uv", "venv", "--quiet", "--python", sys.executable, str(VENV)]] if uv_works() else []
    # Debian splits `ensurepip` off; without it the host's own pip can still install into the environment.
    ways += [
        [sys.executable, "-m", "venv", str(VENV)],
        [sys.executable, "-m", "venv", "--without-pip", str(VENV)],
    ]
    said = ""
    for way in ways:
        done = subprocess.run(way, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        said += done.stdout
        if done.returncode == 0 and venv_works():
            return
        shutil.rmtree(VENV, ignore_errors=True)
    if shutil.disk_usage(BASE).free < VENV_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(VENV))
    raise Refusal(
        advice_on(said)
        or f"{said.strip()}\nA virtual environment cannot be made: install Python's venv module (Debian: python3-venv)."
    )


def install(lists: Sequence[str]) -> None:
    """Install with the first installer that works. Raises `Refusal` when none does."""
    names = pinned_names(BASE / name for name in lists)
    found = installers()
    if not found:
        raise Refusal("There is no pip and no uv to install packages with (Debian: apt install python3-pip).")
    for installer in found:
        say(f"Installing {len(names)} packages with {installer.name} (only when the pinned lists have changed) ...")
        code, output = _run(installer, lists, len(names))
        if code == 0:
            return
        say("\n".join(line[:LINE_LIMIT] for line in output.strip().splitlines()[-LAST_LINES:]))
        _keep(output)
        if advice := advice_on(output):
            raise Refusal(f"\n{advice}")
    raise Refusal("\nThe packages could not be installed; the reason stands above.")


def _keep(output: str) -> None:
    log = BASE / "var" / "log" / "install.log"
    with contextlib.suppress(OSError):  # on a full disk there is no place for it either
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output, encoding="utf-8")
        say(f"(All of it: {log})")


def advice_on(output: str) -> str | None:
    """What to do about a failed installation, if it is of a known kind."""
    return next((advice for pattern, advice in REASONS if re.search(pattern, output)), None)


def _run(installer: Installer, lists: Sequence[str], expected: int) -> tuple[int, str]:
    """Run an installer and show how far it is; its exit code and all it wrote."""
    account, output, progress = Account(), "", Progress()
    process = subprocess.Popen(
        installer.words(lists),
        env=installer.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        for line in _lines(process):
            output += line
            account.read(line)
            progress.show(_how_far(account, expected))
        return process.wait(), output
    except BaseException:
        process.kill()
        raise
    finally:
        progress.end()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of a process as they come, and an empty one when there has been none for a moment."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        line: str | None = ""
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=LOOK_EVERY_S)
        if line is None:
            return
        yield line


def _how_far(account: Account, expected: int) -> str:
    if account.fetching:
        return f"  fetched {account.fetched} of {expected}" + (f", now {account.current}" if account.current else "")
    in_place = sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))
    return f"  {min(in_place, expected)} of {expected} in place"
