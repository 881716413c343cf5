"""The database, its migrations, and whether this server's keys read what is encrypted in it."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader

from config.backup import keys
from config.doctor.findings import Finding, failed, ok, warning


def look() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        yield failed(
            f"not reached: {(str(error).splitlines() or [''])[0]}", "See that DATABASE_URL is right and it runs."
        )
        return
    loader = MigrationLoader(connection)
    known, applied = set(loader.disk_migrations), set(loader.applied_migrations)
    if missing := sorted(known - applied):
        yield failed(f"{len(missing)} migrations are missing, {'.'.join(missing[0])} is the first", "manage.py migrate")
        return
    version = ".".join(map(str, connection.get_database_version()))
    if newer := sorted(applied - known):
        yield warning(
            f"it is of a newer version: {'.'.join(newer[-1])}", "That is well while you go back by one version."
        )
    else:
        yield ok(f"{connection.display_name} {version}, all {len(applied)} migrations applied")
    if connection.vendor == "sqlite" and settings.REDIS_URL:
        yield warning("SQLite, with REDIS_URL", "Several processes need PostgreSQL: DATABASE_URL.")
    yield _about_keys()


def _about_keys() -> Finding:
    unreadable, handles = keys.unreadable_handles()
    if unreadable:
        return warning(
            f"{unreadable} of {handles} handles and sounds cannot be read with this server's keys",
            "If keys were changed lately, put the former behind the new ones: HANDLE_KEYS, SECRET_KEY_FALLBACKS.",
        )
    return ok(f"all of {handles} handles and sounds can be read with this server's keys")
