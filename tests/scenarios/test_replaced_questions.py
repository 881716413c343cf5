"""A question that is asked in the place of the last one, told by a page without a browser."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.scenarios.page import Message, Page
from tests.services.emulator import Emulator
from tests.services.web import WebServer

OLD, NEW, QUESTION = "My code word is PLUM-42", "My code word is PEAR-77", "What is my code word?"


def question(page: Page, text: str) -> Message:
    return next(turn for turn in page.of_type("turn") if turn["text"] == text)


async def rewrite(page: Page, turn: int, text: str = NEW) -> str:
    await page.say(text, replaces=turn)
    await page.wait_for("turn", role="user", replaces=turn)
    return await page.reply()


def withdrawn(transcript: list[Message]) -> list[str]:
    return [turn["text"] for turn in transcript if turn.get("withdrawn") and turn["role"] == "user"]


async def test_the_page_is_told_what_is_withdrawn_and_so_is_one_that_is_loaded_again(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say(OLD)
        await page.reply()
        number = question(page, OLD)["turn"]
        await rewrite(page, number)
        assert len([turn for turn in page.of_type("turn") if turn.get("withdrawn")]) == 2
        await page.disconnect()
    async with Page(web, "text") as again:
        ready = await again.start()
        assert withdrawn(ready["transcript"]) == [OLD]
        assert [turn.get("replaces") for turn in ready["transcript"]] == [None, None, number, None]
        await again.say(QUESTION)
        assert "PEAR-77" in await again.reply()


async def test_a_swap_of_the_line_keeps_what_counts(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say(OLD)
        await page.reply()
        await rewrite(page, question(page, OLD)["turn"])
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting")
        await page.wait_for("state", state="live")
        await page.say(QUESTION)
        assert "PEAR-77" in await page.reply()


async def test_a_session_without_memory_is_told_what_counts(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say(OLD)
        await page.reply()
        await rewrite(page, question(page, OLD)["turn"])
        emulator.fault("dead_handle")
        emulator.fault("cut")
        ready = await page.wait_for("ready", action="rebuilt")
        assert withdrawn(ready["transcript"]) == [OLD]
        await page.wait_for("state", state="live")
        await page.say(QUESTION)
        assert "PEAR-77" in await page.reply()


async def test_a_worker_that_dies_before_the_acknowledgement_leaves_one_question_and_one_answer(
    start_web: Callable[..., WebServer], emulator: Emulator
) -> None:
    web = start_web()
    async with Page(web, "text") as page:
        await page.start()
        await page.say(OLD)
        await page.reply()
        number = question(page, OLD)["turn"]
        emulator.fault("stall")
        id = await page.say(NEW, replaces=number)
        await page.wait_for("turn", role="user", replaces=number)
        web.send(signal.SIGKILL)
        web.wait()
        await page.wait_closed()
        web.start()
        await page.connect()
        ready = await page.start()
        await page.send(type="text", id=id, text=NEW, replaces=number)
        await page.wait_for("ack", ids=[id])
        shown = {turn["turn"]: turn for turn in (*ready["transcript"], *page.of_type("turn"))}
        assert OLD in withdrawn([*shown.values()])
        assert [turn["text"] for turn in shown.values() if turn["role"] == "user"].count(NEW) == 1


async def test_another_answer_to_the_same_question_takes_the_place_of_the_first(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say(OLD)
        await page.reply()
        number = question(page, OLD)["turn"]
        await rewrite(page, number, OLD)
        turns = {turn["turn"]: turn for turn in page.of_type("turn")}
        assert [turn.get("withdrawn", False) for turn in turns.values()] == [True, True, False, False]
