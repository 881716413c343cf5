"""Where the engines' programs are, and how they get there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.engines.engine import Engine
from tests.engines.firefox import Firefox
from tests.engines.webkit import WebKit
from tools.telling import Refusal

MINI_BROWSERS = ("webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0")
"""Folders of Debian and Ubuntu, below that of the machine's libraries."""


@dataclass(frozen=True)
class Kind:
    """`packages`: of Debian. `find`: the paths of the programs, None for one that is missing. `start`: the engine, with
    its files below a directory."""

    name: str
    packages: tuple[str, ...]
    find: Callable[[], tuple[str | None, ...]]
    start: Callable[[Path], Engine]


def ensure_installed(kind: Kind) -> None:
    """Have the packages of Debian, where this user may install them. Raises `Refusal` with what somebody has to."""
    if all(kind.find()):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *kind.packages], check=False)
    if not all(kind.find()):
        raise Refusal(
            f"{kind.name} needs the packages {', '.join(kind.packages)} (of Debian and Ubuntu): install them."
        )


def _firefox() -> tuple[str | None, ...]:
    return (shutil.which("firefox-esr") or shutil.which("firefox"), shutil.which("pulseaudio"))


def _webkit() -> tuple[str | None, ...]:
    found = (path for name in MINI_BROWSERS for path in Path("/usr").glob(f"lib*/*/{name}/MiniBrowser"))
    browser = str(next(found, "")) or None
    return (shutil.which("WebKitWebDriver"), browser, shutil.which("Xvfb"), shutil.which("pulseaudio"))


def _start_firefox(directory: Path) -> Engine:
    return Firefox(str(_firefox()[0]), directory)


def _start_webkit(directory: Path) -> Engine:
    return WebKit(str(_webkit()[0]), str(_webkit()[1]), directory)


KINDS = (
    Kind("firefox", ("firefox-esr", "pulseaudio"), _firefox, _start_firefox),
    Kind(
        "webkit",
        ("webkit2gtk-driver", "gstreamer1.0-plugins-good", "gstreamer1.0-pulseaudio", "xvfb", "pulseaudio"),
        _webkit,
        _start_webkit,
    ),
)
