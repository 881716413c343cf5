"""Close live sessions that nobody holds any more, and enter their conversations in the history."""

from __future__ import annotations

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sessions_app.cleanup import SILENT_AFTER
from sessions_app.management.commands.purge_expired_handles import hours
from summarization import cleanup


class Command(BaseCommand):
    help = (
        "Close live sessions whose process is gone or that show no sign of life, end calls that no page can come back "
        "to, and enter all of them in the history. Safe to run at any time, twice, and on two machines at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and change nothing")
        parser.add_argument(
            "--silent-for",
            type=hours,
            default=SILENT_AFTER,
            metavar="HOURS",
            help="a session of another machine is closed after this time without a sign of life (default: 2)",
        )

    def handle(self, *args: Any, silent_for: datetime.timedelta, dry_run: bool, **options: Any) -> None:
        cleaned_up = cleanup.close_stale_sessions(silent_for, dry_run)
        self.stdout.write(f"{'Would be: ' if dry_run else ''}{cleaned_up}.")
