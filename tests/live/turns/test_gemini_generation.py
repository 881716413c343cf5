"""The SDK's words for requests, and ours."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from google.genai import errors, types

from sessions_app.live.machine.failures import Failure, History, Phase, Verdict, judge
from sessions_app.live.providers.sound_parts import InlineSound, UploadedSound
from sessions_app.live.providers.turns.account import Line, Question, Sound, Words
from sessions_app.live.providers.turns.gemini_generation import GeminiGeneration
from sessions_app.live.providers.turns.generation import Chunk
from sessions_app.live.providers.turns.prompt import Prompt
from sessions_app.live.providers.upstream import UpstreamFailed
from sessions_app.live.transcript import Role

MODEL = "gemini-3.8-flash"
SOUND = Sound(b"\x01\x02" * 1_600)
BEFORE = (Line(Role.USER, "Hi"), Line(Role.MODEL, "Hello"))
PROMPT = Prompt("Be kind.", Question(BEFORE, (SOUND, Words("typed"))), "[Note: as JSON.]", is_structured=True)


class FakeModels:
    """The part of the SDK that is called: `answers` are responses, or what is raised."""

    def __init__(self, *answers: list[types.GenerateContentResponse | Exception]) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    async def generate_content_stream(self, **call: Any) -> AsyncIterator[types.GenerateContentResponse]:
        self.calls.append(call)
        return self._stream(self.answers.pop(0))

    async def _stream(
        self, answer: list[types.GenerateContentResponse | Exception]
    ) -> AsyncIterator[types.GenerateContentResponse]:
        for each in answer:
            if isinstance(each, Exception):
                raise each
            yield each


def generation(*answers: list[types.GenerateContentResponse | Exception]) -> tuple[GeminiGeneration, FakeModels]:
    made, models = GeminiGeneration("key", "v1beta"), FakeModels(*answers)
    made._client.aio._models = models  # type: ignore[assignment]
    return made, models


def response(**fields: Any) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate(fields)


def said(text: str, **candidate: Any) -> types.GenerateContentResponse:
    return response(candidates=[{"content": {"parts": [{"text": text}]}, **candidate}])


def refused(code: int, status: str, message: str) -> errors.APIError:
    kind = errors.ServerError if code >= 500 else errors.ClientError
    return kind(code, {"error": {"code": code, "status": status, "message": message}})


async def answers(made: GeminiGeneration, prompt: Prompt = PROMPT, level: str = "LOW") -> list[Chunk]:
    return [chunk async for chunk in made.conversation(MODEL).answer(prompt, level)]


async def test_a_question_is_put_as_the_provider_wants_it() -> None:
    made, models = generation([said("x", finish_reason="STOP")])
    assert await answers(made) == [Chunk("x", finish="STOP")]
    (call,) = models.calls
    roles = [(content.role, len(content.parts)) for content in call["contents"]]
    assert roles == [("user", 1), ("model", 1), ("user", 2), ("user", 1)]
    blob = call["contents"][2].parts[0].inline_data
    assert call["contents"][2].parts[1].text == "[Note: as JSON.]"
    assert blob.mime_type == "audio/wav"
    with wave.open(io.BytesIO(blob.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.readframes(9_999)) == (16_000, 1, SOUND.pcm)
    config = call["config"]
    assert config.system_instruction == "Be kind."
    assert config.response_schema.property_ordering == ["heard", "answer"]
    assert config.thinking_config.thinking_level is types.ThinkingLevel.LOW
    assert config.max_output_tokens


async def test_thoughts_are_not_words_and_counts_are_ours() -> None:
    usage = {"prompt_token_count": 7, "candidates_token_count": 2, "thoughts_token_count": 5}
    made, _ = generation(
        [
            response(
                candidates=[{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "a"}]}}],
                usage_metadata=usage,
            )
        ]
    )
    (chunk,) = await answers(made)
    assert chunk.text == "a"
    assert chunk.usage is not None
    assert chunk.usage.as_data() == {
        "prompt_tokens": 7,
        "response_tokens": 2,
        "thoughts_tokens": 5,
        "response_tokens_by_modality": {"TEXT": 2},
    }


@pytest.mark.parametrize(
    ("came", "refusal"),
    [
        (response(prompt_feedback={"block_reason": "SAFETY"}), "PROHIBITED_INPUT_CONTENT"),
        (response(prompt_feedback={"block_reason": "BLOCKLIST"}), "BLOCKLIST"),
        (response(candidates=[{"finish_reason": "SAFETY"}]), "GENERATED_CONTENT_SAFETY"),
        (response(candidates=[{"finish_reason": "RECITATION"}]), "RESPONSE_REJECTED"),
        (response(candidates=[{"finish_reason": "MAX_TOKENS"}]), ""),
        (response(candidates=[{"finish_reason": "OTHER"}]), ""),
    ],
)
async def test_what_is_not_to_be_asked_or_answered_has_a_reason(
    came: types.GenerateContentResponse, refusal: str
) -> None:
    made, _ = generation([came])
    (chunk,) = await answers(made)
    assert chunk.refusal == refusal


async def test_a_field_that_a_model_refuses_by_its_name_is_left_out_from_then_on() -> None:
    made, models = generation(
        [refused(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model.")],
        [refused(400, "INVALID_ARGUMENT", "response_schema is not supported with audio.")],
        [said("a")],
        [said("b")],
    )
    assert await answers(made) == [Chunk("a")]
    assert await answers(made) == [Chunk("b")]
    assert [call["config"].thinking_config is None for call in models.calls] == [False, True, True, True]
    assert [call["config"].response_schema is None for call in models.calls] == [False, False, True, True]


async def test_a_field_is_left_out_once() -> None:
    text = "Thinking is not possible."
    made, models = generation([refused(400, "INVALID_ARGUMENT", text)], [refused(400, "INVALID_ARGUMENT", text)])
    with pytest.raises(UpstreamFailed):
        await answers(made)
    assert len(models.calls) == 2


@pytest.mark.parametrize(
    ("error", "code", "verdict"),
    [
        (refused(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), 1011, Verdict.RESUME),
        (refused(500, "INTERNAL", "An internal error has occurred."), 1011, Verdict.RESUME),
        (refused(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), 1007, Verdict.RESUME),
        (refused(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), 1007, Verdict.STOP),
        (refused(403, "PERMISSION_DENIED", "Your project has been denied access."), 403, Verdict.STOP),
        (refused(404, "NOT_FOUND", "models/x is not found for API version v1beta"), 404, Verdict.NEXT_MODEL),
        (refused(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"), 429, Verdict.NEXT_MODEL),
        (refused(429, "", "Too many requests"), 429, Verdict.WAIT),
        (httpx2.ConnectError("refused"), 0, Verdict.RESUME),
        (httpx2.ReadTimeout("slow"), 0, Verdict.RESUME),
        (httpx2.RemoteProtocolError("peer closed"), 0, Verdict.RESUME),
        (ValueError("no JSON"), 1002, Verdict.RESUME),
    ],
)
async def test_failures_are_judged_as_those_of_a_live_connection(error: Exception, code: int, verdict: Verdict) -> None:
    made, _ = generation([said("a"), error])
    with pytest.raises(UpstreamFailed) as failed:
        await answers(made)
    failure = failed.value.failure
    assert (failure.code, failure.phase) == (code, Phase.LIVE)
    assert judge(failure, History(alive_ms=60_000)).verdict is verdict


async def test_a_text_is_spoken_in_a_voice() -> None:
    blob = {"mime_type": "audio/L16;codec=pcm;rate=24000", "data": b"\x01\x02\x03"}
    usage = {"candidates_token_count": 25}
    came = response(candidates=[{"content": {"parts": [{"inline_data": blob}]}}], usage_metadata=usage)
    made, models = generation([came])
    (chunk,) = [chunk async for chunk in made.speak("tts", "Hello.", "Kore")]
    assert chunk.pcm == b"\x01\x02\x03"
    assert chunk.usage is not None
    assert chunk.usage.response_tokens_by_modality == {"AUDIO": 25}
    config = models.calls[0]["config"]
    assert config.response_modalities == ["AUDIO"]
    assert config.speech_config.voice_config.prebuilt_voice_config.voice_name == "Kore"


@pytest.mark.parametrize("mime_type", ["audio/L16;rate=16000", "audio/mpeg", ""])
async def test_sound_that_the_page_cannot_play_is_none(mime_type: str) -> None:
    blob = {"mime_type": mime_type, "data": b"\x01\x02"}
    made, _ = generation([response(candidates=[{"content": {"parts": [{"inline_data": blob}]}}])])
    with pytest.raises(UpstreamFailed) as failed:
        _ = [chunk async for chunk in made.speak("tts", "Hello.", "Kore")]
    assert failed.value.failure == Failure(1002, "unreadable answer", Phase.LIVE)


async def test_a_request_counts_once_for_the_cache_whether_it_was_answered_torn_or_made_again() -> None:
    made, _ = generation(
        [refused(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model.")],
        [said("a"), said("b")],
        [said("c")],
        [refused(503, "UNAVAILABLE", "The model is overloaded.")],
        [said("d")],
    )
    conversation = made.conversation(MODEL)
    stream = conversation.answer(PROMPT, "LOW")
    assert await anext(stream) == Chunk("a")
    await stream.aclose()
    assert conversation._cache._requests == 1
    assert [chunk.text async for chunk in conversation.answer(PROMPT, "")] == ["c"]
    assert conversation._cache._requests == 2
    with pytest.raises(UpstreamFailed):
        _ = [chunk async for chunk in conversation.answer(PROMPT, "")]
    assert [chunk.text async for chunk in conversation.answer(replace(PROMPT, is_aside=True), "")] == ["d"]
    assert conversation._cache._requests == 2


async def test_recordings_stand_before_all_that_was_said_as_bytes_or_as_files() -> None:
    made, models = generation([said("Plums.", finish_reason="STOP")])
    sounds = (
        *(Words("Recording #1: a"), InlineSound(b"abc", "audio/mpeg")),
        *(Words("Recording #2: b"), UploadedSound("https://files/b", "audio/ogg")),
    )
    prompt = Prompt("Be kind.", Question(BEFORE, (Words("Which?"),)), is_aside=True, sounds=sounds)
    chunks = [chunk async for chunk in made.conversation(MODEL).answer(prompt, "LOW")]
    assert chunks[-1].finish == "STOP"
    contents = models.calls[0]["contents"]
    assert [content.role for content in contents] == ["user", "user", "model", "user"]
    first, inline, second, file = contents[0].parts
    assert (first.text, second.text) == ("Recording #1: a", "Recording #2: b")
    assert (inline.inline_data.data, inline.inline_data.mime_type) == (b"abc", "audio/mpeg")
    assert (file.file_data.file_uri, file.file_data.mime_type) == ("https://files/b", "audio/ogg")
    assert contents[-1].parts[0].text == "Which?"
