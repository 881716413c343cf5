"""Who appears in the tests."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

PASSWORD = "correct-horse-battery-1"

CAST = {"alice": False, "bob": False, "sam": True}
"""Name of the account, and whether it belongs to an operator (staff and superuser)."""


def create_account(name: str) -> "AbstractUser":
    """An account of the cast in the current database."""
    from django.contrib.auth import get_user_model  # Django must have been set up by now

    users = get_user_model().objects
    create = users.create_superuser if CAST[name] else users.create_user
    user: "AbstractUser" = create(username=name, password=PASSWORD)
    return user
