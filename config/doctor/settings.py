"""What Django's system checks say, which servers refuse to start with."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import ERROR, run_checks

from config.doctor.findings import Finding, failed, ok


def look() -> Iterator[Finding]:
    errors = [message for message in run_checks() if message.is_serious(ERROR) and not message.is_silenced()]
    for error in errors:
        yield failed(f"{error.id}: {error.msg}".rstrip("."), error.hint or "Correct it.")
    if not errors:
        yield ok("nothing that a server would refuse to start with")
