"""What goes wrong with answers over REST, as the SDK shows it to whoever asks."""

import asyncio
import json
import time

import pytest
from google import genai
from google.genai import errors, types

from tests.emulator.client import SDK_INHERITS_AIOHTTP, sdk
from tests.emulator.test_speech import TTS, sound_of, voiced
from tests.emulator.test_turns_over_rest import AS_JSON, CHAT
from tests.services.emulator import Emulator
from tests.services.processes import eventually

ASKED = "Say one two three four five six seven eight nine ten eleven twelve"
ANSWER = ASKED.removeprefix("Say ")
SENTENCE = "This is a sentence that takes a while."

pytestmark = SDK_INHERITS_AIOHTTP


class Stream:
    """What came of a stream, and what it broke with."""

    def __init__(self) -> None:
        self.pieces: list[types.GenerateContentResponse] = []
        self.error: Exception | None = None

    async def read(
        self,
        client: genai.Client,
        model: str = CHAT,
        text: str = ASKED,
        config: types.GenerateContentConfig | None = None,
    ) -> "Stream":
        try:
            stream = await client.aio.models.generate_content_stream(model=model, contents=text, config=config)
            async for piece in stream:
                self.pieces.append(piece)
        except Exception as error:
            self.error = error
        return self

    async def speak(self, client: genai.Client) -> "Stream":
        return await self.read(client, TTS, SENTENCE, voiced())

    @property
    def text(self) -> str:
        return "".join(piece.text or "" for piece in self.pieces)

    @property
    def sound(self) -> bytes:
        return b"".join(map(sound_of, self.pieces))

    @property
    def reason(self) -> str | None:
        candidates = self.pieces[-1].candidates
        reason = candidates[0].finish_reason if candidates else None
        return reason.name if reason else None


@pytest.mark.parametrize(("answer", "code"), [("unavailable", 503), ("internal", 500)])
async def test_an_answer_can_be_an_error(emulator: Emulator, client: genai.Client, answer: str, code: int) -> None:
    emulator.fault("bad_text", answer=answer, model=CHAT, count=1)
    emulator.fault("bad_speech", answer=answer, model=TTS, count=1)
    for broken in (await Stream().read(client), await Stream().speak(client)):
        assert isinstance(broken.error, errors.ServerError)
        assert broken.error.code == code
    assert (await Stream().read(client)).text == ANSWER


async def test_a_text_that_ends_too_soon_says_so_or_hides_it(emulator: Emulator, client: genai.Client) -> None:
    for reason in ("MAX_TOKENS", "STOP"):
        emulator.fault("bad_text", answer="garbage", reason=reason, count=1)
        half = await Stream().read(client)
        assert (half.text, half.reason) == (ANSWER[: len(ANSWER) // 2], reason)


async def test_json_can_end_in_its_middle(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("bad_text", answer="garbage", count=1)
    half = await Stream().read(client, config=AS_JSON)
    assert half.reason == "MAX_TOKENS"
    with pytest.raises(json.JSONDecodeError):
        json.loads(half.text)


async def test_a_schema_can_be_ignored(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("bad_text", answer="plain", count=1)
    assert (await Stream().read(client, config=AS_JSON)).text == ANSWER
    assert json.loads((await Stream().read(client, config=AS_JSON)).text)["answer"] == ANSWER


@pytest.mark.parametrize("reason", ["SAFETY", "PROHIBITED_CONTENT"])
async def test_an_answer_can_be_blocked_before_it_begins_and_in_its_middle(
    emulator: Emulator, client: genai.Client, reason: str
) -> None:
    emulator.fault("bad_text", answer="blocked", reason=reason, count=1)
    blocked = (await Stream().read(client)).pieces[0]
    assert blocked.prompt_feedback
    assert blocked.prompt_feedback.block_reason == types.BlockedReason(reason)
    assert not blocked.candidates
    emulator.fault("bad_text", answer="stopped", reason=reason, count=1)
    stopped = await Stream().read(client)
    assert (stopped.text, stopped.reason) == (ANSWER[: len(ANSWER) // 2], reason)
    assert stopped.pieces[-1].text is None


async def test_a_stream_can_end_without_a_reason_or_with_a_reset(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("bad_text", answer="unfinished", count=1)
    unfinished = await Stream().read(client)
    assert (unfinished.text, unfinished.reason, unfinished.error) == (ANSWER[: len(ANSWER) // 2], None, None)
    emulator.fault("bad_text", answer="cut", count=1)
    emulator.fault("bad_speech", answer="cut", count=1)
    cut = await Stream().read(client)
    assert cut.error is not None
    assert 0 < len(cut.text) < len(ANSWER)
    assert ANSWER.startswith(cut.text)
    assert (await Stream().speak(client)).error is not None


async def test_a_stream_can_end_with_an_error(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("bad_text", answer="fail", count=1)
    emulator.fault("bad_speech", answer="fail", count=1)
    for broken in (await Stream().read(client), await Stream().speak(client)):
        assert broken.pieces
        assert isinstance(broken.error, errors.ServerError)
        assert (broken.error.code, broken.error.status) == (503, "UNAVAILABLE")


async def test_whoever_hangs_up_in_mid_stream_leaves_no_trace(emulator: Emulator, client: genai.Client) -> None:
    written = len(emulator.output())
    for model, text, config in ((CHAT, "Tell me a long story", None), (TTS, SENTENCE * 20, voiced())):
        leaving = sdk(emulator)
        stream = await leaving.aio.models.generate_content_stream(model=model, contents=text, config=config)
        await anext(aiter(stream))
        await leaving.aio.aclose()
    assert (await Stream().read(client)).text == ANSWER
    assert "Traceback" not in emulator.output()[written:]


@pytest.mark.parametrize(("answer", "came"), [("hang", 0), ("stall", 1)])
async def test_an_answer_can_stand_still_until_the_fault_is_gone(
    emulator: Emulator, client: genai.Client, answer: str, came: int
) -> None:
    emulator.fault("bad_text", answer=answer, count=1)
    stream = Stream()
    reading = asyncio.create_task(stream.read(client))
    await eventually(lambda: bool(emulator.entries("text_generated")) and len(stream.pieces) == came)
    assert (await Stream().read(client)).text == ANSWER
    assert len(stream.pieces) == came
    emulator.disarm()
    await reading
    assert stream.text == ANSWER


async def test_an_answer_can_begin_late(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("bad_speech", answer="late", delay_s=0.4, count=1)
    began = time.monotonic()
    late = await Stream().speak(client)
    assert time.monotonic() - began > 0.4
    assert late.sound


async def test_speech_can_break_off_or_be_missing(emulator: Emulator, client: genai.Client) -> None:
    whole = await Stream().speak(client)
    emulator.fault("bad_speech", count=1)
    half = await Stream().speak(client)
    assert half.sound == whole.sound[: len(whole.sound) // 4 * 2]
    assert half.reason == "OTHER"
    emulator.fault("bad_speech", answer="empty", count=1)
    nothing = await Stream().speak(client)
    assert (nothing.sound, nothing.reason) == (b"", "STOP")


async def test_what_spoils_texts_leaves_speech_alone(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("bad_text", answer="unavailable")
    assert (await Stream().speak(client)).reason == "STOP"
