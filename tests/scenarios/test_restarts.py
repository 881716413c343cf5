"""The web process is killed (SIGKILL, as by a restart that has no patience): the page comes back to another one."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence
from tests.services.emulator import Emulator
from tests.services.processes import eventually
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop

Start = Callable[..., WebServer]

TAKES_NO_PAST = (
    "gemini-3.1-flash-live-preview,gemini-2.5-flash-native-audio-preview-12-2025,"
    "gemini-2.5-flash-native-audio-preview-09-2025"
)
"""The first of these takes none in the middle of a session: where its handle is behind, a fresh one begins."""


async def restart(web: WebServer, page: Page) -> None:
    """Kill the process, start another, and let the page come back."""
    web.send(signal.SIGKILL)
    web.wait()
    await page.wait_closed()
    web.start()
    await page.connect()


async def test_after_a_kill_a_session_that_lingers_is_resumed_with_its_memory(
    start_web: Start, emulator: Emulator
) -> None:
    """For the provider the connection of the killed process may stand for a while."""
    web = start_web(REDIS_URL="")
    emulator.fault("lingering_session", linger_s=60)
    async with Page(web, "call") as page:
        await page.start()
        await page.say("my code word is PLUM-42")
        await page.reply()
        await page.wait_for("ack", ids=["typed-1"])
        await eventually(lambda: bool(emulator.entries("handle_issued")))
        await restart(web, page)
        await page.send(type="start", page_id=page.page_id, last_down=page.audio[-1][0])
        await eventually(lambda: len(emulator.entries("handle_refused")) >= 2)
        emulator.fault("lingering_session", linger_s=0)
        assert (await page.wait_for("ready"))["action"] == "resumed"
        await page.say("What is my code word?")
        assert "PLUM-42" in await page.reply()


async def test_a_kill_while_a_whole_reply_is_still_played_costs_no_memory_and_no_second_answer(
    start_web: Start, emulator: Emulator
) -> None:
    """The handle came when all of the reply was there and the turn was not over yet."""
    web = start_web(REDIS_URL="", CALL_MODELS=TAKES_NO_PAST)
    emulator.fault("no_turn_complete")
    async with Page(web, "call") as page:
        await page.start()
        await page.speak(silence(3))
        said = await page.say("my code word is PLUM-42")
        await page.wait_for("generation_complete")
        stored = await page.wait_for("ack")
        assert stored["audio"], "the handle is stored that covers the silence"
        assert said not in stored["ids"], "the turn is not over"
        await restart(web, page)
        ready = await page.start()
        assert ready["action"] == "resumed"
        assert [turn["status"] for turn in ready["transcript"]] == ["complete", "complete"]
        await page.send(type="text", id=said, text="my code word is PLUM-42")
        await page.wait_for("ack", ids=[said])
        await page.say("What is my code word?")
        assert "PLUM-42" in await page.reply()
        assert [entry["text"] for entry in emulator.entries("text_in")] == [
            "my code word is PLUM-42",
            "What is my code word?",
        ]
        assert page.toasts() == []
