"""Faults of a living connection: turns without an answer, late words, slow thinking, speech that is not heard."""

import time
from typing import Any

import pytest
from google.genai import errors, types

from tests.emulator.client import (
    FLASH_3_1,
    GENERATIONS,
    LIVE_3_8,
    Wire,
    ask,
    hear,
    hear_the_beginning,
    is_turn_complete,
    live,
    next_handle,
    say,
    setup_for,
    speech,
    text_turn,
    wire,
)
from tests.emulator.test_heard import heard_by, stamped
from tests.services.emulator import Emulator
from tests.services.processes import eventually

LOUD = b"\x00\x20"
MS = 16
"""Samples of 16 kHz in a millisecond."""
PAUSE = bytes(2 * 1000 * MS)


def loud(ms: int) -> bytes:
    """A sound that any detector takes for speech, though nobody makes out words in it."""
    return LOUD * (ms * MS)


def keys(frames: list[dict[str, Any]]) -> set[str]:
    """The keys of `serverContent` in these frames."""
    return {key for frame in frames for key in frame.get("serverContent", {})}


async def turn_of(connection: Wire, text: str) -> list[dict[str, Any]]:
    """Type something and take every frame up to the end of the turn."""
    await connection.send(text_turn(text))
    return await connection.until(is_turn_complete)


@pytest.mark.parametrize("model", GENERATIONS)
async def test_a_turn_may_end_with_no_word_and_no_sound(emulator: Emulator, model: str) -> None:
    emulator.fault("empty_turn", count=1)
    async with wire(emulator, setup_for(model)) as connection:
        frames = await turn_of(connection, "My code word is PLUM-42.")
        assert keys(frames) == {"turnComplete"}
        assert frames[-1]["serverContent"] == {"turnComplete": True}
        usage = frames[-1]["usageMetadata"]
        assert usage["promptTokenCount"] == usage["totalTokenCount"]
        assert "responseTokenCount" not in usage
    assert emulator.entries("reply") == []
    assert [entry["reason"] for entry in emulator.entries("empty_turn")] == [""]


async def test_what_an_empty_turn_was_given_is_remembered(emulator: Emulator) -> None:
    emulator.fault("empty_turn", count=1)
    async with live(emulator) as session:
        silent = await ask(session, "My code word is PLUM-42.")
        assert (silent.text, silent.audio) == ("", b"")
        assert (await ask(session, "What is my code word?")).text == "Your code word is PLUM-42."


async def test_speech_may_be_heard_and_not_answered(emulator: Emulator) -> None:
    emulator.fault("empty_turn")
    async with live(emulator) as session:
        await say(session, loud(880) + PAUSE)
        silent = await hear(session)
    assert (silent.text, silent.audio) == ("", b"")
    assert [entry["ms"] for entry in emulator.entries("speech_in")] == [880]


async def test_a_refused_turn_names_its_reason(emulator: Emulator) -> None:
    emulator.fault("refused_turn", count=1)
    emulator.fault("refused_turn", count=1, model=FLASH_3_1, reason="PROHIBITED_INPUT_CONTENT")
    expected = {LIVE_3_8: "RESPONSE_REJECTED", FLASH_3_1: "PROHIBITED_INPUT_CONTENT"}
    for model, reason in expected.items():
        async with live(emulator, model) as session:
            refused = await ask(session, "Say something bad")
            ends = [message.server_content for message in refused.messages if message.server_content]
            told = ends[-1].turn_complete_reason
            assert told is not None
            assert told.value == reason
            assert (refused.text, refused.audio) == ("", b"")
            assert (await ask(session, "Say hi")).text == "hi"


@pytest.mark.parametrize("model", GENERATIONS)
async def test_the_last_words_of_an_answer_may_come_after_its_end(emulator: Emulator, model: str) -> None:
    emulator.fault("late_words", side="output", delay_s=0.05)
    async with wire(emulator, setup_for(model)) as connection:
        await connection.send(text_turn("Count to 9"))
        turn = await connection.until(is_turn_complete)
        late = await connection.until(lambda message: "outputTranscription" in message.get("serverContent", {}))
    in_time = "".join(
        frame["serverContent"]["outputTranscription"]["text"]
        for frame in turn
        if "outputTranscription" in frame.get("serverContent", {})
    )
    content = late[-1]["serverContent"]
    assert set(content) == {"outputTranscription"}
    assert in_time + content["outputTranscription"]["text"] == "1, 2, 3, 4, 5, 6, 7, 8, 9."
    assert in_time


async def test_words_that_are_late_no_longer_come_before_those_that_follow(unhurried_emulator: Emulator) -> None:
    unhurried_emulator.fault("late_words", side="output")
    async with wire(unhurried_emulator, setup_for("gemini-3.8-live")) as connection:
        await connection.send(text_turn("Count to 9"))
        begun = await connection.until(lambda message: "modelTurn" in message.get("serverContent", {}))
        unhurried_emulator.disarm()
        turn = [*begun, *await connection.until(is_turn_complete)]
    contents = [frame.get("serverContent", {}) for frame in turn]
    words = [content["outputTranscription"]["text"] for content in contents if "outputTranscription" in content]
    assert "".join(words) == "1, 2, 3, 4, 5, 6, 7, 8, 9."


@pytest.mark.parametrize("model", GENERATIONS)
async def test_the_users_words_may_come_after_the_answer(emulator: Emulator, model: str) -> None:
    emulator.fault("late_words", side="input", delay_s=0.05)
    pcm = await speech("My code word is plum forty two.")
    async with wire(emulator, setup_for(model)) as connection:
        await connection.send_audio(pcm)
        assert "inputTranscription" not in keys(await connection.until(is_turn_complete))
        (heard,) = emulator.entries("speech_in")
        words = ""
        while heard["recognised"] and words.split() != heard["text"].split():
            content = (await connection.receive()).get("serverContent", {})
            words += content.get("inputTranscription", {}).get("text", "")


async def test_late_words_are_told_once_and_nothing_else_is_late(emulator: Emulator) -> None:
    emulator.fault("late_words", count=1, delay_s=0)
    async with live(emulator) as session:
        first = await ask(session, "Count to 9")
        second = await ask(session, "Say hi there my friend")
    assert not first.text.endswith("9.")
    assert second.text.endswith("hi there my friend")
    assert (first.text + second.text).startswith("1, 2, 3, 4, 5, 6, 7, 8, 9.")


async def test_words_that_are_still_late_when_the_connection_goes_are_told_as_lost(
    unhurried_emulator: Emulator,
) -> None:
    unhurried_emulator.fault("late_words", side="output")
    async with live(unhurried_emulator) as session:
        await session.send_realtime_input(text="Count to 30")
        await hear_the_beginning(session)
        unhurried_emulator.fault("cut")
        with pytest.raises(errors.APIError, match="1006"):
            await hear(session)
    await eventually(lambda: bool(unhurried_emulator.entries("late_words")))
    (entry,) = unhurried_emulator.entries("late_words")
    assert (entry["frames"], entry["lost"]) == (1, True)


async def test_thinking_may_take_long_and_say_nothing(emulator: Emulator) -> None:
    emulator.fault("slow_thinking", delay_s=0.5, count=1)
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        begin = time.monotonic()
        frames = await turn_of(connection, "Say hi")
        assert time.monotonic() - begin > 0.45
    assert "interactionStatus" not in keys(frames)


async def test_long_thinking_may_tell_that_it_goes_on(emulator: Emulator) -> None:
    emulator.fault("slow_thinking", delay_s=0.5, status_every_s=0.2, count=1)
    async with live(emulator) as session:
        heard = await ask(session, "Say hi")
    statuses = [
        message.server_content.interaction_status
        for message in heard.messages
        if message.server_content and message.server_content.interaction_status
    ]
    assert statuses == [types.InteractionStatus.IN_PROGRESS] * 2
    assert heard.text == "hi"


async def test_thinking_can_be_interrupted(emulator: Emulator) -> None:
    emulator.fault("slow_thinking", delay_s=60, count=1)
    async with live(emulator) as session:
        await session.send_realtime_input(text="Say one")
        await eventually(lambda: emulator.connections()[0]["state"] == "generating")
        await session.send_realtime_input(text="Say two")
        assert (await hear(session)).interrupted
        assert "two" in (await hear(session)).text


async def test_a_deaf_ear_misses_a_short_utterance_as_if_it_had_never_been_said(emulator: Emulator) -> None:
    emulator.fault("deaf_vad", share=1)
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        await connection.send_audio(loud(800) + PAUSE)
        await eventually(lambda: bool(emulator.entries("speech_missed")))
        await connection.send_audio(loud(1200) + PAUSE)
        frames = await connection.until(is_turn_complete)
    assert [entry["ms"] for entry in emulator.entries("speech_missed")] == [800]
    assert [entry["ms"] for entry in emulator.entries("speech_in")] == [1200]
    noticed = [frame["voiceActivity"]["type"] for frame in frames if "voiceActivity" in frame]
    assert noticed == ["ACTIVITY_START", "ACTIVITY_END"]


async def test_a_deaf_ear_misses_the_beginning_of_a_barge_in(unhurried_emulator: Emulator) -> None:
    unhurried_emulator.fault("deaf_vad", share=0, barge_in_s=2)
    async with live(unhurried_emulator) as session:
        await session.send_realtime_input(text="Tell me a long story.")
        await hear_the_beginning(session)
        await say(session, loud(3000) + PAUSE)
        assert (await hear(session)).interrupted
        assert "second" in (await hear(session)).text
    assert [entry["ms"] for entry in unhurried_emulator.entries("speech_missed")] == [2000]
    assert [entry["ms"] for entry in unhurried_emulator.entries("speech_in")] == [1000]


async def test_of_a_short_barge_in_nothing_is_left_but_the_interruption(unhurried_emulator: Emulator) -> None:
    unhurried_emulator.fault("deaf_vad", share=0, barge_in_s=2)
    async with live(unhurried_emulator) as session:
        await session.send_realtime_input(text="Tell me a long story.")
        await hear_the_beginning(session)
        await say(session, loud(1480) + PAUSE)
        assert (await hear(session)).interrupted
        await eventually(lambda: bool(unhurried_emulator.entries("speech_missed")))
        assert unhurried_emulator.entries("speech_in") == []
        assert (await ask(session, "Say hi")).text == "hi"


async def test_what_the_client_marks_as_speech_is_heard_by_a_deaf_ear_too(emulator: Emulator) -> None:
    emulator.fault("deaf_vad", share=1)
    by_hand = types.RealtimeInputConfig(automatic_activity_detection=types.AutomaticActivityDetection(disabled=True))
    async with live(emulator, realtime_input_config=by_hand) as session:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await say(session, loud(800))
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        assert (await hear(session)).audio
    assert emulator.entries("speech_missed") == []


async def test_the_end_of_the_stream_may_end_no_turn(emulator: Emulator) -> None:
    emulator.fault("stream_end_ignored")
    async with live(emulator) as session:
        await say(session, loud(1000))
        await session.send_realtime_input(audio_stream_end=True)
        await eventually(lambda: bool(emulator.entries("audio_end")))
        assert emulator.entries("speech_in") == []
        await say(session, PAUSE)
        assert (await hear(session)).audio
    assert [entry["ms"] for entry in emulator.entries("speech_in")] == [1000]


async def test_silence_before_the_end_of_the_stream_ends_the_turn_all_the_same(emulator: Emulator) -> None:
    emulator.fault("stream_end_ignored")
    async with live(emulator) as session:
        await say(session, loud(1000) + PAUSE)
        await session.send_realtime_input(audio_stream_end=True)
        assert (await hear(session)).audio


async def test_after_a_cut_the_old_session_may_refuse_its_resume_for_a_while(emulator: Emulator) -> None:
    emulator.fault("lingering_session", linger_s=60)
    async with live(emulator) as session:
        await ask(session, "My code word is PLUM-42.")
        handle = await next_handle(session)
        emulator.fault("cut")
        with pytest.raises(errors.APIError, match="1006"):
            await hear(session)
    with pytest.raises(errors.APIError, match=r"1011 None\. Internal error encountered\."):
        async with live(emulator, handle=handle):
            pass
    assert [entry["why"] for entry in emulator.entries("handle_refused")] == ["the session's lost connection lingers"]
    emulator.fault("lingering_session", linger_s=0)
    async with live(emulator, handle=handle) as session:
        assert "PLUM-42" in (await ask(session, "What is my code word?")).text


async def test_a_session_whose_connection_was_closed_in_order_does_not_linger(emulator: Emulator) -> None:
    emulator.fault("lingering_session", linger_s=60)
    async with live(emulator) as session:
        await ask(session, "Hello")
        handle = await next_handle(session)
    async with live(emulator, handle=handle):
        pass


@pytest.mark.parametrize("model", GENERATIONS)
async def test_a_tool_may_be_called_that_nobody_declared(emulator: Emulator, model: str) -> None:
    emulator.fault("undeclared_tool_call", function="find_on_map", count=1)
    async with live(emulator, model) as session:
        await session.send_realtime_input(text="Say hi")
        call = None
        while call is None:
            call = (await session._receive()).tool_call
        (asked,) = call.function_calls or []
        assert asked.name == "find_on_map"
        assert emulator.entries("reply") == []
        await session.send_tool_response(
            function_responses=types.FunctionResponse(
                id=asked.id, name=asked.name, response={"error": "there is no such function"}
            )
        )
        assert (await hear(session)).text == "hi"
    assert [entry["function"] for entry in emulator.entries("undeclared_tool_call")] == ["find_on_map"]


async def test_input_may_be_taken_in_later_than_it_arrives(emulator: Emulator) -> None:
    emulator.fault("input_lag", lag_ms=300)
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        begin = time.monotonic()
        await connection.send_audio(bytes(1280))
        await turn_of(connection, "Say hi")
        assert time.monotonic() - begin > 0.28
        assert emulator.connections()[0]["audio_in_ms"] == 40


async def test_the_lag_of_a_connection_may_be_drawn_and_stays(emulator: Emulator) -> None:
    emulator.fault("input_lag", lag_ms=100, up_to_ms=140)
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        for _ in range(2):
            begin = time.monotonic()
            await turn_of(connection, "Say hi")
            assert time.monotonic() - begin > 0.1


async def test_pings_are_answered_while_input_waits(emulator: Emulator) -> None:
    emulator.fault("input_lag", lag_ms=60_000)
    async with wire(emulator, setup_for(LIVE_3_8)) as connection:
        await connection.send_audio(bytes(1280))
        await (await connection.ping())
        assert emulator.connections()[0]["audio_in_ms"] == 0


async def test_what_has_arrived_and_was_not_taken_in_is_lost_with_the_connection(emulator: Emulator) -> None:
    emulator.fault("input_lag", lag_ms=60_000)
    async with live(emulator) as session:
        handle = await next_handle(session)
        await say(session, stamped(7))
        emulator.fault("cut")
        with pytest.raises(errors.APIError, match="1006"):
            await hear(session)
    async with live(emulator, handle=handle):
        assert heard_by(emulator, emulator.connections()[-1]["session"]) == ([], [])


async def test_lagging_input_keeps_its_order_when_the_lag_ends(emulator: Emulator) -> None:
    emulator.fault("input_lag", lag_ms=200)
    async with live(emulator) as session:
        await session.send_realtime_input(text="My code word is PLUM-42.")
        await session.send_realtime_input(audio=types.Blob(data=bytes(1280), mime_type="audio/pcm;rate=16000"))
        emulator.disarm()
        await session.send_realtime_input(text="What is my code word?")
        await eventually(lambda: len(emulator.entries("text_in")) == 2)
    assert [entry["text"] for entry in emulator.entries("text_in")] == [
        "My code word is PLUM-42.",
        "What is my code word?",
    ]
