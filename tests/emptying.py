"""Emptying the database after a test that commits, which is done a thousand times in a gate.

What is left is what the migrations put there, so that no test depends on which others came before. Django's `flush`
would leave nothing of that; it makes every table anew on PostgreSQL, and lets each app look which kinds of rows and
permissions there are and write them once more. Here rows are deleted, and those of migrations stay as they are, or are
put back after a test that changed them.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.test import TransactionTestCase

_as_django_does = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # private, and there since 1.5


class Emptying:
    """Empties the database down to the rows that are there when it is made: once everything is migrated."""

    def __init__(self) -> None:
        models = apps.get_models(include_auto_created=True)
        found = ((model, list(model._base_manager.all())) for model in models if model._meta.managed)
        self._rows: list[Model] = []
        self._migrated: dict[type[Model], list[tuple[object, ...]]] = {}
        for model, rows in found:
            if rows:
                self._rows += rows
                self._migrated[model] = _values(model)

    def start(self) -> None:
        """Tests that commit are cleaned up after by this one from now on."""

        def tear_down(test: TransactionTestCase) -> None:
            if test.reset_sequences or test.serialized_rollback:
                _as_django_does(test)
            self.empty()

        TransactionTestCase._fixture_teardown = tear_down  # type: ignore[attr-defined]

    def empty(self) -> None:
        """Delete every row that came later, and put back what is not as it was."""
        is_as_it_was = all(_values(model) == values for model, values in self._migrated.items())
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
        if is_as_it_was:
            tables -= {model._meta.db_table for model in self._migrated}
        deletions = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in sorted(tables)]  # noqa: S608 - ours
        if connection.vendor == "postgresql":  # which takes them all at once
            deletions = ["; ".join(deletions)]
        with transaction.atomic():
            connection.ops.execute_sql_flush(deletions)
            if not is_as_it_was:
                for row in self._rows:
                    row.save_base(raw=True, force_insert=True)


def _values(model: type[Model]) -> list[tuple[object, ...]]:
    return list(model._base_manager.order_by("pk").values_list())
