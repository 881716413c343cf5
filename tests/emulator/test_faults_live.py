"""Faults by the control API, as the SDK meets them."""

import asyncio
import json
import time
import urllib.request
from typing import Any

import pytest
from google.genai import errors
from websockets.exceptions import InvalidStatus

from tests.emulator.client import (
    FLASH_3_1,
    LIVE_3_8,
    ask,
    hear,
    is_turn_complete,
    live,
    next_handle,
    say,
    setup_for,
    text_turn,
    wire,
)
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, eventually


def armed(emulator: Emulator) -> list[dict[str, Any]]:
    """The faults that are armed."""
    with urllib.request.urlopen(f"{emulator.control_url}/api/faults", timeout=ANSWERS_WITHIN_S) as response:
        faults: list[dict[str, Any]] = json.load(response)["faults"]
        return faults


async def test_go_away_tells_the_time_left_and_keeps_to_it(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await ask(session, "My code word is PLUM-42.")
        handle = await next_handle(session)
        asked = time.monotonic()
        emulator.fault("go_away", time_left="0.3s")
        told = None
        while told is None:  # the model offers a handle every few seconds
            told = (await session._receive()).go_away
        assert told.time_left == "0.3s"
        with pytest.raises(errors.APIError, match=r"1008 None\. The operation was aborted\."):
            await hear(session)
        assert time.monotonic() - asked > 0.25
    async with live(emulator, handle=handle) as session:
        assert "PLUM-42" in (await ask(session, "What is my code word?")).text
    assert [entry["time_left"] for entry in emulator.entries("go_away")] == ["0.3s"]


async def test_go_away_may_leave_the_connection_open(emulator: Emulator) -> None:
    async with live(emulator) as session:
        emulator.fault("go_away", time_left=0, then_close=False)
        assert (await ask(session, "Say still here")).text == "still here"


async def test_a_cut_has_no_close_frame(emulator: Emulator) -> None:
    async with live(emulator) as session:
        emulator.fault("cut")
        with pytest.raises(errors.APIError, match=r"1006 None\. abnormal closure \[internal\]"):
            await hear(session)
    assert (emulator.entries("closed")[0]["code"], emulator.entries("closed")[0]["by"]) == (1006, "cut")


async def test_a_cut_in_the_set_up_surfaces_at_connect(emulator: Emulator) -> None:
    emulator.fault("cut", when="setup")
    with pytest.raises(errors.APIError, match="1006"):
        async with live(emulator):
            pass
    async with live(emulator) as session:
        assert (await ask(session, "Say hi")).text == "hi"


@pytest.mark.parametrize("when", ["generating", "speech", "listening"])
async def test_a_fault_waits_for_its_phase(emulator: Emulator, when: str) -> None:
    emulator.fault("close", code=1011, reason="in the phase", when=when, after_ms=5)
    async with live(emulator) as session:
        if when == "speech":
            # 80 ms make speech. A close that finds more on its way arrives as a reset.
            await say(session, b"\x00\x20" * 1_280)
        if when == "generating":
            await session.send_realtime_input(text="Tell me a long story.")
        with pytest.raises(errors.APIError, match=r"1011 None\. in the phase"):
            await hear(session)


async def test_an_answer_can_be_held_behind_its_first_words_until_something_else_happens(emulator: Emulator) -> None:
    emulator.fault("stall", for_s=60, when="midway")
    async with live(emulator) as session:
        await session.send_realtime_input(text="Tell me a long story.")
        heard = ""
        while not heard:
            content = (await session._receive()).server_content
            heard = (content.output_transcription.text or "") if content and content.output_transcription else ""
        await eventually(lambda: bool(emulator.entries("fault")))
        emulator.fault("cut")
        with pytest.raises(errors.APIError, match="1006"):
            await hear(session)
    (told,) = emulator.entries("reply")
    assert len(heard) < len(told["text"]) / 4
    assert not emulator.entries("turn_complete")


async def test_count_says_how_often_a_fault_happens(emulator: Emulator) -> None:
    emulator.fault("cut", when="setup", count=2)
    for _ in range(2):
        with pytest.raises(errors.APIError):
            async with live(emulator):
                pass
    async with live(emulator):
        pass


async def test_a_fault_chooses_its_connection(emulator: Emulator) -> None:
    async with live(emulator) as first, live(emulator) as second:
        emulator.fault("cut", connection=emulator.connections()[0]["id"])
        with pytest.raises(errors.APIError):
            await hear(first)
        assert (await ask(second, "Say hi")).text == "hi"
    async with live(emulator) as first, live(emulator, FLASH_3_1) as second:
        emulator.fault("cut", connection="all", model=FLASH_3_1)
        with pytest.raises(errors.APIError):
            await hear(second)
        assert (await ask(first, "Say hi")).text == "hi"


async def test_a_stall_ends_and_loses_nothing(emulator: Emulator) -> None:
    async with live(emulator) as session:
        begin = time.monotonic()
        emulator.fault("stall", for_s=0.5)
        assert (await ask(session, "Say hi")).text == "hi"
        assert time.monotonic() - begin > 0.4


async def test_a_black_hole_answers_nothing_and_ends_when_the_client_hangs_up(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(FLASH_3_1)) as connection:
        await connection.until(lambda message: "sessionResumptionUpdate" in message)
        emulator.fault("black_hole")
        await connection.send(text_turn("Hello"))
        pong = await connection.ping()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await connection.receive()
        assert not pong.done()
        connection.abort()
    await eventually(lambda: not emulator.connections())


async def test_a_mute_server_takes_input_and_answers_pings_only(emulator: Emulator) -> None:
    async with wire(emulator, setup_for(FLASH_3_1)) as connection:
        await connection.until(lambda message: "sessionResumptionUpdate" in message)
        emulator.fault("mute")
        await connection.send(text_turn("My name is Bo."))
        await (await connection.ping())
        await eventually(lambda: bool(emulator.entries("turn_complete")))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await connection.receive()


async def test_slow_pongs_come_late(emulator: Emulator) -> None:
    emulator.fault("slow_pongs", delay_s=0.3)
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        begin = time.monotonic()
        await (await connection.ping())
        assert time.monotonic() - begin > 0.25


async def test_a_slow_close_keeps_the_client_waiting(emulator: Emulator) -> None:
    emulator.fault("slow_close", delay_s=0.4)
    async with live(emulator) as session:
        begin = time.monotonic()
        await session.close()
        assert time.monotonic() - begin > 0.35


@pytest.mark.parametrize("status", [429, 503])
async def test_a_handshake_can_be_refused(emulator: Emulator, status: int) -> None:
    emulator.fault("refuse_handshake", status=status, count=1)
    with pytest.raises(InvalidStatus) as refused:
        async with live(emulator):
            pass
    assert refused.value.response.status_code == status
    async with live(emulator):
        pass


async def test_refused_handshakes_end_after_their_time(emulator: Emulator) -> None:
    emulator.fault("refuse_handshake", for_s=600)
    with pytest.raises(InvalidStatus):
        async with live(emulator):
            pass
    emulator.fault("refuse_handshake", for_s=0)
    assert not armed(emulator)
    async with live(emulator):
        pass


async def test_a_slow_set_up_takes_its_time(emulator: Emulator) -> None:
    emulator.fault("slow_setup", delay_s=0.4)
    begin = time.monotonic()
    async with live(emulator) as session:
        assert session.setup_complete is not None
    assert time.monotonic() - begin > 0.35


async def test_an_answer_may_end_without_turn_complete(emulator: Emulator) -> None:
    emulator.fault("no_turn_complete", count=1)
    async with wire(emulator, setup_for(FLASH_3_1)) as connection:
        await connection.until(lambda message: "sessionResumptionUpdate" in message)
        await connection.send(text_turn("Say one"))
        frames = await connection.until(lambda message: message.get("sessionResumptionUpdate"))
        assert {"serverContent": {"generationComplete": True}} in frames
        assert not any(is_turn_complete(frame) or "usageMetadata" in frame for frame in frames)
        await connection.send(text_turn("Say two"))
        assert await connection.until(is_turn_complete)


async def test_extra_frames_are_what_the_sdk_stumbles_over(emulator: Emulator) -> None:
    emulator.fault("extra_frames")
    async with live(emulator) as session:
        stumbles = 0
        await session.send_realtime_input(text="Say hi")
        while True:
            try:
                message = await session._receive()
            except TypeError:
                stumbles += 1
                continue
            if message.server_content and message.server_content.turn_complete:
                break
    assert stumbles >= 2


async def test_the_first_frame_may_not_be_the_set_up(emulator: Emulator) -> None:
    emulator.fault("first_frame_not_setup")
    async with live(emulator) as session:
        assert session.setup_complete is None
        assert (await session._receive()).setup_complete is not None


async def test_the_first_frame_may_be_one_that_the_sdk_cannot_read(emulator: Emulator) -> None:
    emulator.fault("first_frame_not_setup", unreadable=True, count=1)
    with pytest.raises(ValueError, match="setupComplete"):
        async with live(emulator):
            pass
    async with live(emulator):
        pass


async def test_a_field_can_be_rejected_wherever_it_stands(emulator: Emulator) -> None:
    emulator.fault("reject_field", field="session_resumption")
    with pytest.raises(errors.APIError) as refused:
        async with live(emulator):
            pass
    expected = "Invalid JSON payload received. Unknown name \"sessionResumption\" at 'setup': Cannot find field."
    assert (refused.value.code, refused.value.details) == (1007, expected)
    emulator.fault("reject_field", field="temperature")
    async with live(emulator):
        pass


async def test_a_replay_can_be_refused_once(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await ask(session, "Hello")
        handle = await next_handle(session)
        emulator.fault("close_on_replay")
        await say(session, bytes(1280))
    async with live(emulator, handle=handle) as session:
        await say(session, bytes(1280))
        with pytest.raises(errors.APIError, match=r"1007 None\. Request contains an invalid argument\."):
            await hear(session)
    async with live(emulator, handle=handle) as session:
        await say(session, bytes(1280))
        assert (await ask(session, "Say hi")).text == "hi"


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("minute", "Resource exhausted. Please try again later."),
        ("day", "You exceeded your current quota, please check your plan and billing details."),
        ("billing", "Your prepayment credits are depleted. Please go to AI Studio"),
    ],
)
async def test_a_spent_quota_refuses_sessions_and_ends_open_ones_when_they_answer(
    emulator: Emulator, limit: str, reason: str
) -> None:
    async with live(emulator) as session:
        emulator.fault("quota", model=LIVE_3_8, limit=limit)
        with pytest.raises(errors.APIError) as ended:
            await ask(session, "Hello")
    with pytest.raises(errors.APIError) as refused:
        async with live(emulator):
            pass
    for error in (ended.value, refused.value):
        assert error.code == 1011
        assert str(error.details).startswith(reason)
    async with live(emulator, FLASH_3_1) as session:
        assert (await ask(session, "Say hi")).text == "hi"


async def test_concurrency_counts_the_open_sessions(emulator: Emulator) -> None:
    emulator.fault("quota", model=LIVE_3_8, limit="concurrency", sessions=2)
    async with live(emulator) as first, live(emulator):
        with pytest.raises(errors.APIError, match="You exceeded your current quota"):
            async with live(emulator):
                pass
        assert (await ask(first, "Say hi")).text == "hi"
    async with live(emulator):
        pass


async def test_a_quota_comes_back_after_its_time(emulator: Emulator) -> None:
    emulator.fault("quota", limit="minute", for_s=600)
    with pytest.raises(errors.APIError):
        async with live(emulator):
            pass
    emulator.fault("quota", limit="minute", for_s=0)
    assert not armed(emulator)
    async with live(emulator):
        pass


async def test_a_reset_closes_everything_and_forgets(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await ask(session, "Hello")
        handle = await next_handle(session)
        emulator.fault("slow_setup")
        emulator.reset()
        with pytest.raises(errors.APIError):
            await hear(session)
    assert armed(emulator) == []
    with pytest.raises(errors.APIError, match="session not found"):
        async with live(emulator, handle=handle):
            pass
