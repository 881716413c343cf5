"""The programs that can fill a virtual environment: uv, the environment's own pip, the host's pip."""

import ast
import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.environment import Environment
from tools.paths import BASE, PYTHON

_UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
}
"""What the options of pip that say where to fetch from are called by uv."""


@dataclass(frozen=True)
class Installer:
    """A command that installs, without the lists it is to install."""

    name: str
    command: tuple[str, ...]
    environment: Environment

    def words(self, lists: Sequence[str]) -> list[str]:
        """The whole command: exactly what is pinned, and wheels only, so that nobody needs a compiler."""
        files = [word for name in lists for word in ("--requirement", str(BASE / name))]
        return [*self.command, "--require-hashes", "--only-binary", ":all:", *files]


def installers() -> list[Installer]:
    """Those that work here, the quickest first."""
    found: list[Installer] = []
    # What is not compiled now is compiled when it is first imported, and most never is.
    pip_options = ("--disable-pip-version-check", "--no-input", "--no-compile", "--progress-bar", "off")
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if uv_works():
        uv = ("uv", "pip", "install", "--python", PYTHON)
        found.append(Installer("uv", uv, uv_environment(pip_configuration())))
    if succeeds([PYTHON, "-m", "pip", "--version"]):
        found.append(Installer("pip", (PYTHON, "-m", "pip", "install", *pip_options), unbuffered))
    elif succeeds([sys.executable, "-m", "pip", "--version"]):
        hosts_pip = (sys.executable, "-m", "pip", "--python", PYTHON, "install", *pip_options)
        found.append(Installer("pip", hosts_pip, unbuffered))
    return found


@dataclass
class Account:
    """How far an installer is, from the lines it writes."""

    fetched: int = 0
    current: str = ""
    fetching: bool = True

    _FETCHED = re.compile(r"\s*(?:Downloading|Using cached) (\S+)\.whl(?: \(([^)]+)\))?$")
    _UV_FETCHED = re.compile(r"\s*Downloading (\S+) \(([^)]+)\)")

    def read(self, line: str) -> None:
        """Take one line of pip's or uv's output in."""
        line = line.rstrip()
        if match := self._FETCHED.match(line):
            self.fetched += 1
            self._now(*match[1].split("-")[:2], size=match[2])
        elif match := self._UV_FETCHED.match(line):
            self._now(match[1], size=match[2])
        elif "Retrying" in line:
            self.current = "trying again to connect"
        elif match := re.match(r"\s*Collecting ([\w.-]+)", line):
            self._now(match[1])
        elif line.startswith(("Prepared", "Installing collected packages")):
            self.fetching = False

    def _now(self, *name: str, size: str | None = None) -> None:
        self.current = " ".join(name).replace("_", "-") + (f" ({size})" if size else "")


def uv_works() -> bool:
    return shutil.which("uv") is not None and succeeds(["uv", "--version"])


def uv_environment(configuration: Mapping[str, str]) -> Environment:
    """The environment that makes uv fetch from where pip is configured to fetch. Settings of uv itself win.

    Looking for a version on every index is what pip does; with pinned hashes it cannot pick up anything else.
    """
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    for option, value in configuration.items():
        if option in _UV_NAMES:
            separator = "," if option == "find-links" else " "
            environment.setdefault(_UV_NAMES[option], separator.join(value.split()))
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment


def pip_configuration() -> Environment:
    """What pip's files and variables say; empty when there is no pip."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return parse_pip_configuration(listing.stdout)


def parse_pip_configuration(listing: str) -> Environment:
    """Options and values from lines such as `global.index-url='https://...'`. Those from variables win."""
    lines = [line.partition("=") for line in listing.splitlines()]
    lines.sort(key=lambda line: line[0].startswith(":env:"))
    return {name.rpartition(".")[2]: ast.literal_eval(value) for name, _, value in lines if value}


def succeeds(command: Sequence[str]) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False
