"""What was said is in the history, however the call ended: seen from outside."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.scenarios.page import Page, log_in
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, PATIENCE_S, wait_until
from tests.services.web import WebServer

LOOK_EVERY_S = 0.1
LONG = "The sea is wide, the mountains are high, and we live between them. " * 40
"""More than is kept as it stands: a model has to summarise it."""

Export = dict[str, Any]


async def export_of(page: Page, conversation: str, is_there: Callable[[Export], bool]) -> Export:
    """The conversation as its user may take it away, once it is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_there(export := await asyncio.to_thread(_export, page, conversation)):  # noqa: ASYNC110 - in another process
            await asyncio.sleep(LOOK_EVERY_S)
    return export


def _export(page: Page, conversation: str) -> Export:
    cookie = log_in(page.web.url, page.user or "")
    url = f"{page.web.url}/history/{conversation}/export.json"
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"Cookie": cookie}), timeout=ANSWERS_WITHIN_S
    ) as answer:
        export: Export = json.load(answer)
        return export


def words_of(export: Export) -> str:
    return " ".join(turn["text"] for turn in export["turns"])


async def test_a_call_is_in_the_history_at_once_and_its_summary_comes_when_the_model_is_back(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web(REDIS_URL="")
    emulator.fault("bad_text", answer="unavailable")
    page = Page(web, "call")
    await page.connect()
    conversation = (await page.start())["conversation"]
    await page.say("my code word is PLUM-42")
    await page.reply()
    await page.say(LONG)
    await page.reply()
    await page.hang_up()
    export = await export_of(page, conversation, lambda export: export["summary"] is not None)
    assert export["is_over"]
    assert export["summary"]["state"] == "pending"
    assert "PLUM-42" in words_of(export)
    emulator.disarm()
    await export_of(page, conversation, lambda export: export["summary"]["state"] == "ready")


async def test_after_a_kill_the_call_is_in_the_history_and_can_still_be_taken_up(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web(REDIS_URL="")
    page = Page(web, "call")
    await page.connect()
    conversation = (await page.start())["conversation"]
    said = await page.say("my dog is called Rex")
    await page.wait_until(lambda: any(said in ack["ids"] for ack in page.of_type("ack")), "the word that it is stored")
    web.send(signal.SIGKILL)
    web.wait()
    web.start()
    export = await export_of(page, conversation, lambda export: export["summary"] is not None)
    assert "Rex" in words_of(export)
    await page.connect()
    await page.start()
    await page.say("What is my dog called?")
    assert "Rex" in await page.reply()
    await page.hang_up()
    export = await export_of(page, conversation, lambda export: bool(export["is_over"]))
    assert "What is my dog called?" in words_of(export)


FACTS = {1: ("dog", "Rex"), 6: ("train", "nine"), 12: ("code word", "PLUM-42"), 18: ("boat", "Ghent")}
"""By the exchange in which they are told: turns 2, 12, 24 and 36 of forty."""


async def test_after_forty_turns_a_dead_handle_costs_no_fact(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web(REDIS_URL="")
    async with Page(web, "call") as page:
        await page.start()
        for exchange in range(20):
            owner, fact = FACTS.get(exchange, ("", ""))
            await page.say(
                f"My {owner} is {fact}" if fact else f"Tell me something about the number {exchange}, please."
            )
            await page.reply()
        await asyncio.to_thread(
            wait_until, lambda: bool(emulator.entries("text_generated")), PATIENCE_S, "a rolling summary"
        )
        emulator.fault("dead_handle")
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.say("What is my dog?")
        asked = len(page.audio)
        await page.wait_until(lambda: len(page.audio) > asked, "sound")
        assert len(emulator.entries("handle_refused")) == 1
        assert "Rex" in await page.reply()
        assert page.of_type("ready")[-1]["action"] == "rebuilt"
        for owner, fact in list(FACTS.values())[1:]:
            await page.say(f"What is my {owner}?")
            assert fact in await page.reply()
