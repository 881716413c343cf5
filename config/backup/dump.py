"""Writing a backup: what the database held at one moment, while everybody goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from config.backup import keys
from config.backup.archive import Header, Refused, Table, Writer
from config.backup.schema import applied, tables_after

CHUNK_ROWS = 2_000

TOLD_EVERY_ROWS = 100_000

Told = Callable[[str, int], None]
"""Is called with the name of a table and how many of its rows are done: now and then, and when all are."""


def dump(stream: BinaryIO, told: Told) -> int:
    """Write a backup; how many rows it has. Nobody waits for it, on either kind of database.

    Not to be called within a transaction. Raises `Refused` when there is nothing to be saved, or when the database is
    that of a newer version.
    """
    with _one_moment():
        migrations = applied()
        if not migrations:
            raise Refused("There is nothing to be saved: the database has no tables of Holdline.")
        models = tables_after(migrations)
        header = Header(
            made_at=timezone.now().isoformat(timespec="seconds"),
            database=connection.vendor,
            migrations=migrations,
            handle_keys=keys.handle_keys(),
            secret_key=keys.secret_key(),
        )
        with Writer(stream, header) as writer:
            for model in models:
                columns = tuple(field.attname for field in model._meta.local_concrete_fields)
                writer.table(Table(model._meta.label, columns))
                before = writer.rows
                for row in model._base_manager.order_by().values_list(*columns).iterator(CHUNK_ROWS):
                    writer.row(row)
                    if (writer.rows - before) % TOLD_EVERY_ROWS == 0:
                        told(model._meta.label, writer.rows - before)
                told(model._meta.label, writer.rows - before)
            writer.end()
            return writer.rows


@contextmanager
def _one_moment() -> Iterator[None]:
    """Whatever is read within it is what was there at one moment. Neither kind of database has anybody wait for it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                # A slow disk is no reason to end it: see the settings.
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield
        else:
            # Not by Django's own, which begins as a writer does, and would have all others wait.
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
