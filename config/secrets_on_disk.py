"""Secrets that are made once and kept in the data directory. Standard library only: `run` uses it as well."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """The secret in the file at `path`; when there is none, one is made, for its owner's eyes only.

    Two processes that start together agree on the secret: the file is written aside and linked into place,
    and whoever comes second reads what the first one stored.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Such files are made with mode 0600.
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="ascii") as aside:
            aside.write(make() + "\n")
            aside.flush()
            with contextlib.suppress(FileExistsError):
                os.link(aside.name, path)
    return path.read_text(encoding="ascii").strip()
