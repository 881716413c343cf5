"""One question about recordings, from its files to the end of its answer: tried again, and by the next model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from energy.marking import gettext_noop as _
from energy.places import place_of
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.questions import tries
from sessions_app.live.providers.questions.asking import INPUT_LIMIT_TOKENS, prompt_about
from sessions_app.live.providers.questions.shelf import Bringing, Shelf, Unanswerable
from sessions_app.live.providers.questions.tries import Decision, Next
from sessions_app.live.providers.sound_parts import SoundPart, UploadedSound
from sessions_app.live.providers.turns.generation import Generation
from sessions_app.live.providers.turns.reply import End, Reply, Terms
from sessions_app.live.providers.turns.upstream import thinking_level_of
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import ReplyBroken, UpstreamFailed, UpstreamMessage
from sessions_app.live.questions import Listed, Question, QuestionMoved, QuestionState
from sessions_app.live.transcript import TurnCode

logger = logging.getLogger(__name__)

FIRST_PIECE_LIMIT_S = 100.0
"""A model that has hours of sound before it takes its time. Below the limit of a request."""

CLOSE_LIMIT_S = 5.0

TOO_LARGE_THERE = _(
    "The recordings of this question are too large to go along with it, and no model is there that takes them "
    "otherwise. Ask about smaller ones."
)
"""14 MB together: see `docs/recordings.md`."""

_INTERNAL = Failure(0, "internal error", Phase.LIVE)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is asked about recordings, for all conversations of a process. `models`: that listen; `voices`: that read
    answers out."""

    generation: Generation
    models: VoiceModels
    voices: VoiceModels
    shelf: Shelf


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is to be given. `language`: as in `upstream.Setup`."""

    voice: str = ""
    language: str = ""
    is_heard: bool = False


async def at_once() -> None:
    """Nobody else has the word."""


class Answering:
    """Answers one question; to end it early, cancel `run`.

    Args:
        question: what is asked.
        listeners: who is asked.
        manner: how the answer is given.
        tell: is given what is to be said of it, see `turns.reply.Reply`.
        usage: what it costs is added to.
        may_ask: is awaited before a model is asked for the first time.
    """

    def __init__(
        self,
        question: Question,
        listeners: Listeners,
        manner: Manner,
        tell: Callable[[UpstreamMessage], None],
        usage: UsageAccount,
        may_ask: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        self.refusal = ""
        """Why there is no more of an answer that has begun, in the provider's word."""
        self.model = ""
        """Who was asked last."""
        self._question = question
        self._listeners = listeners
        self._manner = manner
        self._tell = tell
        self._usage = usage
        self._may_ask = may_ask
        self._is_heard = manner.is_heard
        self._reply: Reply | None = None
        self._tries = 0
        self._brought = 0
        self._last_code = TurnCode.RECORDING_QUOTA  # until somebody is asked: those that may not be have refused before
        self._refusal_of_all = ""

    @property
    def answer(self) -> str:
        """What was told of it."""
        return "" if self._reply is None else self._reply.answer

    @property
    def _has_begun(self) -> bool:
        return self._reply is not None and self._reply.has_begun

    def fall_silent(self) -> None:
        """It is only read from now on."""
        self._is_heard = False
        if self._reply is not None:
            self._reply.fall_silent()

    async def run(self) -> None:
        """Returns when the answer is over, played out included. Raises `Unanswerable`, with what the tries took."""
        try:
            await self._answer()
        except Unanswerable as failed:
            failed.usages = tuple(self._usage.take(""))
            raise

    async def _answer(self) -> None:
        shelf = self._listeners.shelf
        recordings = await shelf.listed(self._question.conversation, self._question.recordings)
        if sum(each.tokens for each in recordings) > INPUT_LIMIT_TOKENS:
            raise Unanswerable(TurnCode.RECORDING_TOO_LONG)
        parts = await self._bring(recordings)
        await self._may_ask()
        models = self._models_that_take(parts)
        tries_of_model = 0
        while models and self._tries < tries.TRIES_AT_MOST:
            tries_of_model += 1
            decision = await self._try(models[0], tries_of_model, recordings, parts)
            if decision is None:
                logger.info("%s answered about %d recordings, try %d", self.model, len(recordings), self._tries)
                return
            self._last_code = decision.code
            match decision.next:
                case Next.STOP:
                    break
                case Next.OTHER:
                    models.pop(0)
                    tries_of_model = 0
                case Next.BRING:
                    tries_of_model -= 1
                    for part in parts:
                        await shelf.lost(part)
                    parts = await self._bring(recordings)
        raise Unanswerable(self._last_code, reason=self._refusal_of_all)

    def _models_that_take(self, parts: tuple[SoundPart, ...]) -> list[str]:
        """A file that was uploaded is one of the Developer API, which Agent Platform cannot have. Raises `Unanswerable`
        where that leaves nobody."""
        models = [*self._listeners.models.available(_now_s())]
        if not any(isinstance(part, UploadedSound) for part in parts):
            return models
        here = [model for model in models if not place_of(model).is_agent_platform]
        if models and not here:
            raise Unanswerable(TurnCode.RECORDING_UNAVAILABLE, TOO_LARGE_THERE)
        return here

    async def _bring(self, recordings: tuple[Listed, ...]) -> tuple[SoundPart, ...]:
        self._brought += 1
        if self._brought > tries.BRINGS_AT_MOST:
            raise Unanswerable(TurnCode.RECORDING_NOT_READY)
        return await self._listeners.shelf.parts(recordings, self._tell_bringing)

    async def _try(
        self, model: str, tries_of_model: int, recordings: tuple[Listed, ...], parts: tuple[SoundPart, ...]
    ) -> Decision | None:
        """Ask once; None when that was it."""
        self._tries += 1
        self.model, self._reply = model, None
        self._move(QuestionState.ASKED if self._tries == 1 else QuestionState.RETRYING)
        if tries_of_model > 1:
            await asyncio.sleep(tries.pause_s(tries_of_model - 1))
        try:
            end = await self._ask(model, recordings, parts)
        except UpstreamFailed as failed:
            failure = failed.failure
        except Exception:
            logger.exception("Internal error while answering")
            failure = _INTERNAL
        else:
            return self._judge_end(end, tries_of_model)
        logger.warning("%s did not answer about a recording: %s %s", model, failure.code, failure.text)
        if self._has_begun:
            self._tell(ReplyBroken())
        is_uploaded = any(isinstance(part, UploadedSound) for part in parts)
        is_about_file = tries.is_about_a_file(failure) and is_uploaded
        is_spent = not is_about_file and self._listeners.models.refused(model, failure, _now_s())
        return tries.after_failure(failure, tries_of_model, is_uploaded=is_uploaded, is_spent=is_spent)

    def _judge_end(self, end: End, tries_of_model: int) -> Decision | None:
        reply = self._reply
        if end is End.WHOLE or reply is None:
            return None
        decision = tries.after_refusal(reply.refusal, tries_of_model)
        if reply.has_begun and decision.next is Next.STOP:
            self.refusal = reply.refusal
            return None
        if reply.has_begun:
            self._tell(ReplyBroken())
        self._refusal_of_all = reply.refusal
        return decision

    async def _ask(self, model: str, recordings: tuple[Listed, ...], parts: tuple[SoundPart, ...]) -> End:
        listeners, manner = self._listeners, self._manner
        conversation = listeners.generation.conversation(model)
        terms = Terms(
            listeners.generation,
            conversation,
            listeners.voices,
            model,
            manner.voice,
            thinking_level_of(model),
            FIRST_PIECE_LIMIT_S,
        )
        prompt = prompt_about(self._question, recordings, parts, manner.language, is_heard=self._is_heard)
        reply = Reply(
            terms,
            prompt,
            is_heard=self._is_heard,
            tell=lambda message: self._tell_of(reply, message),
            on_transcribed=lambda words: None,
            usage=self._usage,
        )
        self._reply = reply
        try:
            return await reply.run()
        finally:
            await conversation.close(CLOSE_LIMIT_S)

    def _tell_of(self, reply: Reply, message: UpstreamMessage) -> None:
        if reply is self._reply:
            self._tell(message)

    def _tell_bringing(self, recording: Listed, bringing: Bringing) -> None:
        self._move(bringing.state, recording.id, bringing.sent_bytes, recording.size_bytes)

    def _move(self, state: QuestionState, recording: str = "", sent_bytes: int = 0, size_bytes: int = 0) -> None:
        question = self._question
        self._tell(QuestionMoved(question.id, question.recordings, state, recording, sent_bytes, size_bytes))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
