"""Who appears in the tests."""

PASSWORD = "correct-horse-battery-1"

CAST = {"alice": False, "bob": False, "sam": True}
"""Name of the account, and whether it belongs to the staff."""


def create_cast() -> None:
    """Create every account in the current database. Sam is a superuser."""
    from django.contrib.auth import get_user_model

    for name, staff in CAST.items():
        create = get_user_model().objects.create_superuser if staff else get_user_model().objects.create_user
        create(username=name, password=PASSWORD)
