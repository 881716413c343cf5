"""System checks of what the history needs."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.core.checks import Error, register
from django.db import connection


@register()
def check_search(**kwargs: Any) -> list[Error]:
    """On SQLite words are found by FTS5, which an SQLite can be built without."""
    return [] if connection.vendor != "sqlite" else without(compiled_with())


def compiled_with() -> set[str]:
    """What the SQLite of this Python was compiled with."""
    with sqlite3.connect(":memory:") as database:
        return {option for (option,) in database.execute("PRAGMA compile_options")}


def without(options: set[str]) -> list[Error]:
    if "ENABLE_FTS5" in options:
        return []
    return [
        Error(
            f"The SQLite {sqlite3.sqlite_version} has no FTS5: the history cannot be searched.",
            hint="Take a Python of python.org, of uv or of your system, or PostgreSQL: DATABASE_URL.",
            id="holdline.E401",
        )
    ]
