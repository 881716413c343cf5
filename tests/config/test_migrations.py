"""The version before must be able to work on a database that was brought up to date: both do while servers restart."""

from __future__ import annotations

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import AddField, DeleteModel, RemoveField, RenameField, RenameModel
from django.db.models import NOT_PROVIDED, ManyToManyField

BEFORE_THE_RULE = {"energy": 3, "sessions_app": 8, "summarization": 3}
"""The last migration of each app that was made without it."""

TAKEN_AWAY = (DeleteModel, RemoveField, RenameField, RenameModel)
"""What an older version would still look for. One version later nobody does: list it here with the version."""

NOT_MISSED: set[str] = set()
"""Names of migrations that take away what the version before did not use any more."""


def offences(migration: Migration) -> list[str]:
    return [operation.describe() for operation in migration.operations if _breaks_the_version_before(operation)]


def _breaks_the_version_before(operation: object) -> bool:
    if isinstance(operation, AddField):
        field = operation.field
        may_be_left_out = field.null or field.db_default is not NOT_PROVIDED or isinstance(field, ManyToManyField)
        return not may_be_left_out
    return isinstance(operation, TAKEN_AWAY)


def under_the_rule() -> list[Migration]:
    migrations = MigrationLoader(None).disk_migrations
    return [
        migration
        for (app, name), migration in sorted(migrations.items())
        if app in BEFORE_THE_RULE and int(name[:4]) > BEFORE_THE_RULE[app] and name not in NOT_MISSED
    ]


def test_no_migration_breaks_the_version_before() -> None:
    assert {migration.name: offences(migration) for migration in under_the_rule() if offences(migration)} == {}


def test_columns_that_the_version_before_would_leave_empty_are_found() -> None:
    """As Django's own default is: it is dropped once the rows that are there have it."""
    codes = MigrationLoader(None).disk_migrations["sessions_app", "0004_turn_code"]
    assert offences(codes) == ["Add field code to turn"]
