"""TTS models: a text spoken in a voice, as a whole or as it comes, and what they refuse."""

import time
from typing import Any

import numpy as np
import pytest
from google import genai
from google.genai import errors, types

from tests.emulator.client import SDK_INHERITS_AIOHTTP, sdk
from tests.services.emulator import Emulator

TTS = "gemini-3.8-flash-tts"
SPEAKING = (TTS, "gemini-3.8-flash-lite-tts", "gemini-3.1-flash-tts-preview", "gemini-2.5-flash-preview-tts")

pytestmark = SDK_INHERITS_AIOHTTP


def voiced(voice: str = "Kore", **more: Any) -> types.GenerateContentConfig:
    """What a request for speech has to say."""
    speech = {"voice_config": {"prebuilt_voice_config": {"voice_name": voice}}}
    return types.GenerateContentConfig(**({"response_modalities": ["AUDIO"], "speech_config": speech} | more))


def sound_of(response: types.GenerateContentResponse) -> bytes:
    candidate = (response.candidates or [types.Candidate()])[0]
    parts = candidate.content.parts if candidate.content else None
    blobs = [part.inline_data for part in parts or [] if part.inline_data]
    assert {blob.mime_type for blob in blobs} <= {"audio/L16;codec=pcm;rate=24000"}
    return b"".join(blob.data or b"" for blob in blobs)


@pytest.mark.parametrize("model", SPEAKING)
async def test_a_sentence_is_spoken(client: genai.Client, model: str) -> None:
    response = await client.aio.models.generate_content(model=model, contents="Hello there.", config=voiced())
    samples = np.frombuffer(sound_of(response), "<i2")
    assert 0.4 < len(samples) / 24_000 < 3
    assert np.abs(samples).max() > 1_000
    usage = response.usage_metadata
    assert usage
    assert usage.candidates_tokens_details
    (spoken,) = usage.candidates_tokens_details
    assert (spoken.modality, spoken.token_count) == (types.MediaModality.AUDIO, len(samples) // 24 * 25 // 1000)


async def test_speech_is_streamed_as_it_comes_and_is_the_same_as_the_whole(client: genai.Client) -> None:
    text = "This is a sentence that takes a while to be spoken."
    whole = await client.aio.models.generate_content(model=TTS, contents=text, config=voiced())
    stream = await client.aio.models.generate_content_stream(model=TTS, contents=text, config=voiced())
    pieces = [piece async for piece in stream]
    assert len(pieces) > 4
    assert b"".join(map(sound_of, pieces)) == sound_of(whole)
    assert pieces[-1].candidates
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP


async def test_a_direction_before_the_text_is_not_spoken(client: genai.Client, emulator: Emulator) -> None:
    for text in ("Hello there.", "Say cheerfully: Hello there."):
        await client.aio.models.generate_content(model=TTS, contents=text, config=voiced("Puck"))
    assert [(entry["text"], entry["voice"]) for entry in emulator.entries("speech_generated")] == [
        ("Hello there.", "Puck")
    ] * 2


@pytest.mark.parametrize(
    ("model", "config", "complaint"),
    [
        (
            TTS,
            voiced(response_modalities=None),
            r"modalities \(TEXT\) is not supported by the model. models/.*\* AUDIO",
        ),
        (TTS, voiced(response_modalities=["TEXT", "AUDIO"]), r"modalities \(TEXT, AUDIO\) is not supported"),
        ("gemini-3.8-flash", voiced(), r"modalities \(AUDIO\) is not supported by the model. models/.*\* TEXT"),
        (TTS, voiced("alloy"), r"Voice name alloy is not supported. Allowed voice names are: achernar, "),
        (TTS, voiced(speech_config=None), "Request contains an invalid argument."),
        (TTS, voiced(system_instruction="Whisper."), "Developer instruction is not enabled for this model"),
    ],
)
async def test_what_a_model_does_not_speak_is_refused_in_the_words_of_the_api(
    client: genai.Client, model: str, config: types.GenerateContentConfig, complaint: str
) -> None:
    with pytest.raises(errors.ClientError, match=f"(?s){complaint}") as refused:
        await client.aio.models.generate_content(model=model, contents="Hello", config=config)
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")


async def test_the_first_of_them_has_a_voice_of_its_own(client: genai.Client) -> None:
    config = voiced(speech_config=None)
    response = await client.aio.models.generate_content(model=SPEAKING[-1], contents="Hello", config=config)
    assert sound_of(response)


async def test_speech_begins_after_a_while_and_comes_as_fast_as_that_of_live(unhurried_emulator: Emulator) -> None:
    client = sdk(unhurried_emulator)
    began = time.monotonic()
    stream = await client.aio.models.generate_content_stream(model=TTS, contents="Hello.", config=voiced())
    first = sound_of(await anext(stream))
    assert time.monotonic() - began > 0.2
    seconds = len(first) / 48_000 + sum([len(sound_of(piece)) async for piece in stream]) / 48_000
    assert seconds * 0.9 < time.monotonic() - began - 0.2
    await client.aio.aclose()
