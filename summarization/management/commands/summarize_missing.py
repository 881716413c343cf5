"""Ask again for the summaries that are missing in the history."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from summarization import services


class Command(BaseCommand):
    help = (
        "Ask again for every summary that is missing in the history, failed ones included. They are made by the "
        "Celery workers or, without REDIS_URL, by the web process. Safe to run at any time, and twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and ask for none")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        count = services.request_missing(dry_run)
        self.stdout.write(f"{count} missing summaries {'would be requested' if dry_run else 'requested'}.")
