"""Random tests that try the same cases in every run: a test that fails only now and then helps nobody.

`HYPOTHESIS_SEARCH=1` looks for new cases instead, many of them, which is worth its time after a change of the core.
"""

import os

from hypothesis import settings

IS_SEARCH = bool(os.environ.get("HYPOTHESIS_SEARCH"))
MORE = 30

settings.register_profile(
    "holdline", derandomize=not IS_SEARCH, deadline=None, max_examples=100 * (MORE if IS_SEARCH else 1)
)


def choose_profile() -> None:
    """To be called before the modules with random tests are imported."""
    settings.load_profile("holdline")


def cases(number: int) -> int:
    """So many, or many more in a search."""
    return number * MORE if IS_SEARCH else number
