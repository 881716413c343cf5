"""A conversation in turns: what is said into a microphone goes up with the conversation so far."""

import json

import numpy as np
import pytest
from google import genai
from google.genai import errors, types

from emulator.attachments import Attachments
from emulator.generate import generate
from emulator.prompt import CLIPS_KEPT, Ear, Prompt, read_prompt
from emulator.state import Emulator as State
from emulator.state import Options
from tests.emulator.client import SDK_INHERITS_AIOHTTP, speech
from tests.emulator.test_sound import tone, wav
from tests.services.emulator import Emulator

CHAT = "gemini-3.8-flash"
CODE_WORD = "My code word is plum"
QUESTION = "What is my code word"
TURN = {
    "type": "object",
    "properties": {
        "heard": {"type": "string", "description": "What the user said, word for word"},
        "answer": {"type": "string", "description": "The reply to it"},
    },
    "required": ["heard", "answer"],
}
AS_JSON = types.GenerateContentConfig(
    response_mime_type="application/json",
    response_json_schema=TURN,
    system_instruction="Answer what the user says.\nSummary of the conversation so far:\nThe user's dog is Rex.",
)

pytestmark = SDK_INHERITS_AIOHTTP


def typed(role: str, text: str) -> types.Content:
    return types.Content(role=role, parts=[types.Part(text=text)])


def spoken(pcm: bytes, mime_type: str = "audio/pcm;rate=16000", *texts: str) -> types.Content:
    parts = [types.Part(text=text) for text in texts]
    return types.Content(role="user", parts=[*parts, types.Part.from_bytes(data=pcm, mime_type=mime_type)])


async def streamed(
    client: genai.Client, contents: list[types.Content], config: types.GenerateContentConfig | None = None
) -> list[types.GenerateContentResponse]:
    stream = await client.aio.models.generate_content_stream(model=CHAT, contents=contents, config=config)
    return [piece async for piece in stream]


def text_of(pieces: list[types.GenerateContentResponse]) -> str:
    return "".join(piece.text or "" for piece in pieces)


async def test_what_is_said_aloud_is_answered_from_the_conversation_so_far(client: genai.Client) -> None:
    told = [typed("user", "My code word is PLUM-42."), typed("model", "Got it."), spoken(await speech(QUESTION))]
    pieces = await streamed(client, told)
    assert text_of(pieces) == "Your code word is PLUM-42."
    assert pieces[-1].candidates
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP


async def test_a_wav_file_said_earlier_is_known_later(client: genai.Client) -> None:
    pcm = np.frombuffer(await speech(CODE_WORD), "<i2")
    told = [spoken(wav(pcm, 16_000), "audio/wav"), typed("model", "Got it."), typed("user", "What is my code word?")]
    assert text_of(await streamed(client, told)) == "Your code word is plum."


async def test_json_tells_what_was_heard_and_the_answer(client: genai.Client, emulator: Emulator) -> None:
    pieces = await streamed(client, [spoken(await speech(CODE_WORD))], AS_JSON)
    assert json.loads(text_of(pieces)) == {
        "heard": CODE_WORD.lower(),
        "answer": "Got it. Your code word is plum.",
    }
    assert len(pieces) > 4
    assert [entry["heard"] for entry in emulator.entries("text_generated")] == [CODE_WORD.lower()]


async def test_typed_words_fill_the_same_fields(client: genai.Client) -> None:
    told = text_of(await streamed(client, [typed("user", 'Say he said "no" twice')], AS_JSON))
    assert json.loads(told) == {"heard": 'Say he said "no" twice', "answer": 'he said "no" twice'}


async def test_a_transcript_that_is_asked_for_is_the_words_alone(client: genai.Client) -> None:
    asked = [spoken(await speech(CODE_WORD), "audio/pcm;rate=16000", "Transcribe this.")]
    assert text_of(await streamed(client, asked)) == CODE_WORD.lower()


async def test_a_persona_that_can_summarise_answers_all_the_same(client: genai.Client) -> None:
    persona = types.GenerateContentConfig(system_instruction="Be brief. Summarise long things.")
    told = [typed("user", "My code word is PLUM-42."), typed("model", "Got it.")]
    for question in (spoken(await speech(QUESTION)), typed("user", "What is my code word?")):
        assert text_of(await streamed(client, [*told, question], persona)) == "Your code word is PLUM-42."


async def test_what_is_typed_beside_it_was_not_heard(client: genai.Client) -> None:
    told = [spoken(await speech(CODE_WORD)), typed("user", "Tell me a joke."), spoken(await speech(QUESTION))]
    both = f"{CODE_WORD} {QUESTION}".lower()
    assert json.loads(text_of(await streamed(client, told, AS_JSON)))["heard"] == both
    assert json.loads(text_of(await streamed(client, told[:2], AS_JSON)))["heard"] == CODE_WORD.lower()


async def test_noise_is_heard_as_nothing_and_not_answered(client: genai.Client) -> None:
    noise = spoken(np.random.default_rng(1).normal(0, 2_000, 16_000).astype("<i2").tobytes())
    told = [typed("user", "My code word is PLUM-42."), typed("model", "Got it."), noise]
    assert json.loads(text_of(await streamed(client, told, AS_JSON))) == {"heard": "", "answer": ""}
    assert text_of(await streamed(client, told)) == ""


async def test_sound_is_counted_by_its_length_in_every_piece(client: genai.Client) -> None:
    three_seconds = spoken(bytes(3 * 32_000), "audio/pcm;rate=16000", "Is anybody there?")
    pieces = await streamed(client, [typed("user", "x" * 400), typed("model", "yes"), three_seconds], AS_JSON)
    for piece in pieces:
        usage = piece.usage_metadata
        assert usage
        assert usage.prompt_tokens_details
        counted = {detail.modality: detail.token_count or 0 for detail in usage.prompt_tokens_details}
        assert counted[types.MediaModality.AUDIO] == 96
        assert usage.prompt_token_count == sum(counted.values())
    assert pieces[-1].usage_metadata
    assert (pieces[-1].usage_metadata.candidates_token_count or 0) > 4


async def test_thoughts_are_counted_and_shown_on_request(client: genai.Client) -> None:
    thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW, include_thoughts=True)
    config = types.GenerateContentConfig(thinking_config=thinking)
    pieces = await streamed(client, [typed("user", "Say hello")], config)
    assert pieces[-1].usage_metadata
    assert pieces[-1].usage_metadata.thoughts_token_count == 32
    first = pieces[0].candidates
    assert first
    assert first[0].content
    assert (first[0].content.parts or [])[0].thought
    assert text_of(pieces) == "hello"


async def test_sound_that_cannot_be_read_is_refused(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await streamed(client, [spoken(b"no wav file", "audio/wav")])
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")


# Without a connection.


class Parrot:
    """Stands for the recogniser: hears the same words in everything, and counts how often it was asked."""

    def __init__(self, words: str | None) -> None:
        self.words = words
        self.asked = 0

    async def recognise(self, pcm: bytes) -> str | None:
        self.asked += 1
        return self.words


def syllables(gain: int = 1) -> types.Content:
    tones = np.concatenate([tone(16_000, 0.2) * share for share in (1.0, 0.3, 0.8)])
    return spoken((tones * (1 - gain / 1_000)).astype("<i2").tobytes())


async def understood(ear: Ear, gain: int = 1) -> Prompt:
    body = {"contents": [syllables(gain).model_dump(mode="json", by_alias=True)]}
    return await read_prompt(body, ear, Attachments(State(Options(voice=False, recogniser=False)), "ours"))


async def test_speech_whose_words_are_not_made_out_is_heard_all_the_same() -> None:
    prompt = await understood(Ear(Parrot(None)))
    assert prompt.heard == "I spoke for 0.6 seconds."
    assert generate(CHAT, prompt, 0).whole()["candidates"][0]["content"]["parts"] == [
        {"text": "I heard you speak for 0.6 seconds but could not make out the words."}
    ]


async def test_a_clip_that_comes_again_is_not_worked_on_again_while_it_is_one_of_the_last() -> None:
    parrot = Parrot("hello")
    ear = Ear(parrot)
    for gain in (1, 1, *range(2, CLIPS_KEPT + 2), CLIPS_KEPT + 1, 1):
        assert (await understood(ear, gain)).heard == "hello"
    assert parrot.asked == CLIPS_KEPT + 2
