"""The Pythons of this machine."""

import shutil
import sys
from pathlib import Path

from tools.installers import succeeds
from tools.paths import TRIED_PYTHONS

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def interpreters() -> dict[str, Path]:
    """Of each version that is tried, one that is on the PATH or lies beside this one, as pyenv keeps them."""
    found = {version: _find(version) for version in TRIED_PYTHONS}
    return {version: path for version, path in found.items() if path is not None} | {HERE: _this_one()}


def _this_one() -> Path:
    return Path(sys.base_prefix) / "bin" / f"python{HERE}"


def _find(version: str) -> Path | None:
    beside = Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python{version}")
    on_path = shutil.which(f"python{version}")
    return next((path for path in (*beside, *((Path(on_path),) if on_path else ())) if _is_whole(path)), None)


def _is_whole(path: Path) -> bool:
    """Whether it is an interpreter with pip or with what makes one (a shim of pyenv for an absent version is not)."""
    ask = "import importlib.util as u, sys; sys.exit(not (u.find_spec('ensurepip') or u.find_spec('pip')))"
    return succeeds([str(path), "-c", ask])
