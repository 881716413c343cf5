"""A ladder whose only model answers in turns: the page talks as with any other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.services.emulator import Emulator
from tests.services.web import WebServer

MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module")
def program(emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """One server for this file."""
    ladders = {"CALL_MODELS": MODEL, "TEXT_MODELS": MODEL}
    server = WebServer(tmp_path_factory.mktemp("turns"), {**emulator_program.environment, **ladders})
    yield server
    server.stop()


@pytest.fixture
def web(program: WebServer, emulator: Emulator) -> WebServer:
    return program


async def test_a_typed_question_is_answered_in_writing_and_aloud(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "text") as page:
        ready = await page.start()
        assert ready["model"] == MODEL
        await page.say("My code word is PLUM-42.")
        await page.reply()
        await page.say("What is my code word?")
        assert "PLUM-42" in await page.reply()
        assert page.audio
        assert page.toasts() == []


async def test_a_call_is_heard_written_down_and_answered_aloud(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await page.speak(spoken("What time is it?") + silence(0.8))
        assert await page.reply()
        assert page.audio
        said = [turn for turn in page.of_type("turn") if turn["role"] == "user"]
        assert "time" in said[-1]["text"]
        assert page.toasts() == []
