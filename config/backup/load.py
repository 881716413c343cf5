"""Restoring a backup, in one transaction: all of it, or nothing has happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from config.backup import keys, schema
from config.backup.archive import Header, Reader, Refused, Row, Table
from config.backup.dump import TOLD_EVERY_ROWS, Told
from sessions_app.lines import living_workers
from sessions_app.models import Worker

BATCH_ROWS = 500
LOCK_LIMIT_S = 10


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. `migrated`: how many migrations were applied to it afterwards. `unreadable` of `handles`
    cannot be read with this server's keys."""

    header: Header
    rows: int
    migrated: int
    unreadable: int
    handles: int


def load(stream: BinaryIO, told: Told, replace: bool = False) -> Restored:
    """Make the database what a backup says, and bring it up to date. Not to be called within a transaction.

    Raises `Refused`, with the database as it was: for a file that is not whole, or of a newer version; while web
    processes live; where there are accounts, unless they are to be replaced.
    """
    reader = Reader(stream)
    schema.refuse_unknown(reader.header.migrations, MigrationLoader(None))
    try:
        # SQLite alters no tables while it watches over foreign keys; they are looked at in the end.
        with connection.constraint_checks_disabled(), transaction.atomic():
            return _load(reader, told, replace)
    except OperationalError as error:
        raise Refused(
            f"The database is not reached, or something else uses it: {first_line(error)}. See that it runs, and that "
            "web processes, workers and beat are stopped."
        ) from error
    except DatabaseError as error:
        raise Refused(f"The database does not take it: {first_line(error)}.") from error


def _load(reader: Reader, told: Told, replace: bool) -> Restored:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_LIMIT_S}s'")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        _refuse_where_somebody_is(replace)
        schema.rebuild(reader.header.migrations)
        models = {model._meta.label: model for model in schema.tables_after(reader.header.migrations)}
        rows = 0
        for table, rows_of_table in reader.tables():
            count = _fill(models, table, rows_of_table, told)
            told(table.name, count)
            rows += count
        connection.check_constraints()
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
            cursor.execute(statement)
    migrated = schema.bring_up_to_date()
    return Restored(reader.header, rows, migrated, *keys.unreadable_handles())


def _refuse_where_somebody_is(replace: bool) -> None:
    there = set(connection.introspection.table_names())
    if Worker._meta.db_table in there:
        living = sorted(living_workers().values_list("name", flat=True))
        if living:
            raise Refused(f"Web processes are alive ({', '.join(living)}). Stop them, workers and beat first.")
    if "auth_user" in there and not replace:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM auth_user")
            (accounts,) = cursor.fetchone()
        if accounts:
            raise Refused(
                f"The database is in use: it has {accounts} accounts. Make a backup of it, then add --replace, which "
                "puts the file in place of all that it holds."
            )


def _fill(models: dict[str, type[Model]], table: Table, rows: Iterator[Row], told: Told) -> int:
    """Put the rows into the table; how many there were."""
    model = models.get(table.name)
    fields = {field.attname: field for field in model._meta.local_concrete_fields} if model else {}
    if model is None or set(fields) != set(table.columns):
        raise Refused(f"It is damaged: there is no table {table.name} with these columns.")
    counted = 0

    def read(field: Any) -> Callable[[Any], Any]:
        return lambda value: field.get_db_prep_save(field.to_python(value), connection)

    readers = [read(fields[column]) for column in table.columns]

    def prepared() -> Iterator[list[Any]]:
        nonlocal counted
        for row in rows:
            counted += 1
            if counted % TOLD_EVERY_ROWS == 0:
                told(table.name, counted)
            try:
                yield [reader(value) for reader, value in zip(readers, row, strict=True)]
            except (TypeError, ValueError, OverflowError, ValidationError):
                raise Refused(f"It is damaged: row {counted} of {table.name} cannot be read.") from None

    names = ", ".join(connection.ops.quote_name(str(fields[column].column)) for column in table.columns)
    try:
        _insert(connection.ops.quote_name(model._meta.db_table), names, len(readers), prepared())
    except (ValueError, OverflowError):  # its driver's, before the database was asked
        raise Refused(f"It is damaged: {table.name} has values that no database holds.") from None
    return counted


def _insert(table: str, names: str, width: int, rows: Iterable[list[Any]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * width)
        remaining = iter(rows)
        while batch := list(itertools.islice(remaining, BATCH_ROWS)):
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", batch)  # noqa: S608 - our own names


def first_line(error: Exception) -> str:
    """What an error says, without its full stop and what follows."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
