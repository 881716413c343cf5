"""The fast path for audio frames, held against the SDK that it goes past: it fails when the SDK changes under it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import inspect
import json
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sessions_app.live.providers.frames import AudioSocket, audio_of
from sessions_app.live.providers.gemini import SOCKET_OPTIONS, GeminiConnection, GeminiUpstream
from sessions_app.live.providers.upstream import Setup, UpstreamFailed
from tests.fakes.wire import Wire, session_over
from tests.services.emulator import Emulator
from tests.services.processes import PATIENCE_S, eventually

MODEL = "gemini-3.8-live"
PCM = bytes(range(256)) * 5
"""1,280 bytes with every value, so that both alphabets of base64 differ."""


@asynccontextmanager
async def connected(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncSession]:
    """The unmodified SDK, pointed at the emulator as the app is: by the environment."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    options = types.HttpOptions(api_version="v1beta", async_client_args=SOCKET_OPTIONS)
    client = genai.Client(api_key="emulator", http_options=options)
    config = types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
    )
    async with asyncio.timeout(PATIENCE_S), client.aio.live.connect(model=MODEL, config=config) as session:
        yield session


def frame(**content: Any) -> bytes:
    return json.dumps({"serverContent": content}, indent=2).encode() + b"\n"


def blob(pcm: bytes = PCM, mime: str = "audio/pcm;rate=24000", *, url_safe: bool = False) -> dict[str, Any]:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return {"inlineData": {"mimeType": mime, "data": encode(pcm).decode()}}


PLAIN = [
    frame(modelTurn={"parts": [blob()]}),
    frame(modelTurn={"role": "model", "parts": [blob(mime="audio/pcm")]}),
    frame(modelTurn={"parts": [blob(url_safe=True)]}),
    json.dumps({"serverContent": {"modelTurn": {"parts": [blob(b"\0\1")]}}}, separators=(",", ":")).encode(),
]

OTHER = [
    b"{}\n",
    frame(),
    frame(modelTurn={"parts": []}),
    frame(modelTurn={"parts": [blob(), blob(b"\0\1")]}),
    frame(modelTurn={"parts": [{"text": "Thinking", "thought": True}]}),
    frame(modelTurn={"parts": [{"text": "Thinking", "thought": True}, blob()]}),
    frame(modelTurn={"parts": [blob(mime="audio/wav")]}),
    frame(modelTurn={"parts": [blob(mime="image/jpeg")]}),
    frame(modelTurn={"parts": [blob()]}, outputTranscription={"text": "Hello"}),
    frame(modelTurn={"parts": [blob()]}, generationComplete=True),
    frame(outputTranscription={"text": '"inlineData"'}),
    frame(turnComplete=True),
    json.dumps(
        {"serverContent": {"modelTurn": {"parts": [blob()]}}, "usageMetadata": {"promptTokenCount": 834}}
    ).encode(),
    json.dumps({"sessionResumptionUpdate": {"newHandle": "h-1", "resumable": True}}).encode(),
    json.dumps({"goAway": {"timeLeft": "9.5s"}}).encode(),
]

ODD = [
    b'{"somethingNew": {"inlineData": 1}}',
    b'{"error": {"code": 400, "message": "inlineData"}}',
    b'{"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "%%%"}}]}}}',
    b'{"serverContent": {"modelTurn": {"parts": [{"inlineData": null}]}}}',
    b'{"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm"}}]}}}',
    b'["inlineData"]',
    b'"inlineData"',
    b'{"serverContent": "inlineData"',
    b"\xff\xfeinlineData",
]


def sound_of(message: types.LiveServerMessage) -> bytes:
    content = message.server_content
    parts = (content.model_turn.parts if content and content.model_turn else None) or []
    return b"".join(part.inline_data.data for part in parts if part.inline_data and part.inline_data.data)


async def read_by_the_sdk(raw: bytes) -> types.LiveServerMessage | type[BaseException]:
    try:
        return await session_over(Wire(raw))._receive()
    except Exception as error:
        return type(error)


async def read_past_the_sdk(raw: bytes) -> bytes | types.LiveServerMessage | type[BaseException]:
    try:
        return await AudioSocket(session_over(Wire(raw))).next()
    except Exception as error:
        return type(error)


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", PLAIN)
async def test_a_plain_audio_frame_is_read_as_the_sdk_would_have_read_it(raw: bytes) -> None:
    read = await read_past_the_sdk(raw)
    by_sdk = await read_by_the_sdk(raw)
    assert isinstance(read, bytes)
    assert isinstance(by_sdk, types.LiveServerMessage)
    assert read == sound_of(by_sdk)
    without_sound = by_sdk.model_dump(exclude_none=True)
    (part,) = without_sound["server_content"]["model_turn"]["parts"]
    assert part.keys() == {"inline_data"}, "nothing but the sound was in it"


@pytest.mark.parametrize("raw", OTHER)
async def test_every_other_frame_is_read_by_the_sdk_itself(raw: bytes) -> None:
    read = await read_past_the_sdk(raw)
    assert isinstance(read, types.LiveServerMessage)
    assert read == await read_by_the_sdk(raw)
    assert audio_of(raw) is None


@pytest.mark.parametrize("raw", ODD)
async def test_an_odd_frame_is_left_to_the_sdk_and_raises_what_that_raises(raw: bytes) -> None:
    assert audio_of(raw) is None
    assert await read_past_the_sdk(raw) == await read_by_the_sdk(raw)


async def test_frames_are_read_in_order_whoever_reads_them() -> None:
    raw = [PLAIN[0], OTHER[8], PLAIN[3], OTHER[11]]
    socket = AudioSocket(session_over(Wire(*raw)))
    kinds = [type(await socket.next()) for _ in raw]
    assert kinds == [bytes, types.LiveServerMessage, bytes, types.LiveServerMessage]


# -- writing -----------------------------------------------------------------------------------------------------------


async def test_an_audio_frame_is_written_as_the_sdk_would_have_written_it() -> None:
    by_sdk, past_sdk = Wire(), Wire()
    await session_over(by_sdk).send_realtime_input(audio=types.Blob(data=PCM, mime_type="audio/pcm;rate=16000"))
    await AudioSocket(session_over(past_sdk)).send_audio(PCM)
    assert json.loads(past_sdk.sent[0]) == json.loads(by_sdk.sent[0])
    data = json.loads(past_sdk.sent[0])["realtime_input"]["audio"]["data"]
    assert base64.urlsafe_b64decode(data) == PCM
    assert "+" not in data
    assert "/" not in data


async def test_what_the_sdk_sends_itself_goes_through() -> None:
    wire = Wire()
    session = session_over(wire)
    AudioSocket(session)
    await session.send_realtime_input(text="Hello")
    await session.send_realtime_input(audio_stream_end=True)
    assert [json.loads(sent)["realtime_input"] for sent in wire.sent] == [{"text": "Hello"}, {"audioStreamEnd": True}]


# -- on the wire -------------------------------------------------------------------------------------------------------


def test_the_private_names_are_still_there() -> None:
    """Those of the SDK and of websockets that `frames` knows."""
    assert inspect.iscoroutinefunction(AsyncSession._receive)
    assert "self._ws" in inspect.getsource(AsyncSession)
    assert "self._ws.recv(decode=False)" in inspect.getsource(AsyncSession._receive)
    assert "self._api_client.vertexai" in inspect.getsource(AsyncSession._receive)
    assert "self.paused" in inspect.getsource(ClientConnection.__mro__[1])


@pytest.mark.parametrize("way", ["at once", "waiting"])
async def test_speech_sent_past_the_sdk_arrives(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    async with connected(emulator, monkeypatch) as session:
        assert isinstance(session._ws, ClientConnection)
        socket = AudioSocket(session)
        for _ in range(25):
            if way == "at once":
                assert socket.try_send_audio(PCM)
            else:
                await socket.send_audio(PCM)
        await session.send_realtime_input(audio_stream_end=True)
        connection = await eventually_heard(emulator, 1_000)
        assert connection["audio_in_ms"] == 1_000


async def eventually_heard(emulator: Emulator, ms: int) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (connection,) = await asyncio.to_thread(emulator.connections)
            if connection["audio_in_ms"] >= ms:
                return connection
            await asyncio.sleep(0.02)


async def test_a_spoken_answer_read_past_the_sdk_is_whole(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[bool, tuple[bytes, str]] = {}
    for past_sdk in (False, True):
        async with connected(emulator, monkeypatch) as session:
            socket = AudioSocket(session) if past_sdk else None
            await session.send_realtime_input(text="My code word is PLUM-42.")
            heard[past_sdk] = await hear_turn(session, socket)
    assert heard[True] == heard[False]
    assert len(heard[True][0]) > 24_000
    assert "PLUM-42" in heard[True][1]


async def hear_turn(session: AsyncSession, socket: AudioSocket | None) -> tuple[bytes, str]:
    sound, words = b"", ""
    while True:
        message = await (session._receive() if socket is None else socket.next())
        if isinstance(message, bytes):
            sound += message
            continue
        sound += sound_of(message)
        content = message.server_content
        if content and content.output_transcription:
            words += content.output_transcription.text or ""
        if content and content.turn_complete:
            return sound, words


async def read_to_the_end(socket: AudioSocket) -> None:
    while True:
        await socket.next()


async def test_the_end_of_a_connection_is_what_the_sdk_says_it_is(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(emulator, monkeypatch) as session:
        socket = AudioSocket(session)
        await asyncio.to_thread(emulator.fault, "close", code=1008, reason="The operation was aborted.")
        with pytest.raises(errors.APIError) as closed:
            await read_to_the_end(socket)
        assert closed.value.code == 1008
        assert closed.value.details == "The operation was aborted."
        assert not socket.try_send_audio(PCM)
        with pytest.raises(ConnectionClosed):
            await socket.send_audio(PCM)


async def test_the_round_trip_of_a_connection_is_known(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(emulator, monkeypatch) as session:
        round_trip_ms = AudioSocket(session).round_trip_ms()
        assert round_trip_ms is None or 0 < round_trip_ms < 1_000


@pytest.mark.parametrize("ended", ["left", "cut"])
async def test_a_connection_that_is_closed_is_freed_without_a_collection_of_garbage(
    ended: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a quarter of a megabyte of buffers, and has grown too old for the quick collections."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    upstream = GeminiUpstream("emulator", "v1beta")
    gc.collect()
    gc.disable()
    try:
        socket = await _left_behind(upstream, emulator, ended)
        await eventually(lambda: socket() is None)
    finally:
        gc.enable()


async def _left_behind(upstream: GeminiUpstream, emulator: Emulator, ended: str) -> weakref.ref[ClientConnection]:
    """The socket of a connection that is read until it ends, and closed."""
    connection = await upstream.connect(Setup(model=MODEL, instruction="Be kind.", voice="Kore"))
    socket = weakref.ref(connection._socket._socket)
    reading = asyncio.create_task(_read(connection))
    if ended == "cut":
        await asyncio.to_thread(emulator.fault, "cut", connection=emulator.connections()[-1]["id"])
        await asyncio.wait({reading}, timeout=PATIENCE_S)
    await connection.close(5_000)
    await asyncio.wait({reading}, timeout=PATIENCE_S)
    return socket


async def _read(connection: GeminiConnection) -> None:
    with contextlib.suppress(UpstreamFailed):
        async for _ in connection.messages():
            pass
