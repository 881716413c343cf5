"""Emptying the database after a test that commits, which is done a thousand times in a gate.

Django's `flush` makes every table anew on PostgreSQL, and lets each app look which kinds of rows and permissions there
are and write them once more. Here rows are deleted, and kinds and permissions stay, for no test changes them; after one
that does, Django's way is gone.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

KEPT = (ContentType, Permission)

_as_django_does = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private, and there since 1.5


class Emptying:
    """Empties the database with the rows of `KEPT` as they are when it is made: once the database is there."""

    def __init__(self) -> None:
        self._kept = _rows()

    def start(self) -> None:
        """Tests that commit are cleaned up after by this one from now on."""

        def tear_down(test: TransactionTestCase) -> None:
            if test.reset_sequences or test.serialized_rollback or not self.empty():
                _as_django_does(test)

        TransactionTestCase._fixture_teardown = tear_down  # type: ignore[attr-defined]

    def empty(self) -> bool:
        """Delete all rows that came later; False, with nothing done, when those of before are not what they were."""
        if _rows() != self._kept:
            return False
        kept = {model._meta.db_table for model in KEPT}
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - kept
        deletions = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in sorted(tables)]  # noqa: S608 - ours
        if connection.vendor == "postgresql":  # which takes them all at once
            deletions = ["; ".join(deletions)]
        connection.ops.execute_sql_flush(deletions)
        return True


def _rows() -> list[list[tuple[object, ...]]]:
    return [list(model._base_manager.order_by("pk").values_list()) for model in KEPT]
