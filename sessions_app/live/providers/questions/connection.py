"""A line beside which questions about recordings are answered, see `upstream.Connection`.

What the line says goes through as it is. A question is answered in turns, one after the other, and has the word only
when the line's own turn is over; who speaks, types, or is answered by the line ends it, as any reply is ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from energy.marking import gettext_noop as _
from sessions_app.live.providers.questions.answering import Answering, Listeners, Manner
from sessions_app.live.providers.questions.floor import STUCK_S, Floor, is_of_the_user, speaks
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.turns.hearing import Hearing, VoiceFound
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.upstream import (
    Connection,
    GenerationComplete,
    Interrupted,
    QuestionFailed,
    ReplyBroken,
    ReplyStarted,
    Setup,
    TurnComplete,
    UpstreamFailed,
    UpstreamMessage,
    VoiceBegan,
)
from sessions_app.live.questions import Question, QuestionMoved, QuestionState
from sessions_app.live.transcript import Turn, TurnCode

logger = logging.getLogger(__name__)

NOBODY_LISTENS = _("This server has no key to ask a model with that listens to recordings.")
QUESTIONS_LIMIT = 20
"""That wait for their answers, the one under way included: each may bring hours of sound, and costs accordingly."""

TOO_MANY_WAIT = _("{limit} questions wait for their answers already. Ask this when some are answered.")
TOO_MANY = TOO_MANY_WAIT.format(limit=QUESTIONS_LIMIT)
STOPPED = _("You stopped this question before it was answered.")


class QuestionsConnection:
    """Holds one line.

    Args:
        line: the connection that all else goes over.
        setup: how that was set up.
        listeners: gives who is asked; raises `UpstreamFailed` where nobody is.
    """

    def __init__(self, line: Connection, setup: Setup, listeners: Callable[[], Awaitable[Listeners]]) -> None:
        self._line = line
        self._setup = setup
        self._listeners = listeners
        self._said: asyncio.Queue[UpstreamMessage | Exception] = asyncio.Queue()
        self._floor = Floor()
        self._floor_news = asyncio.Event()
        self._questions: deque[Question] = deque()
        self._answering: Answering | None = None
        self._task: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._has_word = False
        self._held: list[UpstreamMessage] = []
        self._is_heard = True
        self._ear = Hearing()
        self._usage = UsageAccount()
        self._leaving: set[asyncio.Task[None]] = set()

    # -- what it is like ---------------------------------------------------------------------------------------------

    @property
    def unread_ms(self) -> float:
        return self._line.unread_ms

    @property
    def round_trip_ms(self) -> float | None:
        return self._line.round_trip_ms

    @property
    def loop_lag_ms(self) -> float:
        return self._line.loop_lag_ms

    @property
    def lifeless_ms(self) -> float:
        return self._line.lifeless_ms

    @property
    def messages_sent(self) -> int:
        return self._line.messages_sent

    @property
    def counts_messages(self) -> bool:
        return self._line.counts_messages

    def begin_burst(self) -> None:
        self._line.begin_burst()

    def end_burst(self) -> None:
        self._line.end_burst()

    # -- what it says ------------------------------------------------------------------------------------------------

    async def messages(self) -> AsyncIterator[UpstreamMessage]:
        self._reading = asyncio.create_task(self._read_line(), name="questions-line")
        while True:
            said = await self._said.get()
            if isinstance(said, Exception):
                raise said
            yield said

    async def _read_line(self) -> None:
        try:
            async for message in self._line.messages():
                self._hear(message)
        except Exception as error:
            self._said.put_nowait(error)

    def _hear(self, message: UpstreamMessage) -> None:
        """Two answers cannot be given at once: the line's goes before."""
        interrupts = self._setup.turn_taking.interruptions and is_of_the_user(message)
        if self._has_word and (interrupts or speaks(message)):
            self._break_off()
        self._floor.hear(message, _now_s())
        self._said.put_nowait(message)
        self._floor_news.set()

    def _tell(self, *messages: UpstreamMessage) -> None:
        for message in messages:
            self._said.put_nowait(message)

    # -- what it is told ---------------------------------------------------------------------------------------------

    def try_send_audio(self, pcm: bytes) -> bool:
        sent = self._line.try_send_audio(pcm)
        if sent:
            self._listen(pcm)
        return sent

    async def send_audio(self, pcm: bytes) -> None:
        await self._line.send_audio(pcm)
        self._listen(pcm)

    def _listen(self, pcm: bytes) -> None:
        """Nobody at the other end knows that there is something to be interrupted."""
        if not (self._has_word and self._is_heard and self._setup.turn_taking.interruptions):
            return
        if any(isinstance(heard, VoiceFound) for heard in self._ear.hear(pcm)):
            self._break_off()
            self._tell(VoiceBegan())

    async def send_audio_end(self) -> None:
        await self._line.send_audio_end()

    async def send_text(self, text: str) -> None:
        self._break_off()
        await self._line.send_text(text)
        self._floor.typed(_now_s())

    async def send_question(self, question: Question) -> None:
        self._break_off()
        if len(self._questions) >= QUESTIONS_LIMIT:
            self._fail(question, Unanswerable(TurnCode.NO_ANSWER, TOO_MANY))
            return
        self._questions.append(question)
        self._tell(QuestionMoved(question.id, question.recordings, QuestionState.WAITING))
        self._go_on()

    async def send_past_turns(self, turns: tuple[Turn, ...]) -> None:
        await self._line.send_past_turns(turns)

    def want_sound(self, on: bool) -> None:
        self._is_heard = on
        self._line.want_sound(on)
        if not on and self._answering is not None:
            self._answering.fall_silent()

    def stop_reply(self) -> None:
        """What is spoken; where nothing is, the question that is being prepared."""
        if self._has_word:
            self._withdraw()
            self._tell(*self._usage.take(""), TurnComplete())
            self._go_on()
        elif self._answering is not None and not self._floor.is_taken(_now_s()):
            question = self._questions[0]
            self._withdraw()
            stopped = Unanswerable(TurnCode.NO_ANSWER, STOPPED)
            stopped.usages = tuple(self._usage.take(""))
            self._fail(question, stopped)
            self._go_on()
        self._line.stop_reply()

    async def close(self, timeout_ms: int) -> None:
        self._questions.clear()
        self._withdraw()
        if self._reading is not None:
            self._reading.cancel()
        await self._line.close(timeout_ms)
        if self._leaving:
            await asyncio.wait(set(self._leaving), timeout=timeout_ms / 1000)

    # -- questions ---------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        if self._task is None and self._questions:
            self._task = asyncio.create_task(self._answer(self._questions[0]), name="questions-answer")

    async def _answer(self, question: Question) -> None:
        """To its end, which is told in any case."""
        try:
            refusal = await self._answered(question)
        except Unanswerable as failed:
            self._end(question)
            self._fail(question, failed)
        except Exception:
            logger.exception("Internal error while answering a question")
            self._end(question)
            self._fail(question, Unanswerable(TurnCode.RECORDING_UNAVAILABLE))
        else:
            self._end(question)
            self._tell(*self._usage.take(""), TurnComplete(reason=refusal))
        self._go_on()

    async def _answered(self, question: Question) -> str:
        """Gives why there is no more of it, empty where all is there. Raises `Unanswerable`."""
        try:
            listeners = await self._listeners()
        except UpstreamFailed:
            raise Unanswerable(TurnCode.RECORDING_UNAVAILABLE, NOBODY_LISTENS) from None
        manner = Manner(self._setup.voice, self._setup.language, self._is_heard)
        answering = Answering(
            question,
            listeners,
            manner,
            lambda message: self._say(answering, question, message),
            self._usage,
            self._word_is_free,
        )
        self._answering = answering
        await answering.run()
        await self._take_word(answering)
        return answering.refusal

    def _say(self, answering: Answering, question: Question, message: UpstreamMessage) -> None:
        """What was begun while the line has the word waits until that is over."""
        if answering is not self._answering:
            return
        if isinstance(message, QuestionMoved):
            self._tell(message)
            return
        if isinstance(message, ReplyStarted):
            message = ReplyStarted(question.id)
            self._tell(QuestionMoved(question.id, question.recordings, QuestionState.OVER))
        if isinstance(message, GenerationComplete):
            self._tell_now(*self._usage.take(""))
        if isinstance(message, ReplyBroken):
            if self._has_word:
                self._tell(message)
            self._has_word, self._held = False, []
            return
        self._tell_now(message)
        if len(self._held) == 1:
            taking = asyncio.create_task(self._take_word(answering), name="questions-word")
            self._leaving.add(taking)
            taking.add_done_callback(self._leaving.discard)

    def _tell_now(self, *messages: UpstreamMessage) -> None:
        if self._has_word:
            self._tell(*messages)
        else:
            self._held += messages

    async def _word_is_free(self) -> None:
        """Wait until the turn of the line is over."""
        while self._floor.is_taken(_now_s()):
            self._floor_news.clear()
            try:
                async with asyncio.timeout(STUCK_S):
                    await self._floor_news.wait()
            except TimeoutError:
                continue

    async def _take_word(self, answering: Answering) -> None:
        await self._word_is_free()
        if answering is not self._answering or not self._held:
            return
        if self._floor.is_open:
            self._floor.let_go()
            self._tell(TurnComplete())  # which the line owes, and has not given
        self._has_word = True
        self._ear = Hearing()
        held, self._held = self._held, []
        self._tell(*held)

    def _break_off(self) -> None:
        """The user goes on, or the line does: what is being said of an answer stops."""
        if not self._has_word:
            return
        self._withdraw()
        self._tell(Interrupted(), *self._usage.take(""), TurnComplete())
        self._go_on()

    def _withdraw(self) -> None:
        """No more comes of the present question."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._questions:
            self._questions.popleft()
        self._forget_answer()
        task.cancel()
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _end(self, question: Question) -> None:
        self._task = None
        if self._questions and self._questions[0] is question:
            self._questions.popleft()
        self._forget_answer()

    def _forget_answer(self) -> None:
        self._answering = None
        self._has_word = False
        self._held = []

    def _fail(self, question: Question, why: Unanswerable) -> None:
        self._tell(
            QuestionMoved(question.id, question.recordings, QuestionState.OVER),
            QuestionFailed(question.id, why.code, why.text, why.reason, why.usages),
        )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
