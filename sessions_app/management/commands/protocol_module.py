"""Write the module from which pages have the words and numbers of the browser protocol."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app.gateway.protocol_module import PATH, protocol_module


class Command(BaseCommand):
    help = "Write static/js/session/protocol.js anew, after a change of the browser protocol."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)

    def handle(self, *args: Any, **options: Any) -> None:
        PATH.write_text(protocol_module(), encoding="utf-8")
