"""A ladder whose only model answers in turns: the page talks as with any other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S, wait_until
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


@pytest.mark.laptop
async def test_speaking_into_a_story_ends_it_and_is_answered(web: WebServer, emulator: Emulator) -> None:
    wish, question = spoken("Tell me a long story."), spoken("What time is it?")
    async with Page(web, "call") as page:
        await page.start()
        await page.speak(wish + silence(0.8))
        await page.wait_until(lambda: len(page.audio) >= 20, "two seconds of it")
        await page.speak(question + silence(0.8))
        await page.wait_for("turn", role="model", status="interrupted")
        assert await page.reply()
        assert page.of_type("flush")
        assert page.toasts() == []


@pytest.mark.laptop
@pytest.mark.parametrize("answer", ["unavailable", "unfinished", "cut"])
async def test_an_answer_that_fails_is_given_again(web: WebServer, emulator: Emulator, answer: str) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say("My code word is PLUM-42.")
        await page.reply()
        emulator.fault("bad_text", answer=answer, count=1)
        await page.say("What is my code word?")
        assert "PLUM-42" in await page.reply()


@pytest.mark.laptop
async def test_without_a_voice_answers_are_read_and_a_line_says_so(web: WebServer, emulator: Emulator) -> None:
    emulator.fault("bad_speech", answer="unavailable", for_s=600)
    async with Page(web, "text") as page:
        await page.start()
        for _ in range(2):
            await page.say("Hello there.")
            assert await page.reply()
        lines = [turn for turn in page.of_type("turn") if turn["role"] == "system"]
        assert [line["code"] for line in lines] == ["turn.no_voice"]
        assert page.audio == []


@pytest.mark.laptop
async def test_a_voice_that_breaks_off_leaves_the_words_whole(web: WebServer, emulator: Emulator) -> None:
    emulator.fault("bad_speech", answer="garbage", count=1)
    async with Page(web, "text") as page:
        await page.start()
        await page.say("Tell me a long story.")
        assert await page.reply()
        assert page.audio


@pytest.mark.laptop
async def test_what_both_models_took_is_counted_and_the_turns_only_once(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "text") as page:
        ready = await page.start()
        for _ in range(2):
            await page.say("Hello there.")
            await page.reply()
        count = (
            "from sessions_app.models import TurnUsage\nfrom sessions_app import usage\n"
            f"rows = TurnUsage.objects.filter(conversation={ready['conversation']!r})\n"
            "print(sorted(rows.values_list('connection', 'model')), usage.total(rows).turns)"
        )
        voice = "gemini-3.8-flash-lite-tts"
        counted = f"{[(1, MODEL), (1, MODEL), (2, voice), (3, voice)]} 2"
        await asyncio.to_thread(wait_until, lambda: web.shell(count).strip() == counted, HANGS_AFTER_S, counted)
