"""What the tests of the emulator talk with: the real SDK, and a bare WebSocket for what the SDK would not send."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from google import genai
from google.genai import types
from google.genai.live import AsyncSession
from websockets.asyncio.client import ClientConnection, connect

from emulator.voice import Voice, resample
from tests.services.emulator import Emulator

LIVE_3_8 = "gemini-3.8-live"
THINKING = "gemini-3.8-live-extended-thinking"
FLASH_3_1 = "gemini-3.1-flash-live-preview"
NATIVE_2_5 = "gemini-2.5-flash-native-audio-latest"
GENERATIONS = (LIVE_3_8, FLASH_3_1, NATIVE_2_5)
TRANSCRIBE = "gemini-3.5-transcribe-live"

PATIENCE_S = 180
"""Against hanging: speech alone may wait for the recogniser for a third of it."""

FRAME_BYTES = 1280
"""40 ms of 16 kHz PCM16."""
SECOND_BYTES = 48_000
"""Of 24 kHz PCM16."""

SDK_INHERITS_AIOHTTP = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
"""The mark of tests that ask over REST and asynchronously: the SDK inherits what aiohttp says should not be."""


@dataclass
class Heard:
    """One turn as it arrived."""

    text: str = ""
    input_text: str = ""
    audio: bytes = b""
    messages: list[types.LiveServerMessage] = field(default_factory=list)

    @property
    def usage(self) -> types.UsageMetadata:
        usage = next(message.usage_metadata for message in self.messages if message.usage_metadata)
        assert usage is not None
        return usage

    @property
    def interrupted(self) -> bool:
        return any(message.server_content and message.server_content.interrupted for message in self.messages)


def tls(emulator: Emulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=emulator.environment["SSL_CERT_FILE"])


def sdk(emulator: Emulator, key: str = "emulator", version: str = "v1beta") -> genai.Client:
    """The unmodified SDK, pointed at the emulator."""
    context = tls(emulator)
    return genai.Client(
        api_key=key,
        http_options=types.HttpOptions(
            base_url=emulator.environment["GOOGLE_GEMINI_BASE_URL"],
            api_version=version,
            client_args={"verify": context},
            async_client_args={"ssl": context, "verify": context},
        ),
    )


def config(handle: str | None = None, **more: Any) -> types.LiveConnectConfig:
    """What a sensible client asks for; `more` overrides."""
    asked: dict[str, Any] = {
        "response_modalities": [types.Modality.AUDIO],
        "input_audio_transcription": types.AudioTranscriptionConfig(),
        "output_audio_transcription": types.AudioTranscriptionConfig(),
        "session_resumption": types.SessionResumptionConfig(handle=handle),
    }
    return types.LiveConnectConfig(**(asked | more))


@asynccontextmanager
async def live(
    emulator: Emulator, model: str = LIVE_3_8, handle: str | None = None, **more: Any
) -> AsyncIterator[AsyncSession]:
    """A Live connection of the SDK."""
    async with (
        asyncio.timeout(PATIENCE_S),
        sdk(emulator).aio.live.connect(model=model, config=config(handle, **more)) as session,
    ):
        yield session


async def hear(session: AsyncSession) -> Heard:
    """Receive until the turn is complete."""
    heard = Heard()
    async for message in session.receive():
        heard.messages.append(message)
        content = message.server_content
        if content is None:
            continue
        if content.output_transcription:
            heard.text += content.output_transcription.text or ""
        if content.input_transcription:
            heard.input_text += content.input_transcription.text or ""
        for part in (content.model_turn.parts if content.model_turn else None) or []:
            if part.inline_data and part.inline_data.data:
                heard.audio += part.inline_data.data
    return heard


async def hear_the_beginning(session: AsyncSession) -> None:
    """Receive the first second of an answer."""
    heard_bytes = 0
    while heard_bytes < SECOND_BYTES:
        content = (await session._receive()).server_content
        for part in (content.model_turn.parts if content and content.model_turn else None) or []:
            heard_bytes += len(part.inline_data.data or b"") if part.inline_data else 0


async def ask(session: AsyncSession, text: str) -> Heard:
    """Type something and receive the answer."""
    await session.send_realtime_input(text=text)
    return await hear(session)


async def next_handle(session: AsyncSession) -> str:
    """The next resumption handle that arrives."""
    while True:
        message = await session._receive()
        update = message.session_resumption_update
        if update and update.resumable and update.new_handle:
            return update.new_handle


async def speech(text: str) -> bytes:
    """`text` as somebody would say it into a microphone: 16 kHz PCM16 with silence around it."""
    voice = Voice()
    try:
        spoken = np.frombuffer(await voice.speak(text), "<i2").astype(np.float64)
    finally:
        voice.close()
    return bytes(12_800) + resample(spoken, 24_000, 16_000).astype("<i2").tobytes() + bytes(38_400)


async def say(session: AsyncSession, pcm: bytes) -> None:
    """Send sound in frames of 40 ms, as fast as they go: the emulator's clock for speech is the sound's own."""
    for start in range(0, len(pcm), FRAME_BYTES):
        blob = types.Blob(data=pcm[start : start + FRAME_BYTES], mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=blob)


class Wire:
    """A bare WebSocket to the emulator: any JSON out, frames in as they came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: Any) -> None:
        await self._socket.send(message if isinstance(message, str) else json.dumps(message))

    async def send_audio(self, pcm: bytes) -> None:
        """Send 16 kHz sound in frames of 40 ms, as fast as they go."""
        for start in range(0, len(pcm), FRAME_BYTES):
            data = base64.b64encode(pcm[start : start + FRAME_BYTES]).decode()
            await self.send({"realtimeInput": {"audio": {"data": data, "mimeType": "audio/pcm;rate=16000"}}})

    async def frame(self) -> bytes:
        received = await self._socket.recv()
        assert isinstance(received, bytes), "server frames are binary"
        return received

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.frame())
        return message

    async def until(self, is_last: Callable[[dict[str, Any]], Any]) -> list[dict[str, Any]]:
        """Every message up to the one that is asked for."""
        messages = [await self.receive()]
        while not is_last(messages[-1]):
            messages.append(await self.receive())
        return messages

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close, whatever comes before it."""
        await self._socket.wait_closed()
        return self._socket.close_code or 0, self._socket.close_reason or ""

    async def ping(self) -> "asyncio.Future[float]":
        """Send a ping; what is returned is done when its pong has come."""
        return asyncio.ensure_future(await self._socket.ping())

    def abort(self) -> None:
        """Hang up without a word."""
        self._socket.transport.abort()


@asynccontextmanager
async def wire(
    emulator: Emulator,
    setup: dict[str, Any] | None = None,
    *,
    version: str = "v1beta",
    method: str = "BidiGenerateContent",
    key: str = "emulator",
    slashes: str = "/",
) -> AsyncIterator[Wire]:
    """A bare connection; with `setup` it is sent and `setupComplete` awaited."""
    base = emulator.environment["GOOGLE_GEMINI_BASE_URL"].replace("https", "wss", 1)
    address = f"{base}{slashes}ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"
    headers = {"x-goog-api-key": key} if key else {}
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(
            address,
            ssl=tls(emulator),
            additional_headers=headers,
            proxy=None,
            max_queue=None,
            open_timeout=PATIENCE_S,
        ) as socket,
    ):
        connection = Wire(socket)
        if setup is not None:
            await connection.send({"setup": setup})
            assert await connection.receive() == {"setupComplete": {}}
        yield connection


def setup_for(model: str, **more: Any) -> dict[str, Any]:
    """A set-up in the wire's own words."""
    return {
        "model": f"models/{model}",
        "generationConfig": {"responseModalities": ["AUDIO"]},
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        **more,
    }


def text_turn(text: str) -> dict[str, Any]:
    return {"realtimeInput": {"text": text}}


def is_turn_complete(message: dict[str, Any]) -> bool:
    return bool(message.get("serverContent", {}).get("turnComplete"))
