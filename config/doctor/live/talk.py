"""The talk: a code word is typed, asked for aloud, and asked for again on a connection that was resumed."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.doctor.live.observed import Exchange, Heard, handle_in
from config.doctor.live.recording import Recording
from sessions_app.live.context import Context
from sessions_app.live.machine.events import Connect
from sessions_app.live.page import Assistant
from sessions_app.live.providers.accounts import Account, CloudProject
from sessions_app.live.providers.gemini import GeminiUpstream
from sessions_app.live.providers.minting import Minter
from sessions_app.live.providers.token_keeper import TokenKeeper
from sessions_app.live.providers.upstream import (
    CLOSE_TIMEOUT_MS,
    Connection,
    TurnComplete,
    UpstreamFailed,
)
from sessions_app.live.setups import setup_for
from sessions_app.live.voice import BYTES_PER_MS

ASSISTANT = Assistant(
    "This is a test of a connection. Answer each time in one short sentence. Remember code words, and repeat them "
    "exactly when asked.",
    "Kore",
)
TOLD = "My code word is PLUM-42. Please say that you have noted it."
ASKED = "What is my code word?"
QUESTION = Path(__file__).parent / "question.wav"
"""`ASKED`, as eSpeak NG 1.52 says it: made by a machine, nobody's voice. PCM16 mono 16 kHz."""

FRAME_MS = 40
SILENCE_MS = 1_200
"""Behind the question, as a microphone that stays open: by it the provider knows that somebody has finished."""

QUIET_S = 1.5
"""In which a handle comes that is issued with the set-up."""

REPLY_LIMIT_S = 30.0
HANDLE_LIMIT_S = 6.0
LATE_WORDS_S = 1.0


@dataclass(frozen=True, slots=True)
class Talk:
    """What came of it. `setup_s`: until the first connection was ready. `resumed`: None where no handle came; it has
    nothing in it where the handle was refused, for `refusal`."""

    setup_s: float
    quiet: tuple[Heard, ...]
    typed: Exchange
    spoken: Exchange
    resumed: Exchange | None
    refusal: str
    heard: tuple[Heard, ...]


async def hold(access: Account | Minter, api_version: str, model: str, recording: Recording) -> Talk:
    """Talk with a model, let in by the key or by tokens of a minter.

    Raises `UpstreamFailed` when the first connection does not come about, or goes.
    """
    began = time.monotonic()

    def now_s() -> float:
        return time.monotonic() - began

    upstream = GeminiUpstream(
        access if isinstance(access, str | CloudProject) else TokenKeeper(access),
        api_version,
        lambda direction, frame: recording.note(direction, now_s(), frame),
    )
    async with _line(upstream, model, None, now_s) as line:
        setup_s = now_s()
        await line.wait(lambda heard: handle_in(heard) is not None, QUIET_S)
        quiet = tuple(line.heard)
        typed = await line.type(TOLD)
        spoken = await line.say(question())
        if handle_in(line.heard) is None:
            await line.wait(lambda heard: handle_in(heard) is not None, HANDLE_LIMIT_S)
        first = tuple(line.heard)
    handle = handle_in(first)
    resumed, refusal = None, ""
    second: tuple[Heard, ...] = ()
    if handle is not None:
        resumed = Exchange(now_s(), ())
        try:
            async with _line(upstream, model, handle, now_s) as line:
                resumed = await line.type(ASKED)
                second = tuple(line.heard)
        except UpstreamFailed as failed:
            refusal = str(failed)
    return Talk(setup_s, quiet, typed, spoken, resumed, refusal, first + second)


class _Line:
    """A connection, and all that was heard over it."""

    def __init__(self, connection: Connection, now_s: Callable[[], float]) -> None:
        self.connection = connection
        self.heard: list[Heard] = []
        self._now_s = now_s
        self._failure: UpstreamFailed | None = None
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read(), name="doctor-reader")

    async def type(self, text: str) -> Exchange:
        return await self._ask(len(self.heard), self._typed(text))

    async def say(self, pcm: bytes) -> Exchange:
        """PCM16 mono 16 kHz, as fast as somebody speaks."""
        return await self._ask(len(self.heard), self._said(pcm))

    async def wait(self, condition: Callable[[list[Heard]], bool], limit_s: float) -> None:
        """Until it holds of what was heard, or the time is up. Raises `UpstreamFailed` when the connection has gone."""
        try:
            async with asyncio.timeout(limit_s), self._news:
                await self._news.wait_for(lambda: condition(self.heard) or self._failure is not None)
        except TimeoutError:
            return
        if self._failure is not None and not condition(self.heard):
            raise self._failure

    async def leave(self) -> None:
        self._reader.cancel()
        await asyncio.wait({self._reader})
        await self.connection.close(CLOSE_TIMEOUT_MS)

    async def _ask(self, before: int, saying: Coroutine[Any, Any, float]) -> Exchange:
        """Say something, and take what comes until the reply is over, or too much time has gone by."""
        asked_at_s = await saying
        await self.wait(lambda heard: any(map(_ends_a_reply, heard[before:])), REPLY_LIMIT_S)
        over = len(self.heard)
        await self.wait(lambda heard: handle_in(heard[over:]) is not None, LATE_WORDS_S)
        return Exchange(asked_at_s, tuple(self.heard[before:]))

    async def _typed(self, text: str) -> float:
        await self.connection.send_text(text)
        return self._now_s()

    async def _said(self, pcm: bytes) -> float:
        for frame in _paced(pcm):
            await self.connection.send_audio(await frame)
        ended_at_s = self._now_s()
        for frame in _paced(bytes(SILENCE_MS * BYTES_PER_MS)):
            await self.connection.send_audio(await frame)
        await self.connection.send_audio_end()
        return ended_at_s

    async def _read(self) -> None:
        try:
            async for message in self.connection.messages():
                async with self._news:
                    self.heard.append(Heard(self._now_s(), message))
                    self._news.notify_all()
        except UpstreamFailed as failed:
            async with self._news:
                self._failure = failed
                self._news.notify_all()


def _ends_a_reply(heard: Heard) -> bool:
    return isinstance(heard.message, TurnComplete) and not heard.message.is_filler


@asynccontextmanager
async def _line(
    upstream: GeminiUpstream, model: str, handle: str | None, now_s: Callable[[], float]
) -> AsyncIterator[_Line]:
    setup = setup_for(Connect(handle), model, ASSISTANT, Context(), frozenset())
    line = _Line(await upstream.connect(setup), now_s)
    try:
        yield line
    finally:
        await line.leave()


def question() -> bytes:
    with wave.open(str(QUESTION)) as file:
        return file.readframes(file.getnframes())


def _paced(pcm: bytes) -> Iterator[Coroutine[Any, Any, bytes]]:
    """Its frames, each to be awaited: it comes when somebody would have said it."""
    began = time.monotonic()

    async def when_due(number: int, frame: bytes) -> bytes:
        await asyncio.sleep(max(0.0, began + number * FRAME_MS / 1000 - time.monotonic()))
        return frame

    for number, start in enumerate(range(0, len(pcm), FRAME_MS * BYTES_PER_MS), start=1):
        yield when_due(number, pcm[start : start + FRAME_MS * BYTES_PER_MS])
