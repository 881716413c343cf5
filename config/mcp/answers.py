"""Questions about recordings, answered and stored: in a thread, which waits for the loop that asks the model."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import wait
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from config.mcp.audio_tools import Reply
from config.mcp.calls import Refused, Tell
from energy.levels import Mode
from sessions_app import asked_conversations as conversations
from sessions_app.asked_conversations import Asked
from sessions_app.live.context import context_of
from sessions_app.live.explanations import explanation_of
from sessions_app.live.providers.questions.answering import Answering, Manner
from sessions_app.live.providers.questions.shelf import Unanswerable
from sessions_app.live.providers.questions.upstream import LateListeners
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.upstream import UpstreamFailed, UpstreamMessage, UsageReported
from sessions_app.live.questions import Question, QuestionMoved, QuestionState
from sessions_app.live.transcript import TurnCode
from sessions_app.models import Conversation, Recording
from sessions_app.recordings.answering import Answered, listeners
from sessions_app.recordings.service import NoSuchRecording
from sessions_app.services import NotYours
from sessions_app.usage import fair_use_refusal
from summarization.memory import SummarisedMemory
from summarization.services import write_call_history

LOOK_EVERY_S = 0.5

INSTRUCTION = (
    "You answer questions about recordings for somebody who reads your answer, in plain text and in the language of "
    "the question."
)
BEGUN = "Asking"
LEFT_TEXT = "The program that asked this went away before it was answered."

Said = Callable[[str], None]
"""Is told what is going on, in the loop."""

Model = Callable[[Question, Said], Awaitable[Answered]]
"""Answers a question. Raises `Unanswerable`."""


class RecordedAnswers:
    """See `audio_tools.Answers`.

    Args:
        model: who is asked, in `loop`.
        loop: another one than that of the threads which ask.
    """

    def __init__(self, model: Model, loop: asyncio.AbstractEventLoop) -> None:
        self._model, self._loop = model, loop

    def refuse_if_spent(self, user: User) -> None:
        refusal = fair_use_refusal(user.pk, Mode.TEXT, timezone.now())
        if refusal is not None:
            raise Refused(refusal.in_words(timezone.now(), settings.TIME_ZONE))

    def begin(self, user: User, recording: Recording) -> uuid.UUID:
        try:
            return conversations.begin_about(user, recording.pk)
        except NoSuchRecording:
            raise Refused("This recording was deleted.") from None

    def ask(self, user: User, conversation_id: uuid.UUID, question: str, tell: Tell) -> Reply:
        try:
            goes_on_in = conversations.to_ask_in(user, conversation_id)
            asked = conversations.ask(goes_on_in, question, settings.RECORDING_MODELS[0])
            answered = self._answered(asked, tell)
        except (Conversation.DoesNotExist, NotYours):
            raise Refused("This session was deleted.") from None
        note = explanation_of(TurnCode.REFUSED, answered.refusal) if answered.refusal else ""
        return Reply(asked.conversation, answered.text, note)

    def _answered(self, asked: Asked, tell: Tell) -> Answered:
        try:
            answered = self._wait(asked, tell)
        except Unanswerable as reason:
            text = reason.text or explanation_of(reason.code, reason.reason)
            self._leave(asked, text, reason.code, reason.usages)
            raise Refused(f"{text} The session is {asked.conversation}.") from None
        except BaseException:
            self._leave(asked, LEFT_TEXT, TurnCode.NO_ANSWER)
            raise
        conversations.answer(asked, answered.text, answered.model, answered.usages)
        write_call_history(asked.conversation)
        return answered

    def _leave(self, asked: Asked, text: str, code: TurnCode, usages: tuple[UsageReported, ...] = ()) -> None:
        """The conversation may have been deleted with its account."""
        with suppress(Conversation.DoesNotExist):
            conversations.leave_unanswered(asked, text, code, usages)
            write_call_history(asked.conversation)

    def _wait(self, asked: Asked, tell: Tell) -> Answered:
        """Raises `Unanswerable`, `GivenUp`."""
        context = context_of(asked.past, SummarisedMemory().condense(asked.conversation))
        question = Question(asked.id, asked.text, str(asked.conversation), asked.recordings, context, INSTRUCTION)
        words = deque([BEGUN], maxlen=1)
        answering = asyncio.run_coroutine_threadsafe(_awaited(self._model(question, words.append)), self._loop)
        connections.close_all()  # others need it while the model listens
        try:
            while not answering.done():
                tell(words[-1])
                wait([answering], LOOK_EVERY_S)
            return answering.result()
        finally:
            answering.cancel()


class Listening:
    """Asks the models that the settings name, and says how far that is. Used in one loop."""

    def __init__(self) -> None:
        self._listeners = LateListeners(listeners)

    async def __call__(self, question: Question, said: Said) -> Answered:
        try:
            who = await self._listeners.get()
        except UpstreamFailed:
            raise Unanswerable(TurnCode.RECORDING_UNAVAILABLE) from None
        names = {each.id: each.name for each in await who.shelf.listed(question.conversation, question.recordings)}
        usage = UsageAccount()

        def tell(message: UpstreamMessage) -> None:
            if isinstance(message, QuestionMoved):
                said(_words(message, names.get(message.recording, "")))

        answering = Answering(question, who, Manner(), tell, usage)
        await answering.run()
        if not answering.answer:
            raise Unanswerable(TurnCode.NO_ANSWER)
        return Answered(answering.answer, answering.model, answering.refusal, tuple(usage.take("")))


def _words(moved: QuestionMoved, name: str) -> str:
    match moved.state:
        case QuestionState.UPLOADING if moved.size_bytes:
            return f"Bringing {name} to the model, {100 * moved.sent_bytes // moved.size_bytes} %"
        case QuestionState.UPLOADING | QuestionState.PROCESSING:
            return f"Bringing {name} to the model"
        case QuestionState.RETRYING:
            return "Asking again"
    return "A model listens"


async def _awaited(answered: Awaitable[Answered]) -> Answered:
    return await answered
