"""What is said on both sides: takes input in, listens to the provider, and keeps account of what is answered and safe.

The reply machine decides; this carries its steps out on the transcript, the backlog, the page and the store.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from sessions_app.live.backlog import Backlog
from sessions_app.live.context import Context, Recap, context_of
from sessions_app.live.downlink import BYTES_PER_MS
from sessions_app.live.machine.events import (
    AnswerOverdue,
    Fact,
    HandleOffered,
    HandleWithdrawn,
    KeepHandle,
    MemoryLost,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    UserTurnEnded,
)
from sessions_app.live.machine.reply import (
    Answered,
    BeginReply,
    BreakOff,
    CloseTurn,
    EndExchange,
    MarkProduced,
    ReplyMachine,
    Sent,
    Step,
    StopPlayback,
)
from sessions_app.live.memory import MemoryProof, typed_tokens
from sessions_app.live.page import Opening
from sessions_app.live.page_teller import PageTeller
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    UpstreamMessage,
    UsageReported,
    UserWords,
    VoiceBegan,
)
from sessions_app.live.sender import BacklogSender
from sessions_app.live.transcript import Role, Transcript, Turn, TurnStatus
from sessions_app.live.voice import VoiceGate
from sessions_app.live.writer import StoreWriter

logger = logging.getLogger(__name__)


class Exchanges:
    """The exchanges of one live session, over all its connections.

    Args:
        opening: what the session starts from.
        backlog: input that is not safe yet.
        sender: what brings it to the provider.
        writer: what stores.
        teller: what tells the page.
        unread_ms: how long ago something must have been sent to be certainly taken in by now.
        feed: tells the session machine.
        on_answered: called after each exchange.
    """

    def __init__(
        self,
        opening: Opening,
        backlog: Backlog,
        sender: BacklogSender,
        writer: StoreWriter,
        teller: PageTeller,
        unread_ms: Callable[[], float],
        feed: Callable[[Fact], None],
        on_answered: Callable[[], None],
    ) -> None:
        self.transcript = Transcript(opening.turns)
        self.recap = opening.recap
        self.acknowledged_number = opening.next_number
        self.settled_turn = _last_settled_turn(opening)
        self.covered_turn = opening.covered_turn
        self._backlog = backlog
        self._sender = sender
        self._writer = writer
        self._teller = teller
        self._unread_ms = unread_ms
        self._feed = feed
        self._on_answered = on_answered
        self._reply = ReplyMachine()
        self._gate = VoiceGate()
        self._memory = MemoryProof()
        self._unanswered = _typed_unanswered(opening)
        self._ended_reply: int | None = None
        self._usage: UsageReported | None = None
        self._input_tokens = 0
        self._connections = 0
        self._model = ""
        self._consumed_index: int | None = None
        self._context_given_at_ms: int | None = None
        self._last_message_ms = 0
        self._is_heard = False

    @property
    def is_replying(self) -> bool:
        """Whether a reply is being given, or still played."""
        return self._reply.is_open

    # -- input -------------------------------------------------------------------------------------------------------

    def take_audio(self, number: int, pcm: bytes) -> None:
        """Take in one frame of the microphone: PCM16 mono 16 kHz."""
        frame = self._backlog.add_audio(number, pcm)
        if frame is None:
            return
        self._reply.voice_taken()
        self._sender.pass_on(frame)
        if self._gate.hear(pcm):
            self._feed(UserTurnEnded(certain=False))

    def take_text(self, id: str, text: str) -> None:
        """Take in a typed turn; one that was taken in before is not delivered twice."""
        known = self.transcript.find_typed(id)
        if known is None:
            self.tell_turns((self.transcript.add_typed(id, text, _unix_ms()),))
        elif self._backlog.holds_typed(id):
            return
        elif known.number <= self.settled_turn and id not in self._unanswered:
            self._writer.after(partial(self._acknowledge, frozenset({id})))
            return
        self._unanswered -= {id}
        self._backlog.add_typed(id, text)
        self._input_tokens += typed_tokens(text)
        self._sender.wake()

    def mute(self) -> None:
        """The microphone was muted: the provider is told after everything said before."""
        self._backlog.add_audio_end()
        self._sender.wake()
        if self._gate.end():
            self._feed(UserTurnEnded(certain=False))

    def stop_reply(self) -> None:
        """The user has heard enough: playback stops, and what is still produced of this reply is not played."""
        self._take(self._reply.stop(_now_ms()))

    # -- the past ----------------------------------------------------------------------------------------------------

    def context(self) -> Context:
        """What a session without memory is given: the last recap, and the turns since that are settled."""
        return context_of(tuple(filter(self._is_settled, self.transcript.turns)), self.recap)

    def turns_after_handle(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.context().turns if turn.number > self.covered_turn)

    def _is_settled(self, turn: Turn) -> bool:
        """Whether the exchange is over; what is not comes again from the backlog."""
        comes_again = turn.id in self._unanswered or self._backlog.holds_typed(turn.id)
        return turn.number <= self.settled_turn and not comes_again

    # -- connections -------------------------------------------------------------------------------------------------

    def connected(self, model: str, *, resumed: bool, caught_up: bool) -> None:
        """There is a new connection to `model`. `caught_up`: it is given the turns that its handle does not cover."""
        self._backlog.rewind(resumed=resumed)
        self._model = model
        self._last_message_ms = _now_ms()
        self._connections += 1
        self._ended_reply = None
        self._reply.connected()
        if not resumed:
            self.covered_turn = -1
            self._memory = MemoryProof()
        elif not caught_up:
            self._memory.resumed()

    def context_given(self, given: bool) -> None:
        """The new connection was given the past just now, or not."""
        self._context_given_at_ms = _now_ms() if given else None

    def hold(self) -> None:
        """Nothing reaches the provider until there is another connection, which may hear the same speech again."""
        self._sender.stop()
        self.transcript.expect_again()

    def connection_lost(self, *, produced: bool) -> None:
        """The connection went in the middle of a reply. `produced`: all of it had arrived."""
        self._take(self._reply.connection_lost(_now_ms(), produced=produced))

    def played_to_its_end(self) -> None:
        """The reply was played, and the provider has not said that its turn is over: it is."""
        self._take(self._reply.played_to_its_end(_now_ms()))

    def keep_handle(self, wish: KeepHandle, *, is_current: bool) -> None:
        """Store the handle, and acknowledge what it covers once that is done. `is_current`: it knows all turns."""
        if self._consumed_index is None:
            mark = self._backlog.mark_at(self._settled_moment_ms())
        else:
            mark = self._backlog.mark_of(self._consumed_index)
        self._backlog.cover_audio(mark)
        number = self._backlog.acknowledged_number
        if is_current:
            self.covered_turn = self.settled_turn
        done = partial(self._acknowledge, frozenset[str](), number)
        self._writer.save_handle(wish.handle, self._model, number, self.covered_turn, done)

    def answer_overdue(self) -> AnswerOverdue:
        """How long the provider has said nothing, and whether it showed that it heard the user."""
        return AnswerOverdue(_now_ms() - self._last_message_ms, self._is_heard)

    # -- what the provider says --------------------------------------------------------------------------------------

    def hear(self, message: UpstreamMessage) -> None:
        """Take in a message of the present connection."""
        self._last_message_ms = _now_ms()
        listener = self._listeners.get(type(message))
        if listener is not None:
            listener(self, message)

    def _on_reply_audio(self, message: ReplyAudio) -> None:
        now_ms = _now_ms()
        if self._take(self._reply.audio(len(message.pcm) / BYTES_PER_MS, self._sent, now_ms)):
            self._teller.downlink.play(message.pcm, now_ms)

    def _on_reply_words(self, message: ReplyWords) -> None:
        if self._take(self._reply.words(self._sent)):
            self.tell_turns(self.transcript.said(message.text, _unix_ms()))

    def _on_user_words(self, message: UserWords) -> None:
        self._is_heard = True
        self.tell_turns(self.transcript.heard(message.text, _unix_ms()))

    def _on_voice_began(self, message: VoiceBegan) -> None:
        self._is_heard = True
        self.transcript.voice_began()

    def _on_generation_complete(self, message: GenerationComplete) -> None:
        self._take(self._reply.generation_complete(_now_ms()))

    def _on_interrupted(self, message: Interrupted) -> None:
        self._take(self._reply.interrupted(_now_ms()))

    def _on_turn_complete(self, message: TurnComplete) -> None:
        if message.is_filler:
            return
        if message.reason:
            self._writer.record("turn_refused", {"reason": message.reason})
        self._take(self._reply.turn_complete(self._sent, _now_ms()))

    def _on_usage_reported(self, message: UsageReported) -> None:
        self._usage = message

    def _on_handle_update(self, message: HandleUpdate) -> None:
        if message.handle is None:
            self._feed(HandleWithdrawn())
            return
        self._consumed_index = message.consumed_index
        given_at_ms = self._context_given_at_ms
        covers_context = given_at_ms is None or given_at_ms <= self._settled_moment_ms()
        self._feed(HandleOffered(message.handle, covers_context))

    def _sent(self) -> Sent:
        settled_ms = self._settled_moment_ms()
        return Sent(
            certain=Answered(self._backlog.mark_at(settled_ms), self._backlog.typed_sent(settled_ms)),
            everything=Answered(self._backlog.mark_at(), self._backlog.typed_sent()),
            proven_at_ms=2 * _now_ms() - settled_ms,
        )

    def _settled_moment_ms(self) -> int:
        """What had been sent by then has certainly been consumed by what the provider says now."""
        return _now_ms() - math.ceil(self._unread_ms())

    # -- steps of the reply machine ----------------------------------------------------------------------------------

    def _take(self, steps: list[Step]) -> bool:
        """Carry the steps out; True when there were any."""
        for step in steps:
            carry_out = self._step_handlers.get(type(step))
            if carry_out is not None:
                carry_out(self, step)
        return bool(steps)

    def _begin_reply(self, step: BeginReply) -> None:
        self._ended_reply = None
        self.tell_turns(self.transcript.reply_began(step.answers_voice))
        self._feed(ReplyBegan())

    def _mark_produced(self, step: MarkProduced) -> None:
        if self.transcript.reply_number is not None:
            self._teller.generation_complete(self.transcript.reply_number)
        self._feed(ReplyProduced(step.playback_left_ms))

    def _stop_playback(self, step: StopPlayback) -> None:
        self._teller.downlink.flush()

    def _end_exchange(self, step: EndExchange) -> None:
        self._ended_reply = self.transcript.reply_number
        self.tell_turns(self.transcript.reply_ended(TurnStatus.COMPLETE if step.is_whole else TurnStatus.INTERRUPTED))
        self.settled_turn = self.transcript.settled_number
        ids = step.answered.typed_ids
        self._backlog.answered(step.answered.mark, ids)
        self._writer.after(partial(self._acknowledge, ids, self._backlog.acknowledged_number))
        self._is_heard = False
        self._feed(ReplyEnded())
        self._writer.load_recap(self._take_recap)
        self._on_answered()

    def _break_off(self, step: BreakOff) -> None:
        self._ended_reply = None
        self.tell_turns(self.transcript.connection_lost())

    def _close_turn(self, step: CloseTurn) -> None:
        number, self._ended_reply = self._ended_reply, None
        usage, self._usage = self._usage, None
        if number is not None:
            self._teller.turn_complete(number, usage)
        if usage is not None:
            self._save_usage(number, usage)
            self._check_memory(usage)

    def _save_usage(self, number: int | None, usage: UsageReported) -> None:
        """By the reply's turn; words that got none have a turn of their own, and noise is not worth another's place."""
        turn = self.transcript.last_of_user if number is None else number
        if turn is not None:
            self._writer.save_usage(self._connections, turn, self._model, usage)

    def _check_memory(self, usage: UsageReported) -> None:
        input_tokens, self._input_tokens = self._input_tokens, 0
        if usage.prompt_tokens is None:
            return
        if self._memory.is_lost(usage.prompt_tokens, usage.response_tokens or 0, input_tokens):
            self._feed(MemoryLost())

    def _take_recap(self, recap: Recap | None) -> None:
        self.recap = recap

    # -- telling and storing -----------------------------------------------------------------------------------------

    def tell_turns(self, turns: tuple[Turn, ...]) -> None:
        """Store turns as they are now, and show them."""
        for turn in turns:
            self._writer.save_turn(turn)
            self._teller.turn(turn)

    def tell_system(self, text: str) -> None:
        """A line of our own in the transcript."""
        self.tell_turns((self.transcript.add_system(text, _unix_ms()),))

    def tell_loss(self, reason: str) -> None:
        """What could not be saved since the last time, if anything."""
        loss = self._backlog.take_loss()
        if loss:
            self._writer.record("lost", {"ms": loss.ms, "messages": len(loss.ids), "reason": reason})
            self._teller.lost(loss, reason)

    def interrupt_for_good(self) -> None:
        """The session ends here: store what stood open as interrupted."""
        for turn in self.transcript.reply_ended(TurnStatus.INTERRUPTED):
            self._writer.save_turn(turn)

    def _acknowledge(self, ids: frozenset[str], number: int | None = None) -> None:
        """What was promised is stored now: the page may let go of it."""
        before = self.acknowledged_number
        self.acknowledged_number = before if number is None else max(before, number)
        if self.acknowledged_number != before or ids:
            self._teller.ack(self.acknowledged_number, ids)

    _step_handlers: ClassVar[Mapping[type[Step], Callable[..., None]]] = {
        BeginReply: _begin_reply,
        MarkProduced: _mark_produced,
        StopPlayback: _stop_playback,
        EndExchange: _end_exchange,
        BreakOff: _break_off,
        CloseTurn: _close_turn,
    }

    _listeners: ClassVar[Mapping[type[UpstreamMessage], Callable[..., None]]] = {
        ReplyAudio: _on_reply_audio,
        ReplyWords: _on_reply_words,
        UserWords: _on_user_words,
        VoiceBegan: _on_voice_began,
        GenerationComplete: _on_generation_complete,
        Interrupted: _on_interrupted,
        TurnComplete: _on_turn_complete,
        UsageReported: _on_usage_reported,
        HandleUpdate: _on_handle_update,
    }


def _last_settled_turn(opening: Opening) -> int:
    """The last turn that no page will send again: of a known page life, the last one that the model gave."""
    settled = (turn for turn in opening.turns if turn.role is Role.MODEL or not opening.same_page)
    return max((turn.number for turn in settled), default=-1)


def _typed_unanswered(opening: Opening) -> frozenset[str]:
    """Typed messages of this page life that no whole reply followed: their replies were cut off with the process."""
    whole = (turn for turn in opening.turns if turn.role is Role.MODEL and turn.status is TurnStatus.COMPLETE)
    last_whole = max((turn.number for turn in whole), default=-1)
    return frozenset(turn.id for turn in opening.turns if turn.id and turn.number > last_whole)


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


def _unix_ms() -> int:
    return int(time.time() * 1000)
