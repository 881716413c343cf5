"""The account with which somebody who has just started Holdline on a laptop logs in."""

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

USERNAME = "demo"
PASSWORD_VARIABLE = "DEMO_PASSWORD"  # noqa: S105 - a name


class Command(BaseCommand):
    """Make the account, or put its password back to the one that is given."""

    help = f"Make the account `{USERNAME}` with the password in the variable {PASSWORD_VARIABLE}."

    def handle(self, *args: Any, **options: Any) -> None:
        # Not an argument: those are seen by everybody on the machine.
        password = os.environ.get(PASSWORD_VARIABLE, "")
        if not password:
            raise CommandError(f"Set {PASSWORD_VARIABLE} to the password of the account `{USERNAME}`.")
        user, created = get_user_model().objects.get_or_create(username=USERNAME)
        if created or not user.check_password(password):
            user.set_password(password)
            user.save()
