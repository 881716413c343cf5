"""Who appears in the tests."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PASSWORD = "correct-horse-battery-1"

CAST = {"alice": False, "bob": False, "sam": True}
"""Name of the account, and whether it belongs to an operator (staff and superuser)."""


def create_account(name: str) -> "User":
    """An account of the cast in the current database."""
    from django.contrib.auth.models import User  # not before Django has been set up

    create = User.objects.create_superuser if CAST[name] else User.objects.create_user
    return create(username=name, password=PASSWORD)
