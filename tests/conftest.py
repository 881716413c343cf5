"""What every test can ask for: the cast, the emulator, the web server; and what collection sees to."""

import gc
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from config.translations.catalogues import PSEUDO_LANGUAGE
from tests.emptying import Emptying
from tests.repeatable import choose_profile
from tests.rules import pytest_collection_modifyitems as keep_the_rules
from tests.services.cast import create_account
from tests.services.emulator import ON_AGENT_PLATFORM, QUICK, Emulator
from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.web import WebServer

choose_profile()

DEVELOPER_API = "developer-api"
PERSONAS: Mapping[str, Mapping[str, str]] = {DEVELOPER_API: {}, "vertex": ON_AGENT_PLATFORM}
"""The sides that serve Gemini, by the name that `--persona` has for each."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./run test --persona vertex tests/scenarios` tells the same stories on Agent Platform."""
    parser.addoption("--persona", choices=PERSONAS, default=DEVELOPER_API, help="whom the servers of tests dial")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the rules, and tell those stories alone that the chosen side can tell."""
    keep_the_rules(items)
    if config.getoption("--persona") != DEVELOPER_API:
        others = [item for item in items if item.get_closest_marker("developer_api")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def pytest_configure() -> None:
    """Have programs start as from a terminal, also when the tests run in the background of a script.

    There SIGINT is ignored, and every child would inherit that; a handler it does not inherit.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What collection has made stays to the end: garbage is not looked for in it again and again."""
    gc.collect()
    gc.freeze()


# --- The cast -------------------------------------------------------------------------------------


@pytest.fixture
def alice(db: None) -> User:
    """Somebody with an account."""
    return create_account("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Somebody else with an account, who must never see what is Alice's."""
    return create_account("bob")


@pytest.fixture
def sam(db: None) -> User:
    """An operator: member of the staff and superuser."""
    return create_account("sam")


# --- Languages -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pseudo_catalogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the server and its pages have marked, turned round."""
    from babel.messages.mofile import write_mo

    from config.translations.extraction import catalogue_of
    from config.translations.pseudo import turned_round

    folder = tmp_path_factory.mktemp("locale")
    messages = folder / "ar_XB" / "LC_MESSAGES"
    messages.mkdir(parents=True)
    with (messages / "django.mo").open("wb") as stream:
        write_mo(stream, turned_round(catalogue_of("django")))
    return folder


@pytest.fixture
def pseudo_language(settings: Settings, pseudo_catalogues: Path) -> str:
    """The code of a language in which pages can be had, for as long as a test runs. See `tests.translations.pseudo`."""
    settings.LOCALE_PATHS = [pseudo_catalogues]
    settings.LANGUAGES = [*settings.LANGUAGES, (PSEUDO_LANGUAGE, "Pseudo-Arabic")]
    return PSEUDO_LANGUAGE


# --- The database ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database; in the end it is freed from connections that threads of async tests still hold."""
    with django_db_blocker.unblock():
        Emptying().start()
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


# --- Programs beside the tests --------------------------------------------------------------------


@pytest.fixture(scope="session")
def emulator_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for the whole run. Tests ask for `emulator`."""
    program = Emulator(tmp_path_factory.mktemp("emulator"), QUICK)
    yield program
    assert program.stop() == 0, program.output()


@pytest.fixture
def emulator(emulator_program: Emulator) -> Emulator:
    """The emulator as if it had just been started: no faults, no sessions, an empty log."""
    emulator_program.reset()
    return emulator_program


@pytest.fixture(scope="session")
def side(pytestconfig: pytest.Config) -> Mapping[str, str]:
    """The settings by which a server dials the side that the tests are run with."""
    return PERSONAS[pytestconfig.getoption("--persona")]


@pytest.fixture
def start_web(
    emulator: Emulator, side: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., WebServer]]:
    """Start a web server of one's own, talking to the emulator: `start_web("uvicorn", LOG_FORMAT="json")`."""
    servers: list[WebServer] = []

    def start(kind: str = "daphne", **environment: str) -> WebServer:
        server = WebServer(tmp_path_factory.mktemp("web"), {**emulator.environment, **side, **environment}, kind)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def web_program(
    emulator_program: Emulator, side: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    """One web server for all tests that do not stop it. Tests ask for `web`."""
    server = WebServer(tmp_path_factory.mktemp("web"), {**emulator_program.environment, **side})
    yield server
    server.stop()


@pytest.fixture
def web(web_program: WebServer, emulator: Emulator) -> WebServer:
    """A running web server whose emulator has just been reset. Its database keeps what earlier tests left."""
    return web_program


@pytest.fixture
def patient_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Database and channel layer may take their time: `/readyz` says the same however busy the machine is."""
    monkeypatch.setattr("config.health.ANSWER_LIMIT_S", ANSWERS_WITHIN_S)
