"""Upload the copies of recordings anew that are in use and about to expire at the provider."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.recordings.google_files import NotThere, audio_files


class Command(BaseCommand):
    help = (
        "Upload those copies of recordings anew that somebody asked about in the last two hours and that the provider "
        "keeps for less than two more. Safe to run at any time, twice, and on two machines at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and upload nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            count = audio_files().renew_due(dry_run)
        except NotThere as error:
            raise CommandError(error.reason) from None
        self.stdout.write(f"{count} files {'would be' if dry_run else 'were'} renewed.")
