"""A page that says how far it has played a reply: what was not heard any more is told apart."""

from __future__ import annotations

import pytest

from tests.scenarios.page import Page
from tests.services.emulator import Emulator
from tests.services.web import WebServer

pytestmark = pytest.mark.laptop


async def test_of_a_story_that_is_stopped_the_page_is_told_what_it_had_played_also_when_it_comes_back(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say("tell me a long story")
        await page.wait_until(lambda: len(page.audio) >= 20, "two seconds of it")
        await page.send(type="heard", down=page.audio[9][0], ms=100)
        await page.send(type="stop")
        told = await page.wait_for("turn", status="interrupted")
        assert 0 < told["heard"] < len(told["text"])
        assert told["text"][told["heard"]].isspace()
        await page.disconnect()
        await page.connect()
        ready = await page.start()
        assert ready["transcript"][-1]["heard"] == told["heard"]
