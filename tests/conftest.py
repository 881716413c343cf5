"""What every test can ask for: the cast, the emulator, the web server; and what collection sees to."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractUser

from tests.services.cast import CAST, PASSWORD
from tests.services.emulator import Emulator
from tests.services.web import WebServer

HERE = Path(__file__).parent
DATABASE_FIXTURES = {"db", "transactional_db", "web", "start_web"}

# --- The cast -------------------------------------------------------------------------------------


def _account(name: str) -> AbstractUser:
    from django.contrib.auth import get_user_model

    create = get_user_model().objects.create_superuser if CAST[name] else get_user_model().objects.create_user
    user: AbstractUser = create(username=name, password=PASSWORD)
    return user


@pytest.fixture
def alice(db: None) -> AbstractUser:
    """Somebody with an account."""
    return _account("alice")


@pytest.fixture
def bob(db: None) -> AbstractUser:
    """Somebody else with an account, who must never see what is Alice's."""
    return _account("bob")


@pytest.fixture
def sam(db: None) -> AbstractUser:
    """An operator: member of the staff and superuser."""
    return _account("sam")


# --- Programs beside the tests --------------------------------------------------------------------


@pytest.fixture(scope="session")
def emulator_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for the whole run. Tests ask for `emulator`."""
    program = Emulator(tmp_path_factory.mktemp("emulator"))
    yield program
    assert program.stop() == 0, program.output()


@pytest.fixture
def emulator(emulator_program: Emulator) -> Emulator:
    """The emulator as if it had just been started: no faults, no sessions, an empty log."""
    emulator_program.reset()
    return emulator_program


@pytest.fixture
def start_web(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., WebServer]]:
    """Start a web server of one's own, talking to the emulator: `start_web("uvicorn", LOG_FORMAT="json")`."""
    servers: list[WebServer] = []

    def start(kind: str = "daphne", **environment: str) -> WebServer:
        server = WebServer(tmp_path_factory.mktemp("web"), {**emulator.environment, **environment}, kind)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def web_program(emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """One web server for all tests that do not stop it. Tests ask for `web`."""
    server = WebServer(tmp_path_factory.mktemp("web"), emulator_program.environment)
    yield server
    server.stop()


@pytest.fixture
def web(web_program: WebServer, emulator: Emulator) -> WebServer:
    """A running web server whose emulator has just been reset. Its database keeps what earlier tests left."""
    return web_program


# --- Rules ----------------------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leaking = [item.nodeid for item in items if _leaks_rows(item)]
    if leaking:
        raise pytest.UsageError(
            "Rows of async tests are not rolled back: use django_db(transaction=True) in "
            + ", ".join(leaking)
        )
    for item in items:
        if _in_browser(item):
            item.add_marker("browser")
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("stored")
    # Playwright keeps an event loop running in the main thread, where no other test could run its own.
    items.sort(key=_in_browser)


def _leaks_rows(item: pytest.Item) -> bool:
    """Whether an async test asks for a database in a transaction, which its threads do not share."""
    marker = item.get_closest_marker("django_db")
    wants_database = marker is not None or "db" in getattr(item, "fixturenames", ())
    in_transaction = "transactional_db" not in getattr(item, "fixturenames", ()) and not (
        marker and (marker.kwargs.get("transaction") or marker.args[:1] == (True,))
    )
    return wants_database and in_transaction and inspect.iscoroutinefunction(getattr(item, "obj", None))


def _in_browser(item: pytest.Item) -> bool:
    return (HERE / "browser") in item.path.parents
