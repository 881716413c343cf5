"""An emulator of these tests' own, whose answers are over thirty times faster than anybody could listen."""

from collections.abc import AsyncIterator, Iterator

import pytest
from google import genai

from tests.emulator.client import sdk
from tests.services.emulator import Emulator


@pytest.fixture(scope="session")
def fast_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests of this folder. Tests ask for `emulator`."""
    # What was said is asserted word for word, so words are waited for as long as anything else.
    options = ("--pace", "30", "--send-speed", "20", "--words-within-s", "60")
    program = Emulator(tmp_path_factory.mktemp("fast-emulator"), options)
    yield program
    assert program.stop() == 0, program.output()


@pytest.fixture
def emulator(fast_emulator: Emulator) -> Emulator:
    """The emulator as if it had just been started: no faults, no sessions, an empty log."""
    fast_emulator.reset()
    return fast_emulator


@pytest.fixture(scope="session")
def unhurried_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator at the pace of people for all tests of this folder. Tests ask for `unhurried_emulator`."""
    program = Emulator(tmp_path_factory.mktemp("unhurried-emulator"), ("--send-speed", "1", "--first-piece-s", "0.2"))
    yield program
    assert program.stop() == 0, program.output()


@pytest.fixture
def unhurried_emulator(unhurried_program: Emulator) -> Emulator:
    """As `emulator`, for those who interrupt: a long story goes on for twenty seconds, and is sent as it is heard."""
    unhurried_program.reset()
    return unhurried_program


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[genai.Client]:
    """The SDK, for tests that ask it asynchronously."""
    client = sdk(emulator)
    yield client
    await client.aio.aclose()
