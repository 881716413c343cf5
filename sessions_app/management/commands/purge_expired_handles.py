"""Delete the resumption handles that the provider does not honour any more."""

from __future__ import annotations

import argparse
import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sessions_app import services


def hours(text: str) -> datetime.timedelta:
    """A number of hours, not negative. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours") from None
    if not 0 <= value < 1_000_000:
        raise argparse.ArgumentTypeError("the hours must not be negative")
    return datetime.timedelta(hours=value)


class Command(BaseCommand):
    help = "Delete the resumption handles that are no longer valid. Safe to run at any time, and twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, and delete nothing")
        parser.add_argument(
            "--older-than",
            type=hours,
            default=datetime.timedelta(0),
            metavar="HOURS",
            help="only those that expired longer ago than this (default: 0)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = services.purge_expired_handles(options["older_than"], options["dry_run"])
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{count} expired handles {verb}.")
