"""How much of what the provider keeps for a project the copies of recordings take up."""

from __future__ import annotations

from collections.abc import Iterator

from config.doctor.findings import Finding, ok, warning
from sessions_app.recordings.google_files import stored_bytes
from sessions_app.recordings.google_rules import PROJECT_BYTES

MUCH = 0.8


def look() -> Iterator[Finding]:
    yield judged(stored_bytes())


def judged(size_bytes: int) -> Finding:
    text = f"recordings take {size_bytes / 1e9:.1f} GB of the 20 GB that the provider keeps for a project"
    if size_bytes > MUCH * PROJECT_BYTES:
        return warning(
            text, "Nothing, where this goes on well: from 18 GB on those go that were not asked about lately."
        )
    return ok(text)
