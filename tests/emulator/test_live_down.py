"""Live as a whole is away, or a model is gone for good: what a client meets, and that REST goes on."""

import asyncio

import pytest
from google.genai import errors
from websockets.exceptions import InvalidStatus

from tests.emulator.client import FLASH_3_1, LIVE_3_8, ask, is_turn_complete, live, sdk, setup_for, text_turn, wire
from tests.services.emulator import Emulator
from tests.services.processes import eventually

CHAT = "gemini-3.8-flash"
SILENCE_S = 0.3
"""Longer than anything takes here that is answered at all."""


def rest_answers(emulator: Emulator) -> bool:
    client = sdk(emulator)  # one that nobody holds is closed
    return client.models.generate_content(model=CHAT, contents="Say hello").text == "hello"


async def test_dials_are_refused_while_live_is_down_and_not_afterwards(emulator: Emulator) -> None:
    emulator.fault("live_down")
    for model in (LIVE_3_8, FLASH_3_1):
        with pytest.raises(InvalidStatus) as refused:
            async with wire(emulator, setup_for(model)):
                pass
        assert refused.value.response.status_code == 503
    assert rest_answers(emulator)
    emulator.fault("live_down", on=False)
    async with live(emulator) as session:
        assert (await ask(session, "Say hello")).text == "hello"


async def test_it_is_over_after_the_time_that_was_given(emulator: Emulator) -> None:
    emulator.fault("live_down", dials="stalled", for_s=0.2)
    async with live(emulator) as session:
        assert (await ask(session, "Say hello")).text == "hello"


async def test_a_set_up_can_stall(emulator: Emulator) -> None:
    emulator.fault("live_down", dials="stalled")
    async with wire(emulator) as connection:
        await connection.send({"setup": setup_for(LIVE_3_8)})
        answer = asyncio.create_task(connection.receive())
        await eventually(lambda: bool(emulator.entries("setup")))
        assert rest_answers(emulator)
        assert not answer.done()
        emulator.disarm()
        assert await answer == {"setupComplete": {}}


async def test_a_session_can_begin_and_stay_silent(emulator: Emulator) -> None:
    emulator.fault("live_down", dials="silent")
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        await connection.send(text_turn("Say hello"))
        await eventually(lambda: bool(emulator.entries("turn_complete")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.receive(), SILENCE_S)
        assert rest_answers(emulator)


@pytest.mark.parametrize(("how", "code"), [("closed", 1011), ("cut", 1006)])
async def test_open_connections_end_at_once(emulator: Emulator, how: str, code: int) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as first, wire(emulator, setup_for(FLASH_3_1)) as second:
        emulator.fault("live_down", open=how)
        assert [(await connection.closed())[0] for connection in (first, second)] == [code, code]


async def test_open_connections_can_fall_silent(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        await connection.send(text_turn("Hello"))
        await connection.until(is_turn_complete)
        emulator.fault("live_down", open="silent")
        await connection.send(text_turn("Say hello"))
        await eventually(lambda: len(emulator.entries("turn_complete")) == 2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.until(lambda message: "serverContent" in message), SILENCE_S)


async def test_a_retired_model_is_refused_everywhere_and_the_others_are_not(emulator: Emulator) -> None:
    client = sdk(emulator)
    emulator.fault("retire_model", model=LIVE_3_8)
    emulator.fault("retire_model", model=CHAT)
    with pytest.raises(errors.APIError, match="is not found for API version v1beta") as refused:
        async with live(emulator):
            pass
    assert refused.value.code == 1008
    with pytest.raises(errors.ClientError, match=f"models/{CHAT} is no longer available") as gone:
        client.models.generate_content(model=CHAT, contents="Hello")
    assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
    with pytest.raises(errors.ClientError, match="is not found"):
        client.models.get(model=LIVE_3_8)
    listed = {model.name for model in client.models.list()}
    assert not listed & {f"models/{LIVE_3_8}", f"models/{CHAT}"}
    assert f"models/{FLASH_3_1}" in listed
    async with live(emulator, FLASH_3_1) as session:
        assert (await ask(session, "Say hello")).text == "hello"


async def test_a_model_is_retired_at_its_time(emulator: Emulator) -> None:
    client = sdk(emulator)
    assert client.models.get(model=CHAT)
    emulator.fault("retire_model", model=CHAT, after_ms=4_000)
    assert client.models.get(model=CHAT).name == f"models/{CHAT}"
    await eventually(lambda: f"models/{CHAT}" not in {model.name for model in client.models.list()})
