"""Print the state diagram of a live session from its transition table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app.live.machine.transitions import diagram


class Command(BaseCommand):
    help = "Print the states of a live session as a Mermaid diagram, as docs/architecture.md shows it."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(diagram(), ending="")
