"""Look after the copies of recordings at the provider that are over, or nobody's."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.recordings.google_files import NotThere, audio_files


class Command(BaseCommand):
    help = (
        "Note which copies of recordings have expired at the provider, and delete there what no recording here has any "
        "more. Safe to run at any time, twice, and on two machines at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and delete nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            count = audio_files().purge(dry_run)
        except NotThere as error:
            raise CommandError(error.reason) from None
        self.stdout.write(f"{count} files {'are to go' if dry_run else 'are gone'}.")
