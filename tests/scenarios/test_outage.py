"""No Live connection is to be had: conversations go on in turns, and come back by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.energy import NEWEST
from tests.scenarios.page import Page
from tests.scenarios.speech import silence, spoken
from tests.scenarios.test_energy import forget_quota
from tests.services.emulator import Emulator
from tests.services.web import WebServer

QUESTION = "What is my code word?"


@pytest.fixture(autouse=True)
def nothing_known(web: WebServer) -> Iterator[None]:
    """Before and after: an outage is remembered for half a minute, of models that others talk with."""
    forget_quota(web)
    yield
    forget_quota(web)


@pytest.mark.developer_api
async def test_a_call_and_a_chat_live_through_an_outage_of_live_with_what_they_know(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "call") as call, Page(web, "text") as chat:
        for page, code_word in ((call, "PLUM-42"), (chat, "PEAR-23")):
            await page.start()
            await page.say(f"my code word is {code_word}")
            await page.reply()
        question = spoken(QUESTION)
        await call.speak(question[: len(question) // 2])
        emulator.fault("live_down", dials="refused", open="cut")
        await call.speak(question[len(question) // 2 :] + silence(1))
        await chat.say(QUESTION)
        assert "PLUM-42" in await call.reply()
        assert "PEAR-23" in await chat.reply()
        for page in (call, chat):
            assert page.of_type("energy")[-1]["word"] == "in turns"
            assert page.toasts() == ["energy.in_turns"]
        assert call.audio
        emulator.disarm()
        for page, code_word in ((call, "PLUM-42"), (chat, "PEAR-23")):
            await page.wait_for("ready", model=NEWEST)
            await page.say(QUESTION)
            assert code_word in await page.reply()
            assert page.toasts() == ["energy.in_turns", "energy.restored"]
            assert page.of_type("lost") == []
