"""Random tests of pages try the same cases in every run."""

from tests.repeatable import choose_profile

choose_profile()
