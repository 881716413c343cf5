"""A conversation in turns as a connection, see `upstream.Connection`: who has the word, and what is asked when.

Nothing is dialled and nothing stays open between two turns. Its own ear finds what is said; each utterance and each
typed message is asked about in a request of its own, with the conversation before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.turns.account import Account, Sound, Words
from sessions_app.live.providers.turns.hearing import Heard, Hearing, Spoken
from sessions_app.live.providers.turns.prompt import prompt_of
from sessions_app.live.providers.turns.reply import End, Reply, Terms
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.upstream import (
    Asking,
    GenerationComplete,
    GoAway,
    Interrupted,
    Setup,
    TurnComplete,
    UpstreamFailed,
    UpstreamMessage,
    UsageReported,
    VoiceBegan,
    VoiceMissing,
)
from sessions_app.live.questions import Question
from sessions_app.live.transcript import Turn

logger = logging.getLogger(__name__)

CONVERSATION_LIMIT_TOKENS = 60_000
"""Each request pays for the whole conversation before it. When that has come to so much, the connection asks to be
replaced by one that begins with a recap and the latest turns."""

_SAME_MOMENT_MS = 2.0
"""Moments are rounded to whole milliseconds where they are compared."""


class TurnsConnection:
    """Holds one conversation.

    Args:
        setup: how it was set up; without a handle.
        terms: who is asked, and how.
    """

    def __init__(self, setup: Setup, terms: Terms) -> None:
        self._setup = setup
        self._terms = terms
        self._hearing = Hearing(setup.turn_taking.silence_ms)
        self._account = Account(setup.history)
        self._usage = UsageAccount()
        self._said: asyncio.Queue[UpstreamMessage | Failure] = asyncio.Queue()
        self._failure: Failure | None = None
        self._reply: Reply | None = None
        self._answering: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_heard = True
        self._has_missed_voice = self._is_over_limit = False
        self._asked_at_s: float | None = None
        self._messages_sent = 0

    # -- what it is like ---------------------------------------------------------------------------------------------

    @property
    def unread_ms(self) -> float:
        """Since the last request was made: it knows nothing of what was said after that."""
        if self._asked_at_s is None:
            return 0.0
        return max(0.0, (_now_s() - self._asked_at_s) * 1000 - _SAME_MOMENT_MS)

    @property
    def round_trip_ms(self) -> float | None:
        return None

    @property
    def loop_lag_ms(self) -> float:
        return 0.0

    @property
    def lifeless_ms(self) -> float:
        """There is no line that could be dead; requests have limits of their own."""
        return 0.0

    @property
    def messages_sent(self) -> int:
        return self._messages_sent

    @property
    def counts_messages(self) -> bool:
        return False

    def begin_burst(self) -> None:
        """What comes at once is heard at once."""

    def end_burst(self) -> None:
        """There is nobody to be asked how far they have read."""

    # -- what it says ------------------------------------------------------------------------------------------------

    async def messages(self) -> AsyncIterator[UpstreamMessage]:
        while True:
            said = await self._said.get()
            if isinstance(said, Failure):
                raise UpstreamFailed(said)
            yield said

    def _tell(self, *messages: UpstreamMessage) -> None:
        for message in messages:
            self._said.put_nowait(message)

    # -- what it is told ---------------------------------------------------------------------------------------------

    def try_send_audio(self, pcm: bytes) -> bool:
        if self._failure is not None:
            return False
        self._messages_sent += 1
        for heard in self._hearing.hear(pcm):
            self._hear(heard)
        return True

    async def send_audio(self, pcm: bytes) -> None:
        self._raise_if_gone()
        self.try_send_audio(pcm)

    async def send_audio_end(self) -> None:
        self._raise_if_gone()
        self._messages_sent += 1
        for heard in self._hearing.end():
            self._hear(heard)

    async def send_text(self, text: str) -> None:
        self._raise_if_gone()
        self._messages_sent += 1
        self._break_off()
        self._account.add(Words(text))
        self._ask()

    async def send_question(self, question: Question) -> None:
        """Raises NotImplementedError: no model of a line takes files."""
        raise NotImplementedError

    async def send_past_turns(self, turns: tuple[Turn, ...]) -> None:
        self._raise_if_gone()
        self._messages_sent += 1
        self._account.remember(turns)

    def want_sound(self, on: bool) -> None:
        self._is_heard = on
        if not on and self._reply is not None:
            self._reply.fall_silent()

    def stop_reply(self) -> None:
        if self._reply is not None and self._reply.has_begun:
            self._cut()
            self._end_turn()
            self._go_on()

    async def close(self, timeout_ms: int) -> None:
        self._withdraw()
        limit_s = timeout_ms / 1000
        leaving = {*self._leaving, asyncio.create_task(self._terms.conversation.close(limit_s), name="turns-close")}
        await asyncio.wait(leaving, timeout=limit_s)

    def _raise_if_gone(self) -> None:
        if self._failure is not None:
            raise UpstreamFailed(self._failure)

    # -- who has the word --------------------------------------------------------------------------------------------

    def _hear(self, heard: Heard) -> None:
        if isinstance(heard, Spoken):
            self._take(Sound(heard.pcm))
            return
        self._tell(VoiceBegan())
        if self._may_break_off:
            self._break_off()

    def _take(self, said: Sound) -> None:
        """Something was said to its end. What was typed meanwhile may be being answered."""
        if self._may_break_off:
            self._break_off()
        self._account.add(said)
        if self._reply is None:
            self._ask()

    @property
    def _may_break_off(self) -> bool:
        """Whether speech ends the answer that is given; one that has not begun is always asked for anew."""
        return self._setup.turn_taking.interruptions or self._reply is None or not self._reply.has_begun

    def _break_off(self) -> None:
        """The user goes on: what is being said stops, and what was not answered is asked again with the rest."""
        if self._reply is None:
            return
        if self._reply.has_begun:
            self._cut()
            self._tell(Interrupted())
            self._end_turn()
        else:
            self._withdraw()

    def _cut(self) -> None:
        reply = self._withdraw()
        if reply is not None:
            self._account.answered(reply.heard_by(_now_s()), is_cut=True)

    def _withdraw(self) -> Reply | None:
        """No more comes of the present request."""
        reply, self._reply = self._reply, None
        task, self._answering = self._answering, None
        if task is not None:
            task.cancel()
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        return reply

    # -- asking ------------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        is_heard = self._is_heard
        prompt = prompt_of(self._setup.instruction, self._account.ask(), self._setup.language, is_heard=is_heard)
        self._asked_at_s = _now_s()
        self._tell(Asking())
        reply = Reply(
            self._terms,
            prompt,
            is_heard=is_heard,
            tell=lambda message: self._tell_of(reply, message),
            on_transcribed=lambda words: self._transcribed(reply, words),
            usage=self._usage,
        )
        self._reply = reply
        self._answering = asyncio.create_task(self._answer(reply), name="turns-answer")

    async def _answer(self, reply: Reply) -> None:
        try:
            end = await reply.run()
        except UpstreamFailed as failed:
            self._fail(reply, failed.failure)
        except Exception:
            logger.exception("Internal error while answering")
            self._fail(reply, Failure(0, "internal error", Phase.LIVE))
        else:
            self._over(reply, end)

    def _tell_of(self, reply: Reply, message: UpstreamMessage) -> None:
        """Not of one that was withdrawn."""
        if reply is not self._reply:
            return
        if isinstance(message, VoiceMissing):
            if self._has_missed_voice:
                return
            self._has_missed_voice = True
        if isinstance(message, GenerationComplete):
            self._tell(*self._counted())  # whatever ends the turn, it was counted
        self._tell(message)

    def _transcribed(self, reply: Reply, words: str) -> None:
        if reply is self._reply:
            self._account.transcribed(words)

    def _over(self, reply: Reply, end: End) -> None:
        if reply is not self._reply:
            return
        self._reply = self._answering = None
        if end is End.WHOLE:
            self._account.answered(reply.answer)
        elif end is End.NOTHING:
            self._account.passed_over()
        elif reply.has_begun:
            self._account.answered(reply.answer, is_cut=True)
        else:
            self._account.dropped()
        self._end_turn(reply.refusal)
        self._go_on()

    def _end_turn(self, reason: str = "") -> None:
        self._tell(*self._counted(), TurnComplete(reason=reason))

    def _counted(self) -> list[UsageReported]:
        """What was taken since the last time. What no answer's usage has in it waits for one that it goes with: a
        report by itself would take the place of the turn's own."""
        own = self._terms.model
        if self._usage.has_of(own):
            self._usage.meter(own).read(self._terms.conversation.spent())
        return self._usage.take(own)

    def _go_on(self) -> None:
        """What was said meanwhile and did not end the answer is its turn now."""
        if self._account.waits:
            self._ask()
        elif self._account.tokens > CONVERSATION_LIMIT_TOKENS and not self._is_over_limit:
            self._is_over_limit = True
            self._tell(GoAway(0))

    def _fail(self, reply: Reply, failure: Failure) -> None:
        if reply is self._reply:
            self._failure = failure
            self._said.put_nowait(failure)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
