"""Write all that is kept into a file."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from config.backup import keys
from config.backup.archive import Refused
from config.backup.dump import dump
from config.backup.load import first_line

STANDARD_OUTPUT = "-"


class Command(BaseCommand):
    help = (
        "Write everything that the database holds into a file, as it is at one moment; the server goes on meanwhile. "
        "The file can be read by whoever has it, but for handles and passwords. It can be restored into SQLite and "
        "PostgreSQL, from whichever it comes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a new file, which its owner alone may read; - for standard output")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        began = time.monotonic()
        tell = self.stderr if file == STANDARD_OUTPUT else self.stdout
        try:
            with _new_file(file) as stream:
                rows = dump(stream, lambda name, count: tell.write(f"{count:>12,}  {name}") if count else None)
                size = stream.tell() if file != STANDARD_OUTPUT else None
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except DatabaseError as error:
            raise CommandError(f"The database does not give it: {first_line(error)}.") from error
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        in_bytes = "" if size is None else f"{size:,} bytes, "
        tell.write(f"Saved: {rows:,} rows, {in_bytes}{time.monotonic() - began:.1f} s.")
        tell.write(
            "The keys are not in it; keep them elsewhere. Handles are encrypted by the one with the fingerprint "
            f"{keys.handle_keys()[0]}, log-ins hold with the SECRET_KEY {keys.secret_key()}."
        )


@contextmanager
def _new_file(name: str) -> Iterator[BinaryIO]:
    """A file that was not there before, for its owner alone. It has its name only once it is whole: of a process that
    is killed meanwhile a file beside it stays, which ends in `.part`."""
    if name == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise CommandError("A backup is nothing to be read on a screen: redirect standard output into a file.")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    taken = CommandError(f"{path} is there already, and nothing is written over. Name another file.")
    if os.path.lexists(path):
        raise taken
    descriptor, unfinished = tempfile.mkstemp(".part", f"{path.name}.", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # nobody else has taken the name meanwhile
        os.replace(unfinished, path)
    except FileExistsError:
        raise taken from None
    finally:
        Path(unfinished).unlink(missing_ok=True)
