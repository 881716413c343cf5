"""The file: lines of JSON, compressed by gzip. What stands in it depends on no kind of database.

First a header, then for each table a line with its name and columns and a line for each row, in the end how many rows
there were. Without that last line, and the checksum of gzip behind it, a file is not whole.
"""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

FORMAT = "holdline backup"
VERSION = 1

LINE_LIMIT_BYTES = 64_000_000
"""The longest rows are those of kept sound, about 10 MB. What is longer is no row of ours, and may fill the memory."""

COMPRESSION = 6
"""From 1 to 9: 9 takes three times as long for two hundredths less."""

Row = list[Any]
Migration = tuple[str, str]


class Refused(Exception):
    """It is not done; the text says why, and what to do, to a person."""


@dataclass(frozen=True, slots=True)
class Table:
    """Which rows follow. `name`: of the model, `app.Model`; `columns`: of its fields, in the order of the values."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What a reader has to know before the rows.

    Args:
        made_at: when, in ISO 8601.
        database: from which kind of database, for people.
        migrations: what had been applied to it, (app, name).
        handle_keys: fingerprints of the keys that may have encrypted handles and sound, the one that does first.
        secret_key: the fingerprint of SECRET_KEY, by which people are logged in.
    """

    made_at: str
    database: str
    migrations: tuple[Migration, ...]
    handle_keys: tuple[str, ...]
    secret_key: str


class Writer:
    """Writes a file: the header at once, then tables and rows, and `end`. Used as a context manager, and whole only
    when `end` was called."""

    def __init__(self, stream: BinaryIO, header: Header) -> None:
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=COMPRESSION, fileobj=stream)
        self.rows = 0
        self._write({"format": FORMAT, "version": VERSION, **asdict(header)})

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._gzip.close()

    def table(self, table: Table) -> None:
        self._write({"table": table.name, "columns": table.columns})

    def row(self, row: Iterable[Any]) -> None:
        """Values of the columns of the table before it: what JSON has, dates, times, UUIDs and bytes."""
        self._write(list(row))
        self.rows += 1

    def end(self) -> None:
        self._write({"end": self.rows})

    def _write(self, value: Any) -> None:
        self._gzip.write(json.dumps(value, separators=(",", ":"), default=_as_text).encode("ascii") + b"\n")


class Reader:
    """Reads a file. Raises `Refused` where it is none of ours, not whole or damaged, or of a newer format.

    `tables` may be gone through once; a file is whole when that has come to its end.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = _lines(gzip.GzipFile(fileobj=stream, mode="rb"))
        try:
            first = next(self._lines, None)
        except Refused:
            first = None
        if not isinstance(first, dict) or first.get("format") != FORMAT:
            raise Refused("It is no backup of Holdline, or nothing of it is left that can be read.")
        if first.get("version") != VERSION:
            raise Refused("It was written by a newer version of Holdline: restore it with that one.")
        try:
            self.header = Header(
                made_at=_words(first["made_at"]),
                database=_words(first["database"]),
                migrations=tuple((_words(app), _words(name)) for app, name in first["migrations"]),
                handle_keys=tuple(map(_words, first["handle_keys"])),
                secret_key=_words(first["secret_key"]),
            )
        except (KeyError, TypeError, ValueError):
            raise Refused("It is damaged: its header cannot be read.") from None

    def tables(self) -> Iterator[tuple[Table, Iterator[Row]]]:
        """Each table with its rows, which have to be gone through before the next one."""
        rows = 0
        line = next(self._lines, None)

        def rows_of_table(table: Table) -> Iterator[Row]:
            nonlocal line, rows
            for line in self._lines:
                if not isinstance(line, list):
                    return
                if len(line) != len(table.columns):
                    raise Refused(f"It is damaged: a row of {table.name} has too few values or too many.")
                rows += 1
                yield line
            line = None

        while isinstance(line, dict) and isinstance(columns := line.get("columns"), list):
            try:
                table = Table(_words(line.get("table")), tuple(map(_words, columns)))
            except ValueError:
                raise Refused("It is damaged: the name of a table cannot be read.") from None
            yield table, rows_of_table(table)
        if line != {"end": rows} or next(self._lines, None) is not None:
            raise Refused("It is not whole: its end is missing, or rows are.")


def _lines(stream: gzip.GzipFile) -> Iterator[Any]:
    try:
        while line := stream.readline(LINE_LIMIT_BYTES + 1):
            if len(line) > LINE_LIMIT_BYTES:
                raise ValueError("a line too long")
            yield json.loads(line)
    except EOFError:
        raise Refused("It is not whole: its end is missing.") from None
    except (gzip.BadGzipFile, zlib.error, ValueError, RecursionError):
        raise Refused("It is damaged: what it holds is not what was written.") from None


def _words(value: Any) -> str:
    """What can be told to a person, whose terminal obeys characters that are no words. Raises ValueError."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("no words")
    return value


def _as_text(value: Any) -> str:
    """What fields understand that read it. Raises TypeError."""
    if isinstance(value, datetime.date):  # of which times are a kind
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no place in a backup")
