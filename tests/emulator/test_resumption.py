"""Handles are checkpoints: what they keep, when they come, and when they are refused."""

import pytest
from google.genai import errors, types

from tests.emulator.client import (
    FLASH_3_1,
    GENERATIONS,
    LIVE_3_8,
    NATIVE_2_5,
    ask,
    hear,
    live,
    next_handle,
    setup_for,
    text_turn,
    wire,
)
from tests.services.emulator import Emulator
from tests.services.processes import eventually


async def remembered_session(emulator: Emulator, model: str) -> str:
    """Tell a session a code word; the handle that came after."""
    async with live(emulator, model) as session:
        await ask(session, "My code word is PLUM-42.")
        return await next_handle(session)


@pytest.mark.parametrize("model", GENERATIONS)
async def test_a_resumed_session_remembers(emulator: Emulator, model: str) -> None:
    handle = await remembered_session(emulator, model)
    async with live(emulator, model, handle) as session:
        heard = await ask(session, "What is my code word?")
    assert heard.text == "Your code word is PLUM-42."
    assert (heard.usage.prompt_token_count or 0) > 0
    opened = emulator.entries("opened")
    assert [(entry["resumed"], entry["handle_given"]) for entry in opened] == [(False, False), (True, True)]
    assert opened[0]["session"] == opened[1]["session"]


@pytest.mark.parametrize("model", GENERATIONS)
async def test_a_handle_keeps_nothing_that_came_after_it(emulator: Emulator, model: str) -> None:
    async with live(emulator, model) as session:
        await ask(session, "My name is Alice.")
        handle = await next_handle(session)
        await ask(session, "My code word is PLUM-42.")
        await next_handle(session)
    async with live(emulator, model, handle) as session:
        assert (await ask(session, "What is my name?")).text == "Your name is Alice."
        assert (await ask(session, "What is my code word?")).text == "You have not told me your code word yet."


async def test_the_prompt_after_a_resume_is_no_smaller_than_before(emulator: Emulator) -> None:
    async with live(emulator) as session:
        before = (await ask(session, "My code word is PLUM-42.")).usage
        handle = await next_handle(session)
    async with live(emulator, handle=handle) as session:
        after = (await ask(session, "What is my code word?")).usage
    assert (after.prompt_token_count or 0) > (before.prompt_token_count or 0)


async def test_3_8_volunteers_a_handle_right_after_the_set_up(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        update = (await connection.receive())["sessionResumptionUpdate"]
    assert update["resumable"] is True
    assert len(update["newHandle"]) == 36


async def test_2_5_offers_a_handle_only_after_its_first_turn(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(NATIVE_2_5, sessionResumption={})) as connection:
        await connection.send(text_turn("Hello"))
        frames = await connection.until(lambda message: "sessionResumptionUpdate" in message)
    assert frames[-2]["serverContent"] == {"turnComplete": True}


async def test_while_an_answer_is_given_the_session_is_not_resumable(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(FLASH_3_1)) as connection:
        await connection.until(lambda message: "sessionResumptionUpdate" in message)
        await connection.send(text_turn("Hello"))
        updates = [
            message["sessionResumptionUpdate"]
            for message in await connection.until(lambda message: message.get("sessionResumptionUpdate"))
            if "sessionResumptionUpdate" in message
        ]
    assert updates[0] == {}
    assert updates[-1]["resumable"] is True


async def test_an_unknown_handle_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(errors.APIError, match="BidiGenerateContent session not found") as refused:
        async with live(emulator, handle="53ebe315-1e7e-40b4-964f-68bfea12726c"):
            pass
    assert refused.value.code == 1008
    assert emulator.entries("handle_refused")[0]["why"] == "unknown handle"


async def test_a_handle_of_another_model_is_an_invalid_argument(emulator: Emulator) -> None:
    handle = await remembered_session(emulator, LIVE_3_8)
    with pytest.raises(errors.APIError, match="Request contains an invalid argument") as refused:
        async with live(emulator, FLASH_3_1, handle):
            pass
    assert refused.value.code == 1007
    assert emulator.entries("handle_refused")


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("session not found", 1008, "BidiGenerateContent session not found"),
        ("session expired", 1008, "BidiGenerateContent session expired"),
        ("invalid_handle", 1007, "Invalid session handle"),
    ],
)
async def test_killed_handles_are_refused_and_new_ones_are_not(
    emulator: Emulator, text: str, code: int, reason: str
) -> None:
    handle = await remembered_session(emulator, LIVE_3_8)
    emulator.fault("dead_handle", text=text)
    with pytest.raises(errors.APIError, match=reason) as refused:
        async with live(emulator, handle=handle):
            pass
    assert refused.value.code == code
    fresh = await remembered_session(emulator, LIVE_3_8)
    async with live(emulator, handle=fresh) as session:
        assert "PLUM-42" in (await ask(session, "What is my code word?")).text


async def test_a_forgotten_session_resumes_without_memory_and_with_a_small_prompt(emulator: Emulator) -> None:
    async with live(emulator) as session:
        before = (await ask(session, "My code word is PLUM-42." + " filler" * 500)).usage
        handle = await next_handle(session)
    emulator.fault("forget")
    async with live(emulator, handle=handle) as session:
        heard = await ask(session, "What is my code word?")
    assert "PLUM" not in heard.text
    assert (heard.usage.prompt_token_count or 0) < (before.prompt_token_count or 0)
    async with live(emulator, handle=handle) as session:
        assert "PLUM-42" in (await ask(session, "What is my code word?")).text


async def test_a_resume_closes_the_connection_that_is_still_open(emulator: Emulator) -> None:
    async with live(emulator) as old:
        await ask(old, "My name is Alice.")
        handle = await next_handle(old)
        async with live(emulator, handle=handle) as new:
            assert (await ask(new, "What is my name?")).text == "Your name is Alice."
        with pytest.raises(errors.APIError) as closed:
            await hear(old)
    assert closed.value.code == 1000


async def test_an_overlapping_resume_can_be_refused(emulator: Emulator) -> None:
    emulator.fault("overlap_refused", on=True)
    async with live(emulator) as old:
        await ask(old, "My name is Alice.")
        handle = await next_handle(old)
        with pytest.raises(errors.APIError, match=r"1011 None. Internal error encountered\."):
            async with live(emulator, handle=handle):
                pass
        assert (await ask(old, "What is my name?")).text == "Your name is Alice."
    async with live(emulator, handle=handle) as new:
        assert (await ask(new, "What is my name?")).text == "Your name is Alice."


async def test_handles_can_be_withheld(emulator: Emulator) -> None:
    emulator.fault("withhold_handles", on=True)
    async with live(emulator) as session:
        await ask(session, "Hello")
        await eventually(lambda: bool(emulator.entries("handle_withheld")))
    assert not emulator.entries("handle_issued")


async def test_a_handle_given_with_initial_history_is_refused(emulator: Emulator) -> None:
    handle = await remembered_session(emulator, LIVE_3_8)
    history = types.HistoryConfig(initial_history_in_client_content=True)
    with pytest.raises(errors.APIError, match="invalid argument"):
        async with live(emulator, handle=handle, history_config=history):
            pass


async def test_3_8_keeps_the_instruction_it_started_with_and_3_1_takes_the_new_one(emulator: Emulator) -> None:
    answers = {}
    for model in (LIVE_3_8, FLASH_3_1):
        async with live(emulator, model, system_instruction="The user's shoe size is 41.") as session:
            await ask(session, "Hello")
            handle = await next_handle(session)
        async with live(emulator, model, handle, system_instruction="The user's shoe size is 43.") as session:
            answers[model] = (await ask(session, "What is my shoe size?")).text
    assert answers == {LIVE_3_8: "Your shoe size is 41.", FLASH_3_1: "Your shoe size is 43."}
