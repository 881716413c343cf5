"""How much of what the provider keeps for a project the copies of recordings take up."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from config.doctor.findings import Finding, not_set, ok, warning
from sessions_app.recordings.google_files import stored_bytes
from sessions_app.recordings.google_rules import PROJECT_BYTES

MUCH = 0.8


def look() -> Iterator[Finding]:
    if not settings.GEMINI_API_KEY:
        yield not_set("GEMINI_API_KEY, without which the provider keeps no copies: Agent Platform has no Files API")
        return
    yield judged(stored_bytes())


def judged(size_bytes: int) -> Finding:
    text = f"recordings take {size_bytes / 1e9:.1f} GB of the 20 GB that the provider keeps for a project"
    if size_bytes > MUCH * PROJECT_BYTES:
        return warning(
            text, "Nothing, where this goes on well: from 18 GB on those go that were not asked about lately."
        )
    return ok(text)
