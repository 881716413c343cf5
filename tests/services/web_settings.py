"""The project's settings as servers of tests use them: what is meant to take its time in production takes none."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.services.hashing.QuickArgon2"]
