"""A sentence in a voice: asked for once, taken until it is said, and nothing at all where something goes wrong."""

from __future__ import annotations

import asyncio
import io
import wave

import pytest

from energy.levels import profile_of
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import ReplyAudio, ReplyWords, TurnComplete, UpstreamMessage
from sessions_app.live.voice_sample import (
    BYTES_PER_MS,
    LARGEST_WAV_BYTES,
    LIMIT_S,
    LONGEST_MS,
    SENTENCE,
    NotRecorded,
    record,
)
from tests.fakes.upstream import CUT, Answer, FakeConnection, FakeUpstream

MODEL = "gemini-3.8-live"
SECOND = ReplyAudio(b"\1\0" * 24_000)


def answering(*messages: UpstreamMessage) -> FakeUpstream:
    """A provider that says this on every connection."""
    upstream = FakeUpstream()
    upstream.otherwise = Answer(prepare=lambda connection: connection.feed(*messages))
    return upstream


def dropping(connection: FakeConnection) -> None:
    connection.feed(SECOND)
    connection.drop(CUT)


def played_ms(file: bytes) -> float:
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
        return sound.getnframes() / 24


async def test_a_sentence_is_said_in_the_voice_by_a_session_that_nobody_resumes() -> None:
    upstream = answering(SECOND, ReplyWords("Hello"), TurnComplete(is_filler=True), SECOND, TurnComplete(), SECOND)
    assert played_ms(await record(upstream, MODEL, "Puck")) == 2_000
    setup = upstream.attempts[0].setup
    assert (setup.model, setup.voice, setup.resumes, setup.compression) == (MODEL, "Puck", False, None)
    assert upstream.sent == [f"Say exactly: {SENTENCE}"]
    assert upstream.connection.is_closed


@pytest.mark.parametrize(
    "model", ["gemini-2.5-flash-native-audio-preview-12-2025", "gemini-3.8-live-extended-thinking"]
)
async def test_each_model_is_asked_as_it_must_be(model: str) -> None:
    upstream = answering(SECOND, TurnComplete())
    await record(upstream, model, "Kore")
    setup, profile = upstream.attempts[0].setup, profile_of(model)
    assert (setup.typed_as_content, setup.thinking_level) == (profile.typed_as_content, profile.thinking_level)


async def test_a_model_that_goes_on_and_on_is_cut_short() -> None:
    file = await record(answering(*[SECOND] * 20), MODEL, "Kore")
    assert played_ms(file) == LONGEST_MS
    assert len(file) == LARGEST_WAV_BYTES


async def test_one_that_never_comes_to_an_end_is_not_waited_for() -> None:
    upstream = answering(SECOND)
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(NotRecorded, match="not said within 12 s"):
        await record(upstream, MODEL, "Kore")
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(LIMIT_S)
    assert upstream.connection.is_closed


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ((TurnComplete(reason="PROHIBITED_CONTENT"),), "0 ms of sound came PROHIBITED_CONTENT"),
        ((ReplyAudio(bytes(100 * BYTES_PER_MS)), TurnComplete()), "100 ms of sound came"),
    ],
)
async def test_an_answer_without_sound_is_no_sample(messages: tuple[UpstreamMessage, ...], why: str) -> None:
    with pytest.raises(NotRecorded, match=f"^{why}$"):
        await record(answering(*messages), MODEL, "Kore")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(Failure(429, "You exceeded your current quota", Phase.HANDSHAKE)), "exceeded your current quota"),
        (Answer(after_s=11), "timed out"),
        (Answer(prepare=dropping), "abnormal closure"),
    ],
)
async def test_a_refusal_or_a_connection_that_breaks_leaves_no_sample(answer: Answer, why: str) -> None:
    upstream = FakeUpstream()
    upstream.script(answer)
    with pytest.raises(NotRecorded, match=why):
        await record(upstream, MODEL, "Kore")
    assert all(connection.is_closed for connection in upstream.connections)


async def test_a_model_that_nobody_knows_is_not_dialled() -> None:
    upstream = FakeUpstream()
    with pytest.raises(NotRecorded, match="nobody-knows-it"):
        await record(upstream, "nobody-knows-it", "Kore")
    assert upstream.attempts == []
