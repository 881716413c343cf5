"""What collection sees to: no test leaks rows, and every test has the markers that its kind calls for."""

import inspect
from functools import cache
from pathlib import Path

import pytest

from tools.gate import WITHOUT_DATABASE

HERE = Path(__file__).parent
DATABASE_FIXTURES = {"db", "transactional_db", "web", "start_web"}
PROGRAM_FIXTURES = {"emulator", "emulator_program", "web", "start_web"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leaking = [item.nodeid for item in items if _leaks_rows(item)]
    if leaking:
        raise pytest.UsageError(
            "Rows of async tests are not rolled back: use django_db(transaction=True) in " + ", ".join(leaking)
        )
    misplaced = [item.nodeid for item in items if _stores(item) and _is_where_nobody_stores(item)]
    if misplaced:
        raise pytest.UsageError("These folders are not run on PostgreSQL: " + ", ".join(misplaced))
    for item in items:
        if _in_browser(item):
            item.add_marker("browser")
        if HERE / "first_start" in _folders(item.path):
            item.add_marker("first_start")
        if PROGRAM_FIXTURES & _fixtures(item):
            item.add_marker("program")
        if _stores(item) and not item.get_closest_marker("laptop"):
            item.add_marker("stored")
    # Playwright keeps an event loop running in the main thread, where no other test could run its own. Tests that wait
    # for programs come first, so that other processes compute meanwhile.
    items.sort(key=lambda item: (_in_browser(item), not _waits(item)))


def _leaks_rows(item: pytest.Item) -> bool:
    """Whether an async test asks for a database in a transaction, which its threads do not share."""
    marker = item.get_closest_marker("django_db")
    wants_database = marker is not None or "db" in _fixtures(item)
    commits = "transactional_db" in _fixtures(item) or (
        marker is not None and bool(marker.kwargs.get("transaction") or marker.args[:1] == (True,))
    )
    return wants_database and not commits and inspect.iscoroutinefunction(getattr(item, "obj", None))


def _stores(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("django_db") or DATABASE_FIXTURES & _fixtures(item))


def _waits(item: pytest.Item) -> bool:
    """Whether it is a scenario; not one with rows of its own, for tests that commit empty the database."""
    return (HERE / "scenarios") in _folders(item.path) and not {"db", "transactional_db"} & _fixtures(item)


def _is_where_nobody_stores(item: pytest.Item) -> bool:
    return any(item.config.rootpath / folder in _folders(item.path) for folder in WITHOUT_DATABASE)


@cache
def _folders(path: Path) -> frozenset[Path]:
    """Those that a file is in. A file has many tests."""
    return frozenset(path.parents)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _in_browser(item: pytest.Item) -> bool:
    return (HERE / "browser") in _folders(item.path)
