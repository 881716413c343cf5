"""The account with which somebody who has just started Holdline on a laptop logs in."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from config.secrets_on_disk import read_or_create

USERNAME = "demo"
CONSONANTS = "bdfghjkmnprstvz"
VOWELS = "aeiou"


def readable_password() -> str:
    """A random password that can be read out: four groups such as `bavok`, about 65 bits."""
    pattern = (CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS)
    return "-".join("".join(secrets.choice(letters) for letters in pattern) for _ in range(4))


class Command(BaseCommand):
    """Make the account, or put its password back to the one in the data directory."""

    help = "Make the account `demo`, with a random password that is kept in the data directory."

    def handle(self, *args: Any, **options: Any) -> None:
        password = read_or_create(settings.DATA_DIR / "demo_password", readable_password)
        user, created = get_user_model().objects.get_or_create(username=USERNAME)
        if created or not user.check_password(password):
            user.set_password(password)
            user.save()
