"""One answer, from the request to its last sound: asked for, read, spoken, and told in the words of `upstream`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto

from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.spoken_words import as_sentence, words_in
from sessions_app.live.providers.turns.answer import AnswerReader, Progress
from sessions_app.live.providers.turns.generation import Chunk, Conversation, Generation
from sessions_app.live.providers.turns.playback import Playback
from sessions_app.live.providers.turns.prompt import Prompt, transcription_of
from sessions_app.live.providers.turns.sentences import Piece, Sentences
from sessions_app.live.providers.turns.speech import Speech, in_time
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    ReplyAudio,
    ReplyStarted,
    ReplyWords,
    UpstreamFailed,
    UpstreamMessage,
    UserWords,
    VoiceMissing,
    Working,
)

FIRST_PIECE_LIMIT_S = 20.0
"""What a model thinks before it writes is part of that."""

PAUSE_LIMIT_S = 12.0
"""Between two pieces of an answer. It must be shorter than what the machine of turns takes for the end of a reply."""

_TORN = Failure(1006, "abnormal closure: the answer has no end", Phase.LIVE)


class End(Enum):
    """How an answer came to its end. NOTHING: nobody spoke, and nothing is said."""

    WHOLE = auto()
    REFUSED = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Terms:
    """What all answers of a connection are asked for with. `conversation`: with `model`, of this connection alone.
    `patience_s`: how long the first piece of an answer is waited for."""

    generation: Generation
    conversation: Conversation
    voices: VoiceModels
    model: str
    voice: str
    thinking_level: str
    patience_s: float = FIRST_PIECE_LIMIT_S


class Reply:
    """Gives one answer; to end it early, cancel `run`.

    Args:
        terms: who is asked, and how.
        prompt: what is asked.
        is_heard: the answer is spoken.
        tell: is given what is to be said of it.
        on_transcribed: is given the user's words.
        usage: what it costs is added to.
    """

    def __init__(
        self,
        terms: Terms,
        prompt: Prompt,
        *,
        is_heard: bool,
        tell: Callable[[UpstreamMessage], None],
        on_transcribed: Callable[[str], None],
        usage: UsageAccount,
    ) -> None:
        self.has_begun = False
        """Whether something of the answer was told."""
        self.refusal = ""
        """Why there is none, or no more of it, in the provider's word."""
        self._terms = terms
        self._prompt = prompt
        self._is_heard = is_heard
        self._tell = tell
        self._on_transcribed = on_transcribed
        self._usage = usage
        self._reader = AnswerReader(is_structured=prompt.is_structured)
        self._sentences = Sentences()
        self._playback = Playback()
        self._speech = Speech(
            terms.generation, terms.voices, terms.voice, self._on_sound, lambda: tell(Working()), usage
        )
        self._speaking: asyncio.Task[None] | None = None
        self._silenced = asyncio.Event()

    @property
    def answer(self) -> str:
        """What was told of it."""
        return self._reader.answer

    def heard_by(self, now_s: float) -> str:
        """How much of the answer the user knows: of one that is spoken, what has begun to be heard."""
        return self._playback.heard(now_s) if self._is_heard and not self._speech.missing else self.answer

    def fall_silent(self) -> None:
        """It is only read from now on."""
        self._is_heard = False
        self._silenced.set()
        if self._speaking is not None:
            self._speaking.cancel()

    async def run(self) -> End:
        """Returns when it is over, played out included. Raises `UpstreamFailed`."""
        if self._is_heard:
            self._speaking = asyncio.create_task(self._speech.run(), name="turns-speech")
        try:
            await self._read()
            if self.refusal:
                return End.REFUSED
            if not self.has_begun:
                return End.NOTHING
            await self._finish()
        finally:
            await _cancelled(self._speaking)
        return End.WHOLE

    async def _finish(self) -> None:
        """All of the words are there."""
        self._write(self._sentences.end())
        self._speech.end()
        if self._reader.has_ignored_the_schema:
            await self._transcribe()
        if self._speaking is not None:
            await asyncio.wait({self._speaking})
            if self._is_heard:
                self._speaking.result()
        if self._speech.missing:
            self._tell(VoiceMissing(self._speech.missing))
        self._tell(GenerationComplete())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._playback.over_at_s):
                await self._silenced.wait()

    async def _read(self) -> None:
        finish = ""
        async with aclosing(self._asked(self._prompt)) as chunks:
            async for chunk in chunks:
                finish = chunk.finish or finish
                self.refusal = chunk.refusal or self.refusal
                self._take(self._reader.take(chunk.text))
        if not finish and not self.refusal:
            raise UpstreamFailed(_TORN)
        self._take(self._reader.end())

    async def _asked(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        terms = self._terms
        meter = self._usage.meter(terms.model)
        async with aclosing(terms.conversation.answer(prompt, terms.thinking_level)) as chunks:
            async for chunk in in_time(chunks, terms.patience_s, PAUSE_LIMIT_S):
                meter.read(chunk.usage)
                yield chunk

    def _take(self, progress: Progress) -> None:
        if progress.heard is not None:
            self._transcribed(progress.heard)
        if progress.words:
            self._begin()
            self._tell(ReplyWords(progress.words))
            self._write(self._sentences.take(progress.words))

    def _begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self._tell(ReplyStarted())

    def _write(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self._playback.written(piece)
            self._speech.say(piece)

    def _on_sound(self, piece: Piece, pcm: bytes) -> None:
        self._playback.sounded(piece, pcm, _now_s())
        self._tell(ReplyAudio(pcm))

    def _transcribed(self, heard: str) -> None:
        words = words_in(heard).strip()
        if words:
            self._on_transcribed(words)
            self._tell(UserWords(as_sentence(words)))

    async def _transcribe(self) -> None:
        """The model has answered and not said what it heard: it is asked for that alone, and missed if it fails."""
        words = ""
        try:
            async with aclosing(self._asked(transcription_of(self._prompt.question))) as chunks:
                async for chunk in chunks:
                    words += chunk.text
        except UpstreamFailed:
            return
        self._transcribed(words)


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait({task})


def _now_s() -> float:
    return asyncio.get_running_loop().time()
