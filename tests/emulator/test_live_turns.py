"""Talking through the unmodified SDK, with every generation of models."""

import asyncio

import numpy as np
import pytest
from google.genai import types

from tests.emulator.client import (
    FLASH_3_1,
    GENERATIONS,
    LIVE_3_8,
    NATIVE_2_5,
    THINKING,
    TRANSCRIBE,
    ask,
    hear,
    hear_the_beginning,
    live,
    say,
    speech,
)
from tests.services.emulator import Emulator
from tests.services.processes import eventually


@pytest.mark.parametrize("model", GENERATIONS)
async def test_a_typed_message_is_answered_aloud_with_its_transcript(emulator: Emulator, model: str) -> None:
    async with live(emulator, model) as session:
        heard = await ask(session, "My code word is PLUM-42.")
    assert heard.text == "Got it. Your code word is PLUM-42."
    samples = np.frombuffer(heard.audio, "<i2")
    assert 1.5 < len(samples) / 24_000 < 5
    assert np.sqrt(np.mean(samples.astype(float) ** 2)) > 500


@pytest.mark.parametrize("model", GENERATIONS)
async def test_what_was_said_earlier_is_remembered(emulator: Emulator, model: str) -> None:
    async with live(emulator, model) as session:
        await ask(session, "My name is Alice and my lucky number is 7.")
        assert (await ask(session, "What is my lucky number?")).text == "Your lucky number is 7."
        assert (await ask(session, "What did I say first?")).text.startswith("First you said: My name is Alice")


@pytest.mark.parametrize("model", GENERATIONS)
async def test_speech_is_heard_measured_and_answered(emulator: Emulator, model: str) -> None:
    pcm = await speech("My code word is plum forty two.")
    async with live(emulator, model) as session:
        await say(session, pcm)
        heard = await hear(session)
    spoken = emulator.entries("speech_in")
    assert len(spoken) == 1
    assert 1300 < spoken[0]["ms"] < 2500
    assert bool(heard.input_text) == spoken[0]["recognised"]
    assert heard.audio
    assert emulator.entries("reply")[0]["text"] == heard.text


async def test_audio_stream_end_answers_without_a_pause(emulator: Emulator) -> None:
    pcm = (await speech("What is my name?"))[:-38_400]
    async with live(emulator) as session:
        await say(session, pcm)
        await session.send_realtime_input(audio_stream_end=True)
        assert (await hear(session)).audio
    assert emulator.entries("audio_end")


async def test_words_nobody_can_make_out_are_said_to_be_so(emulator: Emulator) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 4000, 16_000).astype("<i2").tobytes() + bytes(32_000)
    disabled = types.RealtimeInputConfig(automatic_activity_detection=types.AutomaticActivityDetection(disabled=True))
    async with live(emulator, realtime_input_config=disabled) as session:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await say(session, noise)
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        heard = await hear(session)
    entry = emulator.entries("speech_in")[0]
    assert entry["ms"] == 2000
    if not entry["recognised"]:
        assert heard.text == "I heard you speak for 2.0 seconds but could not make out the words."


async def test_the_length_of_speech_is_remembered(emulator: Emulator) -> None:
    async with live(emulator) as session:
        await say(session, await speech("My favorite color is blue."))
        await hear(session)
        heard = await ask(session, "How long did I speak?")
    seconds = emulator.entries("speech_in")[0]["ms"] / 1000
    assert heard.text.startswith(f"You spoke for {seconds:.1f} seconds")


@pytest.mark.parametrize("model", GENERATIONS)
async def test_speaking_up_interrupts_a_long_answer(unhurried_emulator: Emulator, model: str) -> None:
    pcm = await speech("Please stop.")
    async with live(unhurried_emulator, model) as session:
        await session.send_realtime_input(text="Tell me a long story.")
        await hear_the_beginning(session)
        await say(session, pcm)
        story = await hear(session)
        assert story.interrupted
        assert not (await hear(session)).interrupted
    cut = unhurried_emulator.entries("reply_interrupted")[0]["text"]
    assert len(cut) < len(unhurried_emulator.entries("reply")[0]["text"])


async def test_no_interruption_lets_the_answer_finish_first(emulator: Emulator) -> None:
    patient = types.RealtimeInputConfig(activity_handling=types.ActivityHandling.NO_INTERRUPTION)
    async with live(emulator, realtime_input_config=patient) as session:
        await session.send_realtime_input(text="Count to 5")
        await eventually(lambda: bool(emulator.entries("reply")))
        await session.send_realtime_input(text="My name is Bo.")
        first, second = await hear(session), await hear(session)
    assert first.text == "1, 2, 3, 4, 5."
    assert second.text == "Got it. Your name is Bo."
    assert not first.interrupted


async def test_client_content_interrupts_what_is_being_said(unhurried_emulator: Emulator) -> None:
    async with live(unhurried_emulator) as session:
        await session.send_realtime_input(text="Tell me a long story.")
        await hear_the_beginning(session)
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="My name is Bo.")]))
        assert (await hear(session)).interrupted
        assert "Bo" in (await hear(session)).text


@pytest.mark.parametrize("model", [LIVE_3_8, FLASH_3_1])
async def test_initial_history_is_remembered_and_not_answered(emulator: Emulator, model: str) -> None:
    history = types.HistoryConfig(initial_history_in_client_content=True)
    async with live(emulator, model, history_config=history) as session:
        await session.send_client_content(
            turns=[
                types.Content(role="user", parts=[types.Part(text="My code word is PLUM-42.")]),
                types.Content(role="model", parts=[types.Part(text="I will remember it.")]),
            ],
            turn_complete=True,
        )
        heard = await ask(session, "What is my code word?")
    assert heard.text == "Your code word is PLUM-42."
    assert len(emulator.entries("reply")) == 1
    assert emulator.entries("seeded")[0]["turns"] == 2


@pytest.mark.parametrize("model", GENERATIONS)
@pytest.mark.parametrize(
    "instruction", ["The user's code word is PLUM-42.", "user: my code word is PLUM-42\nmodel: Noted."]
)
async def test_context_in_the_system_instruction_is_known(emulator: Emulator, model: str, instruction: str) -> None:
    async with live(emulator, model, system_instruction=instruction) as session:
        assert (await ask(session, "What is my code word?")).text == "Your code word is PLUM-42."


async def test_history_of_a_2_5_model_goes_in_before_the_question(emulator: Emulator) -> None:
    async with live(emulator, NATIVE_2_5) as session:
        await session.send_client_content(
            turns=[
                types.Content(role="user", parts=[types.Part(text="My name is Alice.")]),
                types.Content(role="model", parts=[types.Part(text="Hello Alice.")]),
            ],
            turn_complete=False,
        )
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="What is my name?")]))
        assert (await hear(session)).text == "Your name is Alice."


async def test_an_unknown_fact_is_said_to_be_unknown(emulator: Emulator) -> None:
    async with live(emulator) as session:
        assert (await ask(session, "What is my code word?")).text == "You have not told me your code word yet."


@pytest.mark.parametrize("model", GENERATIONS)
async def test_the_prompt_grows_with_the_conversation(emulator: Emulator, model: str) -> None:
    async with live(emulator, model) as session:
        usages = [(await ask(session, text)).usage for text in ("Hello", "My name is Alice.", "What is my name?")]
    prompts = [usage.prompt_token_count or 0 for usage in usages]
    assert prompts == sorted(set(prompts))
    for usage in usages:
        assert usage.total_token_count == (usage.prompt_token_count or 0) + (usage.response_token_count or 0)


async def test_compression_cuts_the_oldest_turns(emulator: Emulator) -> None:
    compression = types.ContextWindowCompressionConfig(
        trigger_tokens=5000, sliding_window=types.SlidingWindow(target_tokens=500)
    )
    async with live(emulator, context_window_compression=compression) as session:
        await ask(session, "My code word is PLUM-42.")
        await ask(session, "Here comes a lot of filler:" + " filler" * 4000)
        await ask(session, "My name is Bo.")
        assert (await ask(session, "What is my code word?")).text == "You have not told me your code word yet."
        assert (await ask(session, "What is my name?")).text == "Your name is Bo."


async def test_a_thinking_model_fills_the_pause_and_says_when_it_is_idle(emulator: Emulator) -> None:
    thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
    async with live(emulator, THINKING, thinking_config=thinking) as session:
        heard = await ask(session, "Please think hard and tell me what you know about my name.")
    statuses = [
        message.server_content.interaction_status
        for message in heard.messages
        if message.server_content and message.server_content.turn_complete
    ]
    assert statuses == [types.InteractionStatus.IN_PROGRESS, types.InteractionStatus.IDLE]
    assert heard.text.startswith("Let me think about that for a moment.")


async def test_a_transcribing_model_only_writes_down(emulator: Emulator) -> None:
    async with live(emulator, TRANSCRIBE, response_modalities=[types.Modality.TEXT]) as session:
        await say(session, await speech("My name is Alice."))
        heard = await hear(session)
    assert not heard.audio
    assert not heard.text
    assert bool(heard.input_text) == emulator.entries("speech_in")[0]["recognised"]


async def test_a_declared_function_is_called_and_its_result_spoken(emulator: Emulator) -> None:
    weather = types.FunctionDeclaration(
        name="get_weather",
        parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
    )
    async with live(emulator, tools=[types.Tool(function_declarations=[weather])]) as session:
        await session.send_realtime_input(text="What is the weather in London?")
        call = None
        while call is None:
            call = (await session._receive()).tool_call
        assert call.function_calls
        asked = call.function_calls[0]
        assert (asked.name, asked.args) == ("get_weather", {"city": "London"})
        await session.send_tool_response(
            function_responses=types.FunctionResponse(id=asked.id, name=asked.name, response={"output": "It is foggy."})
        )
        assert (await hear(session)).text == "It is foggy."


async def test_an_interrupted_function_call_is_cancelled(emulator: Emulator) -> None:
    ring = types.FunctionDeclaration(name="ring_bell")
    async with live(emulator, tools=[types.Tool(function_declarations=[ring])]) as session:
        await session.send_realtime_input(text="Ring the bell.")
        call = None
        while call is None:
            call = (await session._receive()).tool_call
        await session.send_realtime_input(text="Hello there, never mind.")
        cancelled = None
        while cancelled is None:
            cancelled = (await session._receive()).tool_call_cancellation
    assert call.function_calls
    assert cancelled.ids == [call.function_calls[0].id]


async def test_many_connections_talk_at_once(emulator: Emulator) -> None:
    async def talk(number: int) -> str:
        async with live(emulator) as session:
            await ask(session, f"My lucky number is {number}.")
            return (await ask(session, "What is my lucky number?")).text

    answers = await asyncio.gather(*(talk(number) for number in range(8)))
    assert answers == [f"Your lucky number is {number}." for number in range(8)]
