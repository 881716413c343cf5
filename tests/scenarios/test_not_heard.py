"""The provider's detector of speech misses what was said: it is said again, or told."""

from __future__ import annotations

import asyncio

import pytest

from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.services.emulator import Emulator
from tests.services.processes import PATIENCE_S, wait_until
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop


async def test_a_short_answer_that_was_missed_is_said_again_and_answered(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "call") as page:
        await page.start()
        emulator.fault("deaf_vad", share=1)
        await page.speak(spoken("Yes.") + silence(1.5))
        await asyncio.to_thread(
            wait_until, lambda: bool(emulator.entries("speech_missed")), PATIENCE_S, "a missed answer"
        )
        emulator.disarm()
        assert await page.reply() == "You said: yes"
        assert page.of_type("toast") == []
    assert len(emulator.entries("speech_in")) == 1


async def test_a_short_answer_that_is_missed_twice_is_told_as_not_heard(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "call") as page:
        await page.start()
        emulator.fault("deaf_vad", share=1)
        await page.speak(spoken("Yes.") + silence(1.5))
        told = await page.wait_for("turn", code="turn.not_heard")
        assert told["text"] == "This was not heard. Say it again, or type it."
        assert page.of_type("toast") == []
    assert len(emulator.entries("speech_missed")) == 2
    assert emulator.entries("speech_in") == []
