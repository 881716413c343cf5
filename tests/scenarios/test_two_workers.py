"""Two web workers at one database: pages move between them, and workers die, sleep and leave."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence
from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S, eventually, wait_until
from tests.services.web import WebServer

pytestmark = pytest.mark.several_workers

Start = Callable[..., WebServer]
Workers = tuple[WebServer, WebServer]


@pytest.fixture
def workers(start_web: Start) -> Iterator[Workers]:
    first = start_web()
    second = start_web("uvicorn", DATABASE_URL=first.database_url)
    yield first, second
    for worker in (first, second):
        if worker.running:
            worker.send(signal.SIGCONT)


async def talk(page: Page) -> None:
    """Something to remember, and a handle that covers it."""
    await page.start()
    said = await page.say("my code word is PLUM-42")
    await page.reply()
    await page.wait_for("ack", ids=[said])
    await page.speak(silence(1))
    await page.wait_until(lambda: page.of_type("ack")[-1]["audio"] > 0, "an ack that a stored handle justifies")


async def goes_on(page: Page) -> None:
    """The same conversation, with its memory."""
    ready = await page.start()
    assert ready["action"] == "resumed"
    assert [turn["status"] for turn in ready["transcript"]] == ["complete", "complete"]
    await page.say("What is my code word?")
    assert "PLUM-42" in await page.reply()


def code_word_was_told_once(emulator: Emulator) -> bool:
    told = [entry["text"] for entry in emulator.entries("text_in")]
    return told == ["my code word is PLUM-42", "What is my code word?"]


async def test_a_page_whose_network_brings_it_to_another_worker_takes_its_call_along(
    workers: Workers, emulator: Emulator
) -> None:
    first, second = workers
    async with Page(first, "call") as page:
        await talk(page)
        await page.tear()
        await page.move(second)
        await goes_on(page)
        await eventually(lambda: len(emulator.connections()) == 1)
        assert code_word_was_told_once(emulator)


async def test_a_worker_that_is_killed_costs_neither_words_nor_memory(workers: Workers, emulator: Emulator) -> None:
    first, second = workers
    async with Page(first, "call") as page:
        await talk(page)
        first.send(signal.SIGKILL)
        await page.wait_closed()
        await page.move(second)
        await goes_on(page)
        assert code_word_was_told_once(emulator)


async def test_a_worker_that_was_suspended_finds_itself_fenced_and_closes(workers: Workers, emulator: Emulator) -> None:
    first, second = workers
    async with Page(first, "call") as page:
        await talk(page)
        first.send(signal.SIGSTOP)
        await page.tear()
        await page.move(second)
        await goes_on(page)
        first.send(signal.SIGCONT)
        await eventually(lambda: "is held elsewhere and ends here" in first.log())
        await page.say("Are you still there?")
        assert await page.reply()
        await eventually(lambda: len(emulator.connections()) == 1)
        rows = "6 [('fenced', 0), ('owner-lost', 1)]\n"
        await asyncio.to_thread(wait_until, lambda: first.shell(COUNT_ROWS) == rows, HANGS_AFTER_S, rows)


COUNT_ROWS = """
from sessions_app.models import LiveSession, Turn
ends = [(reason, LiveSession.objects.filter(end_reason=reason).count()) for reason in ("fenced", "owner-lost")]
print(Turn.objects.count(), ends)
"""


async def test_a_worker_that_leaves_hands_its_calls_over(workers: Workers, emulator: Emulator) -> None:
    first, second = workers
    async with Page(first, "call") as page:
        await talk(page)
        first.send(signal.SIGTERM)
        assert await page.wait_closed() == 4012
        await page.move(second)
        await goes_on(page)
        assert code_word_was_told_once(emulator)
        assert first.wait() in (0, -signal.SIGTERM)
