"""The deployment files of the checkout, read as the programs read them that they are for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = ROOT / "deploy" / "systemd"
COMMON = UNITS / "holdline-.service.d" / "common.conf"
CADDYFILE = ROOT / "deploy" / "caddy" / "Caddyfile"
NGINX = ROOT / "deploy" / "nginx" / "holdline.conf"
INSTALLED = "/opt/holdline/.venv/bin/"
"""Where the units expect the programs."""

PLACES = ("--host", "--port")
"""Options whose value each file has for itself."""

Command = tuple[str, ...]
Unit = dict[str, list[str]]


def procfile() -> dict[str, Command]:
    """The command of each kind of process: the one place where it is decided."""
    pairs = [line.split(":", 1) for line in lines_of(ROOT / "Procfile")]
    return {name: tuple(shlex.split(command)) for name, command in pairs}


def compose() -> dict[str, Any]:
    """The services, with everything that they take over from others."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return services


def ours() -> dict[str, Any]:
    """The services that run Holdline itself."""
    return {name: service for name, service in compose().items() if "build" in service}


def dockerfile() -> list[tuple[str, str]]:
    """Instructions with their arguments, those that go over several lines in one."""
    text = re.sub(r"\\\n\s*", "", "\n".join(lines_of(ROOT / "Dockerfile")))
    return [(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in text.splitlines())]


def unit(path: Path) -> Unit:
    """What a unit says in all its sections: each setting with its values, in order."""
    settings: Unit = {}
    for line in lines_of(path):
        name, equals, value = line.partition("=")
        if equals:
            settings.setdefault(name, []).append(value)
    return settings


def units() -> dict[str, Unit]:
    """The services of systemd by their names: `holdline-web@.service`."""
    return {path.name: unit(path) for path in sorted(UNITS.glob("*.service"))}


def started_by(unit: Unit, setting: str = "ExecStart") -> Iterator[Command]:
    """The commands of a unit, without the folder of their programs."""
    for line in unit.get(setting, []):
        yield tuple(shlex.split(line.removeprefix(INSTALLED)))


def without_places(command: Sequence[str]) -> Command:
    """A command without what may differ: where it listens."""
    return tuple(word for word, before in zip(command, ("", *command), strict=False) if before not in PLACES)


def lines_of(path: Path) -> list[str]:
    """The lines of a file that are neither empty nor a comment."""
    lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def seconds(text: str) -> int:
    """`30s` of Compose, `30` of systemd."""
    return int(text.removesuffix("s"))
