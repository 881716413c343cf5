"""The settings of the tests, for programs that are no tests: benches and the soak."""

import importlib


def use_settings_of_tests() -> None:
    """Put them into the environment, for this process and the programs that it starts.

    To be called, and not imported at the top of a bench: the servers of the tests are forks that read the main module
    again, and their settings are their own.
    """
    importlib.import_module("tests.settings")
