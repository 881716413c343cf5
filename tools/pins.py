"""Reading the pinned lists."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]+\])?==[^\s;\\]+\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?$")


def pinned_names(files: Iterable[Path]) -> set[str]:
    """The packages that these lists install here: those without a marker, and those whose marker holds.

    Markers are read by the library that comes with pip. Where there is no pip, all of them count.
    """
    return {name.lower() for file in files for name, marker in _pins(file) if not marker or _holds(marker)}


def _pins(file: Path) -> Iterator[tuple[str, str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := _PIN.match(line):
            yield match["name"], match["marker"] or ""


def _holds(marker: str) -> bool:
    try:
        from pip._vendor.packaging.markers import Marker
    except ImportError:
        return True
    return bool(Marker(marker).evaluate())
