"""Put a backup in the place of what the database holds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup import keys
from config.backup.archive import Refused
from config.backup.load import Restored, load

STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = (
        "Restore a file that the command backup has written, and bring the database up to date. All of it or nothing: "
        "until it is whole, and where it is refused, the database stays as it was. Web processes have to be stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the backup; - for standard input")
        parser.add_argument(
            "--replace", action="store_true", help="also where there are accounts: all that is there is given up"
        )

    def handle(self, *args: Any, file: str, replace: bool, **options: Any) -> None:
        began = time.monotonic()
        try:
            if file == STANDARD_INPUT:
                restored = self._load(sys.stdin.buffer, replace)
            else:
                with Path(file).open("rb") as stream:
                    restored = self._load(stream, replace)
        except Refused as refused:
            raise CommandError(f"Nothing was restored, the database is as it was. {refused}") from refused
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        self.stdout.write(
            f"Restored: {restored.rows:,} rows of {restored.header.made_at} ({restored.header.database}), "
            f"{restored.migrated} migrations after them, {time.monotonic() - began:.1f} s."
        )
        self._warn_of_keys(restored)

    def _load(self, stream: BinaryIO, replace: bool) -> Restored:
        return load(stream, lambda name, count: self.stdout.write(f"{count:>12,}  {name}") if count else None, replace)

    def _warn_of_keys(self, restored: Restored) -> None:
        if restored.unreadable:
            self.stderr.write(
                f"WARNING: {restored.unreadable} of {restored.handles} handles and sounds cannot be read with the keys "
                f"of this server ({', '.join(keys.handle_keys())}). Those of the backup are "
                f"{', '.join(restored.header.handle_keys)}: set HANDLE_KEYS, or SECRET_KEY without it, to what they "
                "were before you start; otherwise these conversations go on in new sessions."
            )
        if restored.header.secret_key != keys.secret_key():
            self.stderr.write(
                f"WARNING: SECRET_KEY was another ({restored.header.secret_key}, now {keys.secret_key()}): everybody "
                "has to log in again."
            )
