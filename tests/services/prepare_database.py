"""`python -m tests.services.prepare_database`: migrate a new database and let the cast in."""

import django
from django.core.management import call_command
from django.db import connections

if __name__ == "__main__":
    django.setup()
    from tests.services.cast import CAST, create_account

    call_command("migrate", verbosity=0)
    for name in CAST:
        create_account(name)
    connections.close_all()  # so that everything is in the file
