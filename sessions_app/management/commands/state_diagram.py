"""Print the state diagrams of a live session, and of the turns in it, from their tables."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app.live.machine.diagrams import session_diagram, turn_diagram


class Command(BaseCommand):
    help = (
        "Print the states of a live session and of its turns as Mermaid diagrams, as docs/architecture.md shows them."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{session_diagram()}\n{turn_diagram()}", ending="")
