"""Reading the pinned lists."""

import contextlib
import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<extras>[^\]]+)\])?==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?$"
)

_HASH = re.compile(r"\s+--hash=sha256:([0-9a-f]+)")


@dataclass(frozen=True)
class Pin:
    """A line of a list: a package at one version, with the extras asked for, where `marker` holds (always if empty)."""

    name: str
    version: str
    extras: frozenset[str] = frozenset()
    marker: str = ""


def pins(file: Path) -> Iterator[Pin]:
    """What a pinned list holds, in its order."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := _PIN.match(line):
            yield _pin(match)


def pinned_hashes(file: Path) -> Iterator[tuple[Pin, list[str]]]:
    """What a pinned list holds, each with the SHA-256 of the files that may be installed for it, in hex."""
    found: dict[Pin, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := _PIN.match(line):
            hashes = found.setdefault(_pin(match), [])
        elif match := _HASH.match(line):
            hashes.append(match[1])
    yield from found.items()


def pinned_names(files: Iterable[Path]) -> set[str]:
    """The packages that these lists install here: those without a marker, and those whose marker holds.

    Markers are read by the library that comes with pip, or by itself. Where it is missing, all of them count.
    """
    return {pin.name for file in files for pin in pins(file) if not pin.marker or _holds(pin.marker)}


def _pin(match: re.Match[str]) -> Pin:
    extras = frozenset(re.findall(r"[\w.-]+", match["extras"] or ""))
    return Pin(match["name"].lower(), match["version"], extras, match["marker"] or "")


def _holds(marker: str) -> bool:
    for library in ("pip._vendor.packaging.markers", "packaging.markers"):
        with contextlib.suppress(ImportError):
            return bool(importlib.import_module(library).Marker(marker).evaluate())
    return True
