"""The voice of one answer: pieces in, their sound out, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.turns.generation import Chunk, Generation
from sessions_app.live.providers.turns.sentences import Piece
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import OUTPUT_RATE_HZ, UpstreamFailed

logger = logging.getLogger(__name__)

FIRST_SOUND_LIMIT_S = 6.0
"""A model that speaks begins within a second; one that was not heard of for so long is given up."""

PAUSE_LIMIT_S = 6.0

TRIES = 2
"""Of a model and a piece: it fails once in a while, and speaks when it is asked again ("Speech generation" names 500s,
read 2026-11)."""

PIECES_AHEAD = 2
"""So many are asked for at a time: the one that is heard, and the next."""

SOUND_LIMIT_BYTES = 180 * OUTPUT_RATE_HZ * 2
"""Of a piece: three minutes, which no reading of `PIECE_LIMIT` characters takes. What goes on beyond has lost its way,
and would be kept until it was heard."""

FRAME_BYTES = 100 * OUTPUT_RATE_HZ * 2 // 1000

_SPOKEN_OUT = ("STOP", "MAX_TOKENS")


class Speech:
    """Speaks one answer.

    Args:
        generation: who is asked.
        models: which models may be asked.
        voice: by its name.
        on_sound: is given PCM16 mono 24 kHz, whole samples, with the piece it belongs to.
        on_effort: is called where something goes on though nothing is heard of it.
        usage: what it costs is added to.
    """

    def __init__(
        self,
        generation: Generation,
        models: VoiceModels,
        voice: str,
        on_sound: Callable[[Piece, bytes], None],
        on_effort: Callable[[], None],
        usage: UsageAccount,
    ) -> None:
        self.missing = ""
        """Why nothing more is spoken, if nobody can."""
        self._generation = generation
        self._models = models
        self._voice = voice
        self._on_sound = on_sound
        self._on_effort = on_effort
        self._usage = usage
        self._pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._may_ask = asyncio.Semaphore(PIECES_AHEAD)

    def say(self, piece: Piece) -> None:
        """The next piece."""
        if piece.spoken:
            self._pieces.put_nowait(piece)

    def end(self) -> None:
        """There are no more pieces."""
        self._pieces.put_nowait(None)

    async def run(self) -> None:
        """Speak until all was spoken, or nobody can. Stops at once when it is cancelled."""
        said: asyncio.Queue[_Recital | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ask_for_all(tasks, said), name="turns-pieces")
            while (recital := await said.get()) is not None:
                while (pcm := await recital.sound.get()) is not None:
                    self._on_sound(recital.piece, pcm)
                self._may_ask.release()

    async def _ask_for_all(self, tasks: asyncio.TaskGroup, said: asyncio.Queue[_Recital | None]) -> None:
        while (piece := await self._pieces.get()) is not None:
            await self._may_ask.acquire()
            if self.missing:
                break
            recital = _Recital(piece)
            tasks.create_task(self._recite(recital), name="turns-piece")
            said.put_nowait(recital)
        said.put_nowait(None)

    async def _recite(self, recital: _Recital) -> None:
        try:
            await self._try_all(recital)
        finally:
            recital.sound.put_nowait(None)

    async def _try_all(self, recital: _Recital) -> None:
        """A piece of which something was heard is not begun again."""
        reason = "no model may be asked"
        for model in self._models.available(_now_s()):
            for _ in range(TRIES):
                try:
                    await self._ask(model, recital)
                except UpstreamFailed as failed:
                    reason = f"{model}: {failed.failure.code} {failed.failure.text}"
                    logger.warning("not spoken by %s", reason)
                    if recital.was_heard:
                        return
                    self._on_effort()
                    if self._models.refused(model, failed.failure, _now_s()):
                        break
                else:
                    return
        self.missing = self.missing or reason

    async def _ask(self, model: str, recital: _Recital) -> None:
        """Raises `UpstreamFailed` where it was not spoken to its end. What goes on without one is let go of."""
        finish, rest = "", b""
        meter = self._usage.meter(model)
        async with aclosing(self._generation.speak(model, recital.piece.spoken, self._voice)) as chunks:
            async for chunk in in_time(chunks, FIRST_SOUND_LIMIT_S, PAUSE_LIMIT_S):
                meter.read(chunk.usage)
                finish = chunk.refusal or chunk.finish or finish
                rest = recital.take(rest + chunk.pcm)
                if recital.is_full:
                    logger.warning("%s does not come to an end with a piece of an answer", model)
                    return
        if finish not in _SPOKEN_OUT or not recital.was_heard:
            raise UpstreamFailed(Failure(0, f"no sound: {finish or 'torn'}", Phase.LIVE))


class _Recital:
    """A piece and its sound as it comes; None ends it."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.sound: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._left_bytes = SOUND_LIMIT_BYTES

    @property
    def was_heard(self) -> bool:
        return self._left_bytes < SOUND_LIMIT_BYTES

    @property
    def is_full(self) -> bool:
        return self._left_bytes == 0

    def take(self, pcm: bytes) -> bytes:
        """Pass on what there is and has room, in frames; the rest is given back, half a sample as a rule."""
        whole = min(len(pcm) // 2 * 2, self._left_bytes)
        for start in range(0, whole, FRAME_BYTES):
            self.sound.put_nowait(pcm[start : min(start + FRAME_BYTES, whole)])
        self._left_bytes -= whole
        return pcm[whole:]


async def in_time(chunks: AsyncIterator[Chunk], first_s: float, pause_s: float) -> AsyncIterator[Chunk]:
    """The same; raises `UpstreamFailed` where the first does not come in `first_s`, or the next in `pause_s`."""
    limit_s = first_s
    while True:
        try:
            async with asyncio.timeout(limit_s):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise UpstreamFailed(Failure(0, "timed out", Phase.LIVE)) from None
        if chunk is None:
            return
        limit_s = pause_s
        yield chunk


def _now_s() -> float:
    return asyncio.get_running_loop().time()
