"""Delete the conversations that are older than their retention."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from summarization import cleanup


def days(text: str) -> int:
    """A whole number of days, at least 1. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 36500")
    return int(text)


class Command(BaseCommand):
    help = (
        "Delete the conversations in which nobody has said a word for HISTORY_DAYS days, or for as many as their user "
        "has chosen, with everything that belongs to them. Safe to run at any time, twice, and on two machines at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and delete nothing")
        parser.add_argument("--days", type=days, help="keep them so long (default: HISTORY_DAYS)")

    def handle(self, *args: Any, days: int | None, dry_run: bool, **options: Any) -> None:
        kept_days = settings.HISTORY_DAYS if days is None else days
        if not kept_days:
            self.stdout.write("HISTORY_DAYS is 0: everything is kept that its user has not chosen otherwise.")
        count = cleanup.prune_history(kept_days, dry_run) + cleanup.prune_as_wished(dry_run)
        what = "would be deleted" if dry_run else "deleted"
        self.stdout.write(f"{count} conversations {what}.")
        if recordings := cleanup.prune_recordings(kept_days, dry_run):
            self.stdout.write(f"{recordings} recordings that no conversation has attached {what}.")
