"""Let a program on this machine ask by MCP, over standard input and output."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_app.accounts import access_keys
from sessions_app.auth_tokens.callers import Caller
from sessions_app.models import AccessKey

KEY_VARIABLE = "HOLDLINE_ACCESS_KEY"
"""Not an option: whoever lists the processes of a machine would read it."""


class Command(BaseCommand):
    help = (
        "Serve MCP over standard input and output, in the name of one user: --user alice, or whose access key stands "
        f"in {KEY_VARIABLE}. To be started by an MCP client, see docs/mcp.md; ends with its input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help=f"their name, instead of {KEY_VARIABLE}")

    def handle(self, *args: Any, user: str | None, **options: Any) -> None:
        if not settings.MCP:
            raise CommandError("MCP is switched off. Set MCP=1.")
        caller = _caller(user, os.environ.get(KEY_VARIABLE, ""))
        # Loads the SDK, which is not installed everywhere.
        from config.mcp.stdio import serve

        serve(caller)


def _caller(name: str | None, key: str) -> Caller:
    """Raises `CommandError`."""
    if bool(name) == bool(key):
        raise CommandError(f"Say in whose name: --user, or {KEY_VARIABLE}, and not both.")
    if name:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user {name}, or the account is closed.")
        return Caller(user, None)
    row = access_keys.find(key.strip(), AccessKey.Use.MCP)
    if row is None:
        raise CommandError("This access key lets nobody in here. It may be for something else, or have been revoked.")
    return Caller(row.user, row)
