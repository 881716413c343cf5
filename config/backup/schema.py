"""The tables of a database as it stood after some migrations, whichever those are: the present ones or older ones.

A backup is taken of the schema that is there, also before a database is brought up to date, and restored into the
schema that it was taken of. That of this version is made of it afterwards, by the migrations that were still to come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from config.backup.archive import Migration, Refused


def applied() -> tuple[Migration, ...]:
    """What has been applied to the database; nothing where it is empty."""
    return tuple(sorted(MigrationRecorder(connection).applied_migrations()))


def tables_after(migrations: Collection[Migration]) -> list[type[Model]]:
    """The models of every table after these migrations, those between many and many included.

    Raises `Refused` when this version does not know one of them.
    """
    loader = MigrationLoader(None)
    refuse_unknown(migrations, loader)
    state = loader.graph.make_state(nodes=sorted(migrations), at_end=True)
    return [
        model
        for model in state.apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def refuse_unknown(migrations: Collection[Migration], loader: MigrationLoader) -> None:
    unknown = sorted(set(migrations) - loader.disk_migrations.keys())
    if unknown:
        named = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise Refused(f"This version of Holdline is older: it does not know {named}. Use the one it comes from.")


def rebuild(migrations: Collection[Migration]) -> None:
    """Drop every table of ours and make those of these migrations, empty, to be filled in any order. To be called
    within a transaction, which SQLite has to have begun without foreign keys."""
    _look_at_foreign_keys("IMMEDIATE")
    _drop(tables_after(applied()))
    recorder = MigrationRecorder(connection)
    if recorder.has_table():
        with connection.schema_editor() as editor:
            editor.delete_model(recorder.Migration)
    executor = MigrationExecutor(connection)
    executor.migrate(list(_last_of_each_app(migrations, executor.loader)))
    _look_at_foreign_keys("DEFERRED")
    # Some migrations put rows where there are none. What the tables held is in the backup.
    with connection.cursor() as cursor:
        for table in _names(tables_after(migrations)):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - the name of a table of ours


def bring_up_to_date() -> int:
    """Apply what is still to come, once all rows are there; how many migrations that were."""
    _look_at_foreign_keys("IMMEDIATE")
    before = len(applied())
    call_command("migrate", verbosity=0, interactive=False)
    return len(applied()) - before


def _look_at_foreign_keys(when: str) -> None:
    """PostgreSQL alters no table with rows whose keys are still to be looked at: migrations have that done at once."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET CONSTRAINTS ALL {when}")


def _drop(models: Collection[type[Model]]) -> None:
    there = set(connection.introspection.table_names())
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for table in _names(model for model in models if model._meta.db_table in there):
            cursor.execute(f"DROP TABLE {table}{cascade}")


def _names(models: Iterator[type[Model]] | Collection[type[Model]]) -> list[str]:
    return [connection.ops.quote_name(model._meta.db_table) for model in models]


def _last_of_each_app(migrations: Collection[Migration], loader: MigrationLoader) -> Iterator[Migration]:
    """Those that no other of the same app follows. Asked for one before the last, Django would take the last back."""
    wanted = set(migrations)
    for app, name in sorted(wanted):
        followers = {child.key for child in loader.graph.node_map[app, name].children}
        if not any(follower in wanted for follower in followers if follower[0] == app):
            yield app, name
