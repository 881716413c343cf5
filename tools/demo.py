"""The log-in that somebody who starts Holdline on a laptop is told."""

import secrets

from config.secrets_on_disk import read_or_create
from tools.environment import Environment, data_directory

CONSONANTS = "bdfghjkmnprstvz"
VOWELS = "aeiou"


def demo_password(environment: Environment) -> str:
    """The password of the account `demo`: made at the first start, and kept in the data directory."""
    return read_or_create(data_directory(environment) / "demo_password", readable_password)


def readable_password() -> str:
    """A random password that can be read out: four groups such as `bavok`, about 65 bits."""
    pattern = (CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS)
    return "-".join("".join(secrets.choice(letters) for letters in pattern) for _ in range(4))
