"""What was said is in the history, however the call ended: seen from outside."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

from tests.scenarios.page import Page
from tests.services.emulator import Emulator
from tests.services.web import WebServer

LOOKS = 20
SHOW = (
    "import json; from summarization.models import CallHistory; "
    "print(json.dumps(list(CallHistory.objects.values('state', 'reason', 'search_text', 'model'))))"
)
LONG = "Tell me a long story about the sea, the mountains, and whoever lives between them, please"


async def history_of(web: WebServer, is_there: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The entries in the history once they are as wanted; looks again some times."""
    entries: list[dict[str, Any]] = []
    for _ in range(LOOKS):
        entries = json.loads(await asyncio.to_thread(web.shell, SHOW))
        if is_there(entries):
            return entries
    raise AssertionError(f"the history stayed {entries}")


async def test_a_call_is_in_the_history_at_once_and_its_summary_comes_when_the_model_is_back(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web(REDIS_URL="")
    emulator.fault("bad_text", answer="unavailable")
    page = Page(web, "call")
    await page.connect()
    await page.start()
    await page.say("my code word is PLUM-42")
    await page.reply()
    for _ in range(5):
        await page.say(LONG)
        await page.reply()
    await page.hang_up()
    (entry,) = await history_of(web, bool)
    assert entry["state"] == "pending"
    assert "PLUM-42" in entry["search_text"]
    emulator.disarm()
    (entry,) = await history_of(web, lambda entries: entries[0]["state"] == "ready")
    assert entry["model"] == "gemini-3.8-flash"


async def test_after_a_kill_the_call_is_in_the_history_and_can_still_be_taken_up(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web(REDIS_URL="")
    page = Page(web, "call")
    await page.connect()
    await page.start()
    said = await page.say("my dog is called Rex")
    await page.wait_until(lambda: any(said in ack["ids"] for ack in page.of_type("ack")), "the word that it is stored")
    web.send(signal.SIGKILL)
    web.wait()
    web.start()
    (entry,) = await history_of(web, bool)
    assert "Rex" in entry["search_text"]
    await page.connect()
    await page.start()
    await page.say("What is my dog called?")
    assert "Rex" in await page.reply()
    await page.hang_up()
    await history_of(web, lambda entries: len(entries) == 1 and "What is my dog" in entries[0]["search_text"])


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
        await page.wait_until(lambda: emulator.entries("text_generated"), "a rolling summary")
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
