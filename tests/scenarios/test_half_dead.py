"""The provider goes without closing, or forgets: the conversation is back within seconds, and says the truth."""

from __future__ import annotations

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.services.emulator import Emulator
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop


async def tell_code_word(page: Page) -> None:
    await page.say("my code word is PLUM-42")
    assert "PLUM-42" in await page.reply()


async def test_a_provider_that_says_nothing_any_more_is_left_and_the_question_answered_by_the_next(
    web: WebServer, emulator: Emulator
) -> None:
    """How soon is measured where the clock is virtual, in `tests/live`."""
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("black_hole")
        await page.say("What is my code word?")
        await page.wait_for("state", state="reconnecting")
        assert "PLUM-42" in await page.reply()
        assert page.of_type("lost") == []


async def test_speech_into_a_black_hole_arrives_after_it(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("black_hole")
        await page.speak(spoken("Hello world, how are you?") + silence(9.5))
        await page.wait_for("state", state="reconnecting")
        await page.speak(silence(1))
        await page.reply()
        assert page.of_type("lost") == []
    assert emulator.entries("speech_in")


async def test_a_session_that_forgot_is_noticed_on_its_first_turn_and_rebuilt(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await tell_code_word(page)
        emulator.fault("forget")
        emulator.fault("cut")
        await page.wait_for("ready", action="resumed")
        await page.say("Hello again")
        await page.reply()
        await page.wait_for("ready", action="rebuilt")
        await page.wait_for("toast", code="text.rebuilt")
        await page.say("What is my code word?")
        assert "PLUM-42" in await page.reply()
