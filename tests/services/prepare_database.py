"""`python -m tests.services.prepare_database`: migrate a new database and let the cast in."""

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    from tests.services.cast import create_cast

    call_command("migrate", verbosity=0)
    create_cast()
