"""What is said on both sides: takes input in, listens to the provider, and keeps account of what is answered and safe.

The machine of turns decides; this carries its steps out on the transcript, the backlog, the page and the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from sessions_app.live.backlog import Backlog, Loss, PastTurns, TypedMessage
from sessions_app.live.context import Context, Recap, RecordingNotes, context_of, told_of_recordings
from sessions_app.live.downlink import BYTES_PER_MS
from sessions_app.live.echo import EchoDelay
from sessions_app.live.explanations import explanation_of
from sessions_app.live.machine.events import (
    Fact,
    HandleOffered,
    HandleWithdrawn,
    KeepHandle,
    MemoryLost,
    ProviderSilent,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    SettingsChanged,
)
from sessions_app.live.machine.observed import FramesResent, InputLost, ResentReason, TurnCounted
from sessions_app.live.machine.reply import Answered, Sent
from sessions_app.live.machine.turn_events import (
    Asked,
    BeginReply,
    BreakOff,
    BrokenOff,
    CloseTurn,
    Delivered,
    EndExchange,
    Explain,
    GenerationEnded,
    Hear,
    LineBack,
    LineLost,
    MarkProduced,
    Play,
    PlayedOut,
    ReplyAnnounced,
    Say,
    SayAgain,
    SoundCame,
    SpeechEnded,
    StartPlaybackTimer,
    StartWatch,
    StartWordsTimer,
    Step,
    StopAsked,
    StopPlayback,
    StopPlaybackTimer,
    StopWatch,
    Suspect,
    TurnEnded,
    TurnFact,
    UserWordsCame,
    VoiceNoticed,
    WatchFired,
    WordsCame,
    WordsWaited,
)
from sessions_app.live.machine.turns import (
    TurnMachine,
    TurnState,
)
from sessions_app.live.notes_told import NotesTold
from sessions_app.live.own_ear import OwnEar
from sessions_app.live.page import Opening
from sessions_app.live.page_teller import PageTeller
from sessions_app.live.played import Played
from sessions_app.live.providers.upstream import (
    Asking,
    Connection,
    GenerationComplete,
    HandleUpdate,
    Interrupted,
    QuestionFailed,
    ReplyAudio,
    ReplyBroken,
    ReplyStarted,
    ReplyWords,
    TurnComplete,
    UpstreamFailed,
    UpstreamMessage,
    UsageReported,
    UserWords,
    VoiceBegan,
    VoiceMissing,
)
from sessions_app.live.questions import Question, QuestionMoved
from sessions_app.live.replacing import as_told, note_on
from sessions_app.live.sender import BacklogSender
from sessions_app.live.timers import Timers
from sessions_app.live.transcript import Role, Transcript, Turn, TurnCode, TurnStatus
from sessions_app.live.turn_usage import TurnUsage
from sessions_app.live.unfinished import last_settled_turn, spoken_unanswered, typed_unanswered
from sessions_app.live.voice import BYTES_PER_MS as INPUT_BYTES_PER_MS
from sessions_app.live.voice import Utterance
from sessions_app.live.watch import SessionWatch
from sessions_app.live.writer import StoreWriter

logger = logging.getLogger(__name__)

TAIL_LIMIT_S = 1.0
"""After a hang-up the words of what was said last are waited for this long, in the background."""

NOTED = "I have read that."
"""Stands for an answer of the model where it is told something, so that the next turn is the user's again."""

NOTHING_CONSUMED_MS = 2_000
"""So long after its set-up a connection may have consumed nothing of what it was sent."""

TimedFact = type[WatchFired] | type[PlayedOut] | type[WordsWaited]

SILENCE = (bytes(40 * INPUT_BYTES_PER_MS),) * 25
"""A second of it, in frames of 40 ms."""


class Exchanges:
    """The exchanges of one live session, over all its connections.

    Args:
        opening: what the session starts from.
        backlog: input that is not safe yet.
        sender: what brings it to the provider.
        writer: what stores.
        teller: what tells the page.
        connection: gives the present connection, if there is one.
        feed: tells the session machine.
        on_answered: called after each exchange.
        on_doubt: called when an answer is owed, and nothing has moved for a while.
        watch: is told what the session machine does not hear of.
    """

    def __init__(
        self,
        opening: Opening,
        backlog: Backlog,
        sender: BacklogSender,
        writer: StoreWriter,
        teller: PageTeller,
        connection: Callable[[], Connection | None],
        feed: Callable[[Fact], None],
        on_answered: Callable[[], None],
        on_doubt: Callable[[], None],
        watch: SessionWatch,
    ) -> None:
        self._conversation = opening.conversation
        self._begins_at = opening.begins_at
        self.transcript = Transcript(opening.turns, opening.earlier.typed, spoken_unanswered(opening))
        self._earlier = opening.earlier.spoken
        self.recap = opening.recap
        self.acknowledged_number = opening.next_number
        self.settled_turn = last_settled_turn(opening)
        self.covered_turn = opening.covered_turn
        self._backlog = backlog
        self._sender = sender
        self._writer = writer
        self._teller = teller
        self._connection = connection
        self._feed = feed
        self._on_answered = on_answered
        self._on_doubt = on_doubt
        self._watch = watch
        self._is_read_only = False
        self._turns = TurnMachine(self._sent)
        self._facts: deque[TurnFact] = deque()
        self._is_deciding = False
        self._timed_facts: Mapping[TimedFact, Callable[[], TurnFact]] = {
            WatchFired: self._look,
            PlayedOut: PlayedOut,
            WordsWaited: WordsWaited,
        }
        self._timers: Timers[TimedFact] = Timers(self._on_timer)
        self._ear = OwnEar()
        self._said = self._said_until = 0
        self._echo = EchoDelay()
        self._unanswered = typed_unanswered(opening)
        self._ended_turn: int | None = None
        self._tail_ended = asyncio.Event()
        self._played = Played()
        self._usage = TurnUsage()
        self._connection_number = self._numbers_given = 0
        self._model = self._made_with = ""
        self._consumed_index: int | None = None
        self._told_index: int | None = None
        self._index_before: int | None = None
        self._connected_at_ms = 0
        self._context_given_at_ms: int | None = None
        self._context_index = 0
        self._question: TypedMessage | None = None
        self._is_answer_begun = self._is_answer_broken = False
        self._takes_past = self._is_settled_in = False
        self._past: PastTurns | None = None
        self._notes = NotesTold()
        self._last_message_ms = self._last_progress_ms = 0

    @property
    def next_number(self) -> int:
        """The first audio number that was not taken in."""
        return self._backlog.next_number

    @property
    def turn_state(self) -> TurnState:
        return self._turns.state

    @property
    def is_replying(self) -> bool:
        """Whether a reply is being given, or still played."""
        return self._turns.is_replying

    # -- input -------------------------------------------------------------------------------------------------------

    def take_audio(self, number: int, pcm: bytes) -> None:
        """Take in one frame of the microphone: PCM16 mono 16 kHz."""
        frame = self._backlog.add_audio(number, pcm)
        if frame is None:
            return
        self._turns.voice_taken()
        self._sender.pass_on(frame)
        was_voiced = self._ear.is_voiced
        utterance = self._ear.hear(pcm, _now_ms())
        if utterance is not None:
            self._utterance_ended(utterance)
        elif self._ear.is_voiced and not was_voiced:
            self._echo.speech_began()
            self.transcript.voice_resumed()
            self._tell(VoiceNoticed())

    def take_text(self, id: str, text: str, recordings: tuple[str, ...] = (), replaces: int | None = None) -> None:
        """Take in a typed turn; one that was taken in before is not delivered twice. `recordings`: of a question.
        `replaces`: the turn in whose place it stands, if that can still be withdrawn; else it is one more question."""
        known = self.transcript.find_typed(id)
        if known is None:
            self.tell_turns(self._take_down(id, text, recordings, replaces))
        elif self._backlog.holds_typed(id):
            return
        elif known <= self.settled_turn and id not in self._unanswered:
            self._writer.after(partial(self._acknowledge, frozenset({id})))
            return
        self._unanswered -= {id}
        self._backlog.add_typed(id, text, recordings, self._note_on_typed(id))
        if not recordings:
            self._echo.forget()
            self._usage.typed(text)
        self._sender.wake()

    def _take_down(self, id: str, text: str, recordings: tuple[str, ...], replaces: int | None) -> tuple[Turn, ...]:
        if replaces is not None and self._can_be_replaced(replaces):
            return self.transcript.replace_last(id, text, _unix_ms(), recordings)
        return (self.transcript.add_typed(id, text, _unix_ms(), recordings),)

    def _can_be_replaced(self, number: int) -> bool:
        """Whether it is the last question, of this conversation itself, and its exchange is over. A reply that is being
        given is stopped for that; one that has not begun may come at any moment, and would seem to answer the new one.
        """
        last = self.transcript.last_question
        if last is None or last.number != number or number < self._begins_at:
            return False
        if self.is_replying:
            self.stop_reply()
        comes_again = last.id in self._unanswered or self._backlog.holds_typed(last.id)
        return number <= self.settled_turn and not comes_again

    def _note_on_typed(self, id: str) -> str:
        number = self.transcript.find_typed(id)
        turn = None if number is None else self.transcript.find(number)
        return "" if turn is None else self._note_on(turn)

    def _note_on(self, turn: Turn) -> str:
        """What the model is told before a question that stands in the place of another."""
        replaced = None if turn.replaces is None else self.transcript.find(turn.replaces)
        return "" if replaced is None else note_on(turn.text, replaced.text)

    def question(self, message: TypedMessage, instruction: str) -> Question:
        """What is to be asked now of a typed message about recordings. `instruction`: of the assistant."""
        return Question(message.id, message.text, self._conversation, message.recordings, self.context(), instruction)

    def mute(self) -> None:
        """The microphone was muted: the provider is told after everything said before."""
        self._backlog.add_audio_end()
        self._sender.wake()
        utterance = self._ear.mute()
        if utterance is not None:
            self._utterance_ended(utterance)

    def _utterance_ended(self, utterance: Utterance) -> None:
        self._said_until = self._backlog.end
        self._said = self._said or self._said_until
        if utterance.is_speech:
            self.transcript.voice_paused(_unix_ms())
            self._backlog.keep_speech(len(utterance.frames))
            if self._backlog.is_drained:
                self._echo.speech_ended(_now_ms())
        self._tell(SpeechEnded(utterance.is_speech))

    @property
    def is_read_only(self) -> bool:
        """Whether replies are not heard."""
        return self._is_read_only

    def set_sound(self, on: bool) -> None:
        """Whether replies are heard. One that is only read is whole as soon as all of its words are there."""
        self._is_read_only = not on
        if self._turns.state is TurnState.SPEAKING:
            self._end_reading()

    def note_heard(self, number: int, ms: int) -> None:
        """The page has played audio `number` up to `ms`, and says so for the last time when it stops playing."""
        turn = self._played.heard(number, ms)
        if turn is not None and self._played.is_just_interrupted(turn, _now_ms()):
            self.tell_turns(self._as_far_as_heard(turn))

    def _as_far_as_heard(self, number: int) -> tuple[Turn, ...]:
        """An interrupted reply with what was heard of it, if that is another thing than before."""
        turn = self.transcript.find(number)
        if turn is None or self._is_read_only:
            return ()
        return self.transcript.heard_until(number, self._played.heard_characters(number, turn.text))

    def stop_reply(self) -> None:
        """The user has heard enough: playback stops, and what is still produced of this reply is not played."""
        self._tell(StopAsked())

    def delivered(self, *, typed: bool) -> None:
        """The connection has been sent all there is. `typed`: a typed message was among it."""
        self._tell(Delivered(typed))

    @property
    def awaits_words(self) -> bool:
        """Whether the user has said something just now that the provider has not answered."""
        return self._turns.state is TurnState.WAITING or self._ear.is_voiced

    async def hear_tail(self) -> None:
        """Say that the user is done, and wait for the words of what they said last, for a moment."""
        connection, self._tail_ended = self._connection(), asyncio.Event()
        if connection is None:
            return
        with contextlib.suppress(UpstreamFailed, TimeoutError):
            async with asyncio.timeout(TAIL_LIMIT_S):
                await connection.send_audio_end()
                await self._tail_ended.wait()

    # -- the past ----------------------------------------------------------------------------------------------------

    def context(self) -> Context:
        """What a session without memory is given: the last recap, and the turns since that are settled."""
        turns = (*self._earlier, *self.transcript.turns)
        return context_of(tuple(filter(self._is_settled, turns)), self.recap)

    def turns_after_handle(self) -> tuple[Turn, ...]:
        return tuple(
            as_told(turn, self._note_on(turn)) for turn in self.context().turns if turn.number > self.covered_turn
        )

    def _is_settled(self, turn: Turn) -> bool:
        """Whether the exchange is over; what is not comes again from the backlog."""
        comes_again = turn.id in self._unanswered or self._backlog.holds_typed(turn.id)
        return turn.number <= self.settled_turn and not comes_again

    # -- connections -------------------------------------------------------------------------------------------------

    def connected(
        self, model: str, made_with: str, notes: tuple[RecordingNotes, ...], *, resumed: bool, caught_up: bool
    ) -> None:
        """There is a new connection to `model`, of a session that was made with that, see `Assistant`. `notes`: of
        recordings, that a fresh session was begun with. `caught_up`: it is given the turns that its handle does not
        cover."""
        resent = self._backlog.rewind(resumed=resumed)
        self._watch.tell(FramesResent(resent, ResentReason.SWAP))
        if model != self._model:
            self._echo = EchoDelay()
        self._question, self._past, self._is_settled_in = None, None, False
        self._notes.connected(resumed=resumed, known=notes)
        self._model, self._made_with = model, made_with
        self._last_message_ms = self._last_progress_ms = self._connected_at_ms = _now_ms()
        self._connection_number = self._next_connection_number()
        self._ended_turn = None
        self._index_before = self._index_before if self._told_index is None else self._told_index
        self._told_index = self._consumed_index = None
        self._tell(LineBack())
        if not resumed:
            self.covered_turn = -1
            self._usage.began_afresh()
        elif not caught_up:
            self._usage.resumed()

    def context_given(self, given: bool, *, takes_past: bool) -> None:
        """The new connection was given the past just now, or not. `takes_past`: it can be told more of that later."""
        connection = self._connection()
        self._takes_past = takes_past
        self._context_given_at_ms = _now_ms() if given else None
        self._context_index = connection.messages_sent if given and connection is not None else 0

    def settled_in(self) -> None:
        """The new connection is set up, and can be told more."""
        self._is_settled_in = True
        self._tell_notes_if_safe()

    def hold(self) -> None:
        """Nothing reaches the provider until there is another connection, which may hear the same speech again."""
        self._sender.stop()
        self._echo.forget()
        self._tell(LineLost())
        self.transcript.expect_again()

    def keep_handle(self, wish: KeepHandle, *, is_current: bool) -> None:
        """Store the handle, and acknowledge what it covers once that is done. `is_current`: it knows all turns."""
        if self._consumed_index is None:
            self._backlog.cover_audio(self._backlog.mark_at(self._settled_moment_ms()))
        else:
            self._backlog.cover_exactly(self._backlog.mark_of(self._consumed_index))
        number = self._backlog.acknowledged_number
        if is_current:
            self.covered_turn = self.settled_turn
            self._notes.covered()
        if wish.covers_reply and self.transcript.reply_number is not None:
            self.covered_turn = self.transcript.reply_number
        done = partial(self._acknowledge, frozenset[str](), number)
        self._writer.save_handle(wish.handle, self._model, self._made_with, number, self.covered_turn, done)

    # -- what the provider says --------------------------------------------------------------------------------------

    def hear(self, message: UpstreamMessage) -> None:
        """Take in a message of the present connection."""
        self._last_message_ms = _now_ms()
        if not isinstance(message, HandleUpdate):
            self._last_progress_ms = self._last_message_ms
        listener = self._listeners.get(type(message))
        if listener is not None:
            listener(self, message)

    def _on_reply_audio(self, message: ReplyAudio) -> None:
        self._tell(SoundCame(message.pcm, len(message.pcm) / BYTES_PER_MS))

    def _on_asking(self, message: Asking) -> None:
        """Whoever asks knows what it has taken in, and how long its answer takes says nothing of that."""
        self._echo.forget()
        self._tell(Asked())

    def _on_reply_started(self, message: ReplyStarted) -> None:
        if message.question:
            self._question = self._backlog.typed(message.question)
            self._is_answer_begun = self._is_answer_broken = False
        self._tell(ReplyAnnounced())

    def _on_reply_broken(self, message: ReplyBroken) -> None:
        """The answer of a question broke off with its request: for whoever follows the turns, with its connection."""
        self._is_answer_broken = True
        self._tell(LineLost())
        self._tell(LineBack())

    def _on_question_moved(self, message: QuestionMoved) -> None:
        self._teller.question(message)

    def _on_question_failed(self, message: QuestionFailed) -> None:
        question = self._backlog.typed(message.id)
        if question is None:
            return
        self._writer.record("question_failed", {"code": message.code, "reason": message.reason or message.text})
        text = message.text or explanation_of(message.code, message.reason)
        line = self.transcript.add_system(text, _unix_ms(), message.code, question.recordings)
        self.tell_turns((line,))
        for usage in message.usages:
            self._save_usage(line.number, usage, usage.model, self._next_connection_number())
        if self._is_answer_broken:
            self._is_answer_broken = False
            self._question = question
            self._tell(TurnEnded())  # nobody waits for the rest of it
            self._question = None
        self.settled_turn = self.transcript.settled_number
        self._backlog.answered(0, frozenset({question.id}))
        self._writer.after(partial(self._acknowledge, frozenset({question.id})))

    def _on_reply_words(self, message: ReplyWords) -> None:
        self._tell(WordsCame(message.text))

    def _on_user_words(self, message: UserWords) -> None:
        self._echo.echoed(_now_ms())
        self._tell(UserWordsCame(message.text, self.transcript.goes_on(message.text)))

    def _on_voice_began(self, message: VoiceBegan) -> None:
        self.transcript.voice_began()
        self._tell(VoiceNoticed())

    def _on_generation_complete(self, message: GenerationComplete) -> None:
        self._tell(GenerationEnded())

    def _on_interrupted(self, message: Interrupted) -> None:
        self._tell(BrokenOff())

    def _on_turn_complete(self, message: TurnComplete) -> None:
        if message.is_filler:
            return
        if message.reason:
            self._writer.record("turn_refused", {"reason": message.reason})
        self._tell(TurnEnded(message.reason))

    def _on_usage_reported(self, message: UsageReported) -> None:
        self._usage.reported(message)

    def _on_voice_missing(self, message: VoiceMissing) -> None:
        self._writer.record("voice_missing", {"reason": message.reason})
        self.tell_system(explanation_of(TurnCode.NO_VOICE), TurnCode.NO_VOICE)

    def _on_handle_update(self, message: HandleUpdate) -> None:
        if message.handle is None:
            self._feed(HandleWithdrawn())
            return
        self._consumed_index = self._believed(message.consumed_index)
        self._feed(HandleOffered(message.handle, self._covers_context(self._consumed_index)))

    def _believed(self, index: int | None) -> int | None:
        """Not the number that the connection before told last, where this one has told no other: it may be that one's
        still, and then be too large for what this one has consumed, and yet not for what it was sent. It may also be so
        by chance: the first time it stands for nothing. At first one that is left out is 0, which JSON leaves out."""
        may_be_zero = not self._told_index and _now_ms() - self._connected_at_ms < NOTHING_CONSUMED_MS
        if index is None and may_be_zero and self._is_counted():
            index = 0
        told_before = self._told_index
        self._told_index = told_before if index is None else index
        if index and index == self._index_before and told_before in (None, index):
            return None if told_before else 0
        return index

    def _is_counted(self) -> bool:
        """Whether the provider says what it has consumed."""
        connection = self._connection()
        return connection is not None and connection.counts_messages

    def _covers_context(self, consumed_index: int | None) -> bool:
        """Whether the past that this connection was given has been taken in."""
        given_at_ms, index = self._context_given_at_ms, self._context_index
        if self._past is not None:
            if self._past.sent_at_ms is None:
                return False
            given_at_ms, index = self._past.sent_at_ms, self._past.sent_index
        if consumed_index is not None:
            return consumed_index >= index
        return given_at_ms is None or given_at_ms <= self._settled_moment_ms()

    def _sent(self) -> Sent:
        if self._question is not None:
            # The answer is to the question alone; what is typed into it is owed one of its own.
            typed = self._backlog.typed_sent() if self._is_answer_begun else frozenset()
            asked = Answered(typed_ids=frozenset({self._question.id}) | typed)
            return Sent(certain=asked, everything=asked)
        settled_ms, most = self._settled_moment_ms(), self._mark_of_what_is_answered()
        return Sent(
            certain=Answered(min(self._backlog.mark_at(settled_ms), most), self._backlog.typed_sent(settled_ms)),
            everything=Answered(min(self._backlog.mark_at(), most), self._backlog.typed_sent()),
            proven_at_ms=2 * _now_ms() - settled_ms,
            said=self._said,
            said_until=self._said_until,
        )

    def _mark_of_what_is_answered(self) -> int:
        """How much of the audio a reply that begins now can answer. A provider that counts has consumed what it says,
        and what was said to it; of the quiet after that it tells with its next handle, better than any clock."""
        if not self._is_counted():
            return self._backlog.end
        return max(self._backlog.mark_of(self._consumed_index or 0), self._said)

    def _settled_moment_ms(self) -> int:
        """What had been sent by then has certainly been consumed by what the provider says now."""
        connection = self._connection()
        return _now_ms() - (0 if connection is None else max(math.ceil(connection.unread_ms), self._echo.longest_ms))

    def _on_timer(self, fact: TimedFact) -> None:
        if fact is WatchFired and self._turns.is_owed_an_answer:
            self._on_doubt()
        self._tell(self._timed_facts[fact]())

    def _look(self) -> WatchFired:
        connection = self._connection()
        lifeless_ms = _now_ms() - self._last_message_ms
        if connection is not None:
            lifeless_ms = min(lifeless_ms, int(connection.lifeless_ms))
        idle_ms = _now_ms() - self._last_progress_ms
        return WatchFired(lifeless_ms, idle_ms, self._ear.is_voiced, self._ear.is_user_away(_now_ms()))

    # -- steps of the machine of turns -------------------------------------------------------------------------------

    def _tell(self, fact: TurnFact) -> None:
        """Give the machine of turns a fact and carry out its steps; facts that come up meanwhile wait their turn."""
        self._facts.append(fact)
        if self._is_deciding:
            return
        self._is_deciding = True
        try:
            while self._facts:
                for step in self._turns.handle(self._facts.popleft(), _now_ms()):
                    self._step_handlers[type(step)](self, step)
        finally:
            self._is_deciding = False
        self._tell_notes_if_safe()

    def _begin_reply(self, step: BeginReply) -> None:
        """Speech that ended before a reply began has been answered by it, however late our own ear is."""
        self._ended_turn = None
        if self._question is not None:
            self._is_answer_begun = True
            self.tell_turns(self.transcript.reply_began(voice_possible=False, about=self._question.recordings))
        else:
            self._echo.echoed(_now_ms())
            self._tail_ended.set()
            self._ear.forget()
            self.tell_turns(self.transcript.reply_began(step.answers_voice))
        if self.transcript.reply_number is not None:
            self._played.began(self.transcript.reply_number)
        self._feed(ReplyBegan())

    def _play(self, step: Play) -> None:
        self.transcript.sounded(_unix_ms())
        self._played.sent(self._teller.downlink.next_number, len(step.pcm) // BYTES_PER_MS)
        self._teller.downlink.play(step.pcm, _now_ms())

    def _say(self, step: Say) -> None:
        said = self.transcript.said_late if step.late else self.transcript.said
        grown = {turn.number: turn for turn in said(step.text, _unix_ms())}
        for number in tuple(grown):
            if self._played.is_just_interrupted(number, _now_ms()):
                # Its sound was cut where it was; with more words to spread over it, other ones stand there.
                grown |= {turn.number: turn for turn in self._as_far_as_heard(number)}
        self.tell_turns(tuple(grown.values()))

    def _hear(self, step: Hear) -> None:
        heard = self.transcript.heard_late if step.late else self.transcript.heard
        self.tell_turns(heard(step.text, _unix_ms()))

    def _mark_produced(self, step: MarkProduced) -> None:
        if self.transcript.reply_number is not None:
            self._teller.generation_complete(self.transcript.reply_number)
        self._end_reading()
        if self._question is None:  # no handle of the line covers what was answered beside it
            self._feed(ReplyProduced())

    def _end_reading(self) -> None:
        if self._is_read_only:
            self.tell_turns(self.transcript.reply_is_whole())

    def _stop_playback(self, step: StopPlayback) -> None:
        self._teller.downlink.flush()

    def _explain(self, step: Explain) -> None:
        self.tell_system(explanation_of(step.code, step.reason), step.code)

    def _suspect(self, step: Suspect) -> None:
        self._feed(ProviderSilent(step.reason, step.costs_handle))

    def _say_again(self, step: SayAgain) -> None:
        """With a second of silence after it, by which the provider notices that it is over. It is not framed by
        `activityStart` and `activityEnd`, which may only be sent where automatic detection is disabled (reference of
        `BidiGenerateContentRealtimeInput`, read 2026-11), and ours is on."""
        spoken = self._ear.last_speech
        if not spoken:
            return
        self._turns.voice_taken()
        self._echo.forget()
        self._watch.said_again()
        self._watch.tell(FramesResent(len(spoken), ResentReason.NOT_HEARD))
        self._backlog.repeat_audio((*spoken, *SILENCE), is_muted=self._ear.is_muted)
        self._sender.wake()

    def _start_watch(self, step: StartWatch) -> None:
        self._timers.start(WatchFired, step.ms)

    def _stop_watch(self, step: StopWatch) -> None:
        self._timers.stop(WatchFired)

    def _start_playback_timer(self, step: StartPlaybackTimer) -> None:
        self._timers.start(PlayedOut, step.ms)

    def _stop_playback_timer(self, step: StopPlaybackTimer) -> None:
        self._timers.stop(PlayedOut)

    def _start_words_timer(self, step: StartWordsTimer) -> None:
        self._timers.start(WordsWaited, step.ms)

    def _end_exchange(self, step: EndExchange) -> None:
        self._tail_ended.set()
        has_words = self.transcript.reply_number is not None or self.transcript.last_of_user is not None
        self._ended_turn = self._turn_that_ends(step)
        ended = self.transcript.reply_ended(TurnStatus.COMPLETE if step.is_whole else TurnStatus.INTERRUPTED)
        if self._ended_turn is not None and not step.is_whole:
            self._played.interrupted(self._ended_turn, _now_ms())
            ended = (*ended, *self._as_far_as_heard(self._ended_turn))
        self.tell_turns(tuple({turn.number: turn for turn in ended}.values()))
        self.settled_turn = self.transcript.settled_number
        question, self._question = self._question, None
        if question is None:
            self._said = self._said_until = self._said_until if self._said_until > step.answered.mark else 0
        ids = step.answered.typed_ids
        self._backlog.answered(step.answered.mark, ids)
        self._writer.after(partial(self._acknowledge, ids, self._backlog.acknowledged_number))
        self._feed(ReplyEnded(has_words))
        if question is not None:
            self._tell_past_of(question)
        self._writer.load_recap(self._take_recap)
        self._on_answered()

    def _turn_that_ends(self, step: EndExchange) -> int | None:
        """The number of the reply, or of the user's words that get none."""
        if self.transcript.reply_number is not None:
            return self.transcript.reply_number
        # What our own ear has not ended yet is answered as well, as where a reply begins.
        self._ear.forget()
        return self.transcript.words_may_follow() if step.words_may_follow else self.transcript.last_of_user

    def _tell_past_of(self, question: TypedMessage) -> None:
        """The line is told at once what was asked and answered beside it: who speaks into the answer means that."""
        asked, answer = self.transcript.find_typed(question.id), self._ended_turn
        found = (self.transcript.find(number) for number in (asked, answer) if number is not None)
        self._tell_past(tuple(as_told(turn.as_heard, self._note_on(turn)) for turn in found if turn is not None))

    def _tell_past(self, turns: tuple[Turn, ...]) -> None:
        """A model that cannot be told in the middle is given another session, which begins with the past."""
        if self._connection() is None or not turns:
            return
        if self._takes_past:
            self._past = self._backlog.tell_past(turns)
            self._sender.wake()
        else:
            self._feed(SettingsChanged(keeps_handle=False, is_news=True))

    def look_at_recordings(self) -> None:
        """Something of the conversation's recordings has changed."""
        self._writer.load_recap(self._take_recap)

    def _context_notes(self) -> tuple[RecordingNotes, ...]:
        return () if self.recap is None else self.recap.recordings

    def _tell_notes_if_safe(self) -> None:
        """Tell the line what it does not know of the recordings, where nobody speaks and nothing is owed."""
        news = self._notes.news(self._context_notes())
        is_quiet = self._turns.state is TurnState.LISTENING and not self._ear.is_voiced
        if news and is_quiet and self._is_settled_in and self._connection() is not None:
            self._notes.told(news)
            note = Turn(0, Role.USER, f"[{told_of_recordings(news)}]", TurnStatus.COMPLETE, 0)
            self._tell_past((note, Turn(0, Role.MODEL, NOTED, TurnStatus.COMPLETE, 0)))

    def _break_off(self, step: BreakOff) -> None:
        self._ended_turn = self._question = None
        self.tell_turns(self.transcript.connection_lost())

    def _close_turn(self, step: CloseTurn) -> None:
        number, self._ended_turn = self._ended_turn, None
        usage = self._usage.take()
        if number is not None:
            self._teller.turn_complete(number, usage)
        for other in self._usage.take_others():
            self._save_usage(number, other, other.model, self._next_connection_number())
        if usage is not None:
            self._watch.tell(
                TurnCounted(usage.prompt_tokens or 0, (usage.response_tokens or 0) + (usage.thoughts_tokens or 0))
            )
            self._save_usage(number, usage, self._model, self._connection_number)
            if self._usage.is_memory_lost(usage):
                self._feed(MemoryLost())

    def _save_usage(self, number: int | None, usage: UsageReported, model: str, connection: int) -> None:
        """By the reply's turn; words that got none have a turn of their own, and noise is not worth another's place."""
        turn = self.transcript.last_of_user if number is None else number
        if turn is not None:
            self._writer.save_usage(connection, turn, model, usage)

    def _next_connection_number(self) -> int:
        """Reports of one number are read together, for some providers add up over a connection: what another model
        than the connection's took for a turn has a number of its own."""
        self._numbers_given += 1
        return self._numbers_given

    def _take_recap(self, recap: Recap | None) -> None:
        self.recap = recap
        self._tell_notes_if_safe()

    # -- telling and storing -----------------------------------------------------------------------------------------

    def tell_turns(self, turns: tuple[Turn, ...]) -> None:
        """Store turns as they are now, and show them."""
        for turn in turns:
            self._writer.save_turn(turn)
            self._teller.turn(turn)

    def tell_system(self, text: str, code: str = "", until_ms: int | None = None) -> None:
        """A line of our own in the transcript. `until_ms`: Unix time of the moment that it names."""
        self.tell_turns((self.transcript.add_system(text, _unix_ms(), code, until_ms=until_ms),))

    def miss_audio(self, ms: int) -> None:
        """So much of the microphone was refused, and not sent again."""
        self._tell_loss(Loss(ms), "limit")

    def tell_loss(self, reason: str) -> None:
        """What could not be saved since the last time, if anything."""
        self._tell_loss(self._backlog.take_loss(), reason)

    def drop_audio(self) -> None:
        """The provider refuses what was said aloud and is not safe: neither is it sent nor said again."""
        self._backlog.drop_audio()
        self._ear.last_speech = ()
        self.tell_loss("refused")

    def _tell_loss(self, loss: Loss, reason: str) -> None:
        if loss:
            self._watch.tell(InputLost(loss.ms, len(loss.ids), reason))
            self._writer.record("lost", {"ms": loss.ms, "messages": len(loss.ids), "reason": reason})
            self._teller.lost(loss, reason)

    def interrupt_for_good(self, *, discard_unheard: bool) -> None:
        """The session ends here: store what stood open as interrupted."""
        self._timers.stop_all()
        if discard_unheard:
            self._teller.downlink.discard()
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
        Play: _play,
        Say: _say,
        Hear: _hear,
        Explain: _explain,
        Suspect: _suspect,
        SayAgain: _say_again,
        StartWatch: _start_watch,
        StopWatch: _stop_watch,
        StartPlaybackTimer: _start_playback_timer,
        StopPlaybackTimer: _stop_playback_timer,
        StartWordsTimer: _start_words_timer,
        MarkProduced: _mark_produced,
        StopPlayback: _stop_playback,
        EndExchange: _end_exchange,
        BreakOff: _break_off,
        CloseTurn: _close_turn,
    }

    _listeners: ClassVar[Mapping[type[UpstreamMessage], Callable[..., None]]] = {
        ReplyAudio: _on_reply_audio,
        Asking: _on_asking,
        ReplyStarted: _on_reply_started,
        ReplyBroken: _on_reply_broken,
        QuestionMoved: _on_question_moved,
        QuestionFailed: _on_question_failed,
        VoiceMissing: _on_voice_missing,
        ReplyWords: _on_reply_words,
        UserWords: _on_user_words,
        VoiceBegan: _on_voice_began,
        GenerationComplete: _on_generation_complete,
        Interrupted: _on_interrupted,
        TurnComplete: _on_turn_complete,
        UsageReported: _on_usage_reported,
        HandleUpdate: _on_handle_update,
    }


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


def _unix_ms() -> int:
    return int(time.time() * 1000)
