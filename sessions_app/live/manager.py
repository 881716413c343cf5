"""The driver of one live session: feeds the state machine with facts, and does what it wishes. It decides nothing.

One manager lives as long as a page life needs its live session in this process; connections, pages and models come and
go below it. Everything runs on one event loop, and nothing here waits for the page or the database.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import random as system_random
from typing import ClassVar

from energy.levels import Level, Mode, Seeding, profile_of
from sessions_app.live.backlog import Backlog
from sessions_app.live.context import Context, Recap, context_of, instruction_with, select_turns
from sessions_app.live.downlink import BYTES_PER_MS as OUTPUT_BYTES_PER_MS
from sessions_app.live.downlink import Downlink
from sessions_app.live.energy import Energy, LevelNews
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.events import (
    Action,
    AnswerOverdue,
    BacklogReplayed,
    CloseFinished,
    CloseUpstream,
    CompleteReply,
    Connect,
    ConnectionLost,
    CutReply,
    DropAudio,
    Fact,
    Finish,
    ForgetHandle,
    GoAwayReceived,
    HandleOffered,
    HandleWithdrawn,
    HangUpRequested,
    HoldInput,
    KeepHandle,
    LeaveOut,
    LeaveUpstream,
    LowerLevel,
    MemoryLost,
    Opened,
    OwnerLeaving,
    PageBack,
    PageGone,
    Record,
    Replay,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    RestoreLevel,
    RetryRequested,
    SendBlocked,
    SetupCompleted,
    StartTimer,
    State,
    StopTimer,
    TellGoAway,
    TellReady,
    TellState,
    Timer,
    TimerFired,
    Toast,
    UserTurnEnded,
    Wish,
)
from sessions_app.live.machine.failures import INITIAL_HISTORY_FIELD, Failure, Phase
from sessions_app.live.machine.states import Features, SessionMachine, UnexpectedFact
from sessions_app.live.machine.turns import TurnState
from sessions_app.live.memory import MemoryProof, typed_tokens
from sessions_app.live.page import Assistant, Opening, Page, Ready, Store
from sessions_app.live.providers.upstream import (
    Connection,
    GenerationComplete,
    GoAway,
    HandleUpdate,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    Setup,
    TurnComplete,
    Unrecognised,
    Upstream,
    UpstreamFailed,
    UpstreamMessage,
    UsageReported,
    UserWords,
    VoiceBegan,
)
from sessions_app.live.sender import BacklogSender
from sessions_app.live.timers import Timers
from sessions_app.live.transcript import Role, Transcript, Turn, TurnStatus
from sessions_app.live.voice import VoiceGate
from sessions_app.live.writer import StoreWriter

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_MS = 5_000
"""The provider answers a close frame after 1.4 to 3 s."""

OPENED_ELSEWHERE = 4409

LEVEL_TOASTS = ("energy.lower", "energy.restored", "exhausted")


class BaseSessionManager:
    """Manages one live session of one page life.

    Args:
        upstream: the provider to dial.
        store: where everything is kept as it happens.
        energy: which model to use.
        assistant: how the model is to behave.
        opening: what the session starts from.
        downlink: of the session that the page had before, whose numbers go on; what it has not heard is played to it.
        overlaps: a planned swap dials before it closes.
        random: gives a number in [0, 1), for the backoff.
    """

    mode: ClassVar[Mode]
    storage_key: ClassVar[str]

    def __init__(
        self,
        *,
        upstream: Upstream,
        store: Store,
        energy: Energy,
        assistant: Assistant,
        opening: Opening,
        downlink: Downlink | None = None,
        overlaps: bool = False,
        random: Callable[[], float] = system_random,
    ) -> None:
        self.opening = opening
        self.finished = asyncio.Event()
        self.last_message_timestamp: float | None = None
        self._upstream = upstream
        self._levels = LevelKeeper(self.mode, energy, self._on_level_news, self._feed)
        self._failure = Failure(0, "", Phase.LIVE)
        self._assistant = assistant
        self._writer = StoreWriter(store)
        self._overlaps = overlaps
        self._machine = SessionMachine(self._features_of(self._levels.level), random)
        self._facts: deque[Fact] = deque()
        self._is_deciding = False
        self._timers = Timers(self._on_timer)
        self._transcript = Transcript(opening.turns)
        self._backlog = Backlog(opening.next_number)
        self._sender = BacklogSender(self._backlog, _now_ms, self._on_drained, lambda: self._feed(SendBlocked()))
        self._gate = VoiceGate()
        self._memory = MemoryProof()
        self._recap = opening.recap
        self._connections = 0
        self._is_in_line = False
        self._input_tokens = 0
        self._last_message_ms = 0
        self._consumed_index: int | None = None
        self._is_heard = False
        self.downlink = downlink or Downlink()
        self._page: Page | None = None
        self._told_state = TellState(State.CONNECTING)
        self._owes_ready = False
        self._attached_before = False
        self._connection: Connection | None = None
        self._connection_task: asyncio.Task[None] | None = None
        self._replaced: Connection | None = None
        self._closing_tasks: set[asyncio.Task[None]] = set()
        self._left_out: set[str] = set()
        self._context_given_at_ms: int | None = None
        self._dialled_model = ""
        self._covered_turn = opening.covered_turn
        self._settled_turn = _last_settled_turn(opening)
        self._unanswered = _typed_unanswered(opening)
        self._reply = _Reply()
        self._usage: UsageReported | None = None
        self._acknowledged = (opening.next_number, frozenset[str]())

    # -- for the edge ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._machine.state

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def current_handle(self) -> str | None:
        return self._machine.handle

    @property
    def next_number(self) -> int:
        """The first audio number not taken in yet."""
        return self._backlog.next_number

    @property
    def takes_up_page_life(self) -> bool:
        """Whether the page was here before, and so may have something to send again."""
        return self._attached_before or self.opening.same_page

    def get_resumption_storage_key(self) -> str:
        """The slot that handles of this mode are kept in."""
        return self.storage_key

    def wait_in_line(self, place: int) -> None:
        """There is no room for this session yet: tell the page its place, 1 for the next. What is said is kept."""
        told = TellState(State.CONNECTING, reason="queued", place=place)
        if self._machine.state is State.IDLE and told != self._told_state:
            self._is_in_line = True
            self._levels.ask_again_before_dialling()
            self._told_state = told
            if self._page is not None:
                self._page.tell_state(told)

    def init_session(self) -> None:
        """Open the live session: by the handle of this page life if it is any good, else anew with what is known."""
        opening = self.opening
        handle = opening.handle if opening.handle_model == self.get_current_model() else None
        behind = opening.covered_turn < self._settled_turn
        has_context = bool(select_turns(opening.turns))
        self._feed(Opened(handle, behind, has_context, self._levels.no_model))

    def attach(self, page: Page, last_heard: int = -1) -> None:
        """A page, or a page that came back, takes its place; another one in that place is closed."""
        self._attached_before = self._is_in_line or self._machine.state is not State.IDLE
        previous, self._page = self._page, page
        if previous is not None and previous is not page:
            previous.close(OPENED_ELSEWHERE)
        self.downlink.attach(page, last_heard, _now_ms())
        if self._machine.state is State.IDLE:
            if self._is_in_line:
                page.tell_state(self._told_state)
                self._feed(PageBack())
            return
        self._owes_ready = True
        if self._machine.state is State.LIVE:
            self._tell_ready(Action.ATTACHED)
        page.tell_state(self._told_state)
        if self._machine.state is State.EXHAUSTED:
            self._tell_that_there_is_nothing(page)
        self._feed(PageBack())

    def detach(self, page: Page) -> None:
        """The page's socket closed. Nothing happens when another page has taken its place."""
        if page is self._page:
            self._page = None
            self.downlink.detach()
            self._feed(PageGone())

    def hear_of_page(self) -> None:
        """The page said something, whatever it was: what it was sent some time before has arrived there."""
        self.downlink.heard_of_page(_now_ms())

    def take_audio(self, number: int, pcm: bytes) -> None:
        """Take in one frame of the microphone: PCM16 mono 16 kHz."""
        self.hear_of_page()
        frame = self._backlog.add_audio(number, pcm)
        if frame is None:
            return
        self._reply.may_answer_voice = True
        self._sender.pass_on(frame)
        if self._gate.hear(pcm):
            self._feed(UserTurnEnded(certain=False))

    def take_text(self, id: str, text: str) -> None:
        """Take in a typed turn; one that was taken in before is not delivered twice."""
        known = self._transcript.find_typed(id)
        if known is None:
            turn = self._transcript.add_typed(id, text, _unix_ms())
            self._tell_turns((turn,))
        elif self._backlog.holds_typed(id):
            return
        elif known.number <= self._settled_turn and id not in self._unanswered:
            self._writer.after(lambda: self._tell_ack(frozenset({id})))
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
        if self._machine.turn.state is TurnState.LISTENING:
            return
        self._reply.is_unwanted = self._machine.turn.state is TurnState.GENERATING
        self.downlink.flush()
        self._end_reply(TurnStatus.INTERRUPTED)

    def reconnect_session(self) -> None:
        """Try now, during a countdown or after everything was given up."""
        self._feed(RetryRequested())

    def hang_up(self) -> None:
        """The user ends the conversation."""
        self._feed(HangUpRequested())

    def release(self) -> Page | None:
        """Let go of the page, which is told nothing more, and give it back."""
        page, self._page = self._page, None
        self.downlink.detach()
        return page

    def leave(self, reason: str, *, conversation_over: bool = False) -> None:
        """Give the session up in this process; what it was is stored, and another may go on with it."""
        self._feed(OwnerLeaving(reason, conversation_over))

    async def stored(self) -> None:
        """Wait until everything so far is stored."""
        await self._writer.flush()

    def get_current_model(self) -> str:
        """The id of the model that is dialled; empty when the ladder is exhausted."""
        return self._levels.level.model

    def clear_resumption_handle(self, reason: str) -> None:
        """Drop the stored handle for good."""
        self._writer.forget_handle()
        logger.info("handle forgotten: %s", reason, extra=self._ids())

    def get_context_from_call_history(self) -> Context:
        """What a session without memory is given: the last recap, and the turns since that are settled."""
        return context_of(tuple(filter(self._is_settled, self._transcript.turns)), self._recap)

    def _is_settled(self, turn: Turn) -> bool:
        """Whether the exchange is over; what is not comes again from the backlog."""
        comes_again = turn.id in self._unanswered or self._backlog.holds_typed(turn.id)
        return turn.number <= self._settled_turn and not comes_again

    # -- levels ------------------------------------------------------------------------------------------------------

    async def handle_fallback(self, reason: str, quota: bool) -> None:
        """Step down the ladder, and go on with the next model or say that there is none."""
        await self._levels.fall_back(reason, quota, self._failure)

    def restore_level(self) -> None:
        """To the best model there is, because the user, the operator or the clock asks for it."""
        self._levels.restore()

    async def check_fair_use(self) -> None:
        """Between two turns: whether the user has had their share."""
        if self._machine.state is State.LIVE and self._machine.turn.state is TurnState.LISTENING:
            await self._levels.check_fair_use()

    def _on_level_news(self, news: LevelNews) -> None:
        change = news.change
        self._machine.features = self._features_of(change.level)
        if self._page is not None:
            self._page.tell_energy(change, self._levels.top_level)
        if news.notice and change.level.number < change.previous.number:
            self._tell_turns((self._transcript.add_system(news.notice, _unix_ms()),))

    def _features_of(self, level: Level) -> Features:
        profile = None if level.is_exhausted else profile_of(level.model)
        return Features(profile is not None and profile.history_anytime, self._overlaps)

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _feed(self, fact: Fact) -> None:
        """Give the machine a fact and do what it wishes; facts that come up meanwhile wait their turn."""
        self._facts.append(fact)
        if self._is_deciding:
            return
        self._is_deciding = True
        try:
            while self._facts:
                self._decide(self._facts.popleft())
        finally:
            self._is_deciding = False

    def _decide(self, fact: Fact) -> None:
        before = self._machine.state
        try:
            wishes = self._machine.handle_fact(fact, _now_ms())
        except UnexpectedFact:
            logger.exception("A fault of ours", extra=self._ids())
            return
        after = self._machine.state
        if after is not before:
            logger.info("%s to %s on %s", before, after, type(fact).__name__, extra=self._ids())
        for wish in wishes:
            self._deeds[type(wish)](self, wish)

    def _on_timer(self, timer: Timer) -> None:
        if timer is Timer.ANSWER:
            self._feed(AnswerOverdue(_now_ms() - self._last_message_ms, self._is_heard))
        else:
            self._feed(TimerFired(timer))

    def _on_drained(self, typed: bool) -> None:
        self._feed(BacklogReplayed())
        if typed:
            self._feed(UserTurnEnded(certain=True))

    # -- connecting --------------------------------------------------------------------------------------------------

    def _connect(self, wish: Connect) -> None:
        self._connection_task = asyncio.create_task(self._hold_connection(wish), name="live-connection")

    async def _hold_connection(self, wish: Connect) -> None:
        """Dial, and read until the connection ends. Cancelled when the machine wishes it closed."""
        try:
            connection = await self._dial(wish)
            if connection is None:
                return
            self._connection = connection
            await self._begin(connection, wish)
            async for message in connection.messages():
                if connection is not self._connection:
                    break  # given up on the last message: what came together with that one is answered again
                self._take_message(message)
        except UpstreamFailed as failed:
            self._lose_connection(failed.failure)
        except Exception:
            logger.exception("A fault of ours ended the connection", extra=self._ids())
            self._lose_connection(Failure(0, "a fault of ours", Phase.LIVE))

    async def _may_dial(self) -> bool:
        """Whether the model is not known to be spent; else another level takes over. A new session has just asked."""
        task, may_dial = self._connection_task, await self._levels.may_dial()
        if not may_dial and self._connection_task is task:
            self._connection_task = None
        return may_dial

    async def _dial(self, wish: Connect) -> Connection | None:
        """A new connection, or None when another level takes over.

        One that was kept until now is closed, whatever came of the dialling.
        """
        try:
            if not await self._may_dial():
                return None
            return await self._upstream.connect(self._setup_for(wish))
        finally:
            self._close_replaced()

    def _close_replaced(self) -> None:
        replaced, self._replaced = self._replaced, None
        if replaced is not None:
            self._close_in_background(replaced)

    def _lose_connection(self, failure: Failure) -> None:
        connection, self._connection = self._connection, None
        self._connection_task = None
        self._failure = failure
        if connection is not None:
            self._close_in_background(connection)
        self._feed(ConnectionLost(failure))

    async def _begin(self, connection: Connection, wish: Connect) -> None:
        """The connection is set up: bring the model up to date, and say so."""
        self._backlog.rewind(resumed=wish.handle is not None)
        self._last_message_ms = _now_ms()
        self._reply.forget_signals()
        if wish.handle is None:
            self._covered_turn = -1
            self._memory = MemoryProof()
        elif not wish.catch_up:
            self._memory.resumed()
        if wish.catch_up:
            await connection.send_past_turns(self._turns_after_handle())
        given = wish.catch_up or self._gives_history(wish)
        self._context_given_at_ms = _now_ms() if given else None
        self._connections += 1
        self._levels.succeeded(self._dialled_model)
        self._feed(SetupCompleted(replays_audio=self._backlog.has_unsent_audio))

    def _setup_for(self, wish: Connect) -> Setup:
        model = self._dialled_model = self.get_current_model()
        profile = profile_of(model)
        context = self.get_context_from_call_history() if wish.seed else Context()
        gives_history = self._gives_history(wish) and bool(context.turns)
        instruction = self._assistant.instruction
        if context:
            instruction = instruction_with(context, instruction, turns_in_history=gives_history)
        return Setup(
            model=model,
            instruction=instruction,
            voice=self._assistant.voice,
            handle=wish.handle,
            history=context.turns if gives_history else (),
            expects_history=gives_history,
            left_out=frozenset(self._left_out),
            typed_as_content=profile.typed_as_content,
            thinking_level=profile.thinking_level,
        )

    def _gives_history(self, wish: Connect) -> bool:
        takes_history = profile_of(self._dialled_model).seeding is Seeding.HISTORY
        return wish.seed and takes_history and INITIAL_HISTORY_FIELD not in self._left_out

    def _turns_after_handle(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.get_context_from_call_history().turns if turn.number > self._covered_turn)

    def _leave_upstream(self, wish: LeaveUpstream) -> None:
        _, connection = self._let_go()
        if connection is not None:
            self._close_in_background(connection)

    def _let_go(self) -> tuple[asyncio.Task[None] | None, Connection | None]:
        """Nothing that the connection still says is listened to."""
        task, self._connection_task = self._connection_task, None
        connection, self._connection = self._connection, None
        if task is not None:
            task.cancel()
        self._close_replaced()  # a dial that is cancelled before its first step would not
        return task, connection

    def _close_upstream(self, wish: CloseUpstream) -> None:
        task, connection = self._let_go()
        if wish.when_replaced:
            self._replaced = connection
            return
        closing = asyncio.create_task(self._close(task, connection), name="live-close")
        self._closing_tasks.add(closing)
        closing.add_done_callback(self._closing_tasks.discard)

    async def _close(self, task: asyncio.Task[None] | None, connection: Connection | None) -> None:
        if task is not None:
            await asyncio.wait({task})
        if connection is not None:
            await connection.close(CLOSE_TIMEOUT_MS)
        self._feed(CloseFinished())

    def _close_in_background(self, connection: Connection) -> None:
        """Tidy up a connection that has ended by itself."""
        closing = asyncio.create_task(connection.close(CLOSE_TIMEOUT_MS), name="live-tidy")
        self._closing_tasks.add(closing)
        closing.add_done_callback(self._closing_tasks.discard)

    # -- what the provider says --------------------------------------------------------------------------------------

    def _take_message(self, message: UpstreamMessage) -> None:
        self.last_message_timestamp = time.time()
        self._last_message_ms = _now_ms()
        self._listeners[type(message)](self, message)

    def _on_reply_audio(self, message: ReplyAudio) -> None:
        if self._reply.is_unwanted:
            return
        self._begin_reply()
        self._reply.note_audio(len(message.pcm), _now_ms())
        self.downlink.play(message.pcm, _now_ms())

    def _on_reply_words(self, message: ReplyWords) -> None:
        if self._reply.is_unwanted:
            return
        self._begin_reply()
        self._tell_turns(self._transcript.said(message.text, _unix_ms()))

    def _on_user_words(self, message: UserWords) -> None:
        self._is_heard = True
        self._tell_turns(self._transcript.heard(message.text, _unix_ms()))

    def _on_voice_began(self, message: VoiceBegan) -> None:
        self._is_heard = True
        self._transcript.voice_began()

    def _begin_reply(self) -> None:
        if self._machine.turn.state is not TurnState.LISTENING:
            return
        settled_ms = self._settled_moment_ms()
        certain = _Answered(self._backlog.mark_at(settled_ms), self._backlog.typed_sent(settled_ms))
        sent = _Answered(self._backlog.mark_at(), self._backlog.typed_sent())
        self._reply.begin(certain, sent, 2 * _now_ms() - settled_ms)
        self._tell_turns(self._transcript.reply_began(self._reply.may_answer_voice))
        self._feed(ReplyBegan())

    def _on_generation_complete(self, message: GenerationComplete) -> None:
        self._reply.is_unwanted = False
        if self._page is not None and self._transcript.reply_number is not None:
            self._page.tell_generation_complete(self._transcript.reply_number)
        self._feed(ReplyProduced(self._reply.playback_left_ms(_now_ms())))

    def _on_interrupted(self, message: Interrupted) -> None:
        self._reply.is_unwanted = False
        self.downlink.flush()
        if self._machine.turn.state is TurnState.LISTENING:
            self._reply.is_broken_off = True
        else:
            self._end_reply(TurnStatus.INTERRUPTED)

    def _on_turn_complete(self, message: TurnComplete) -> None:
        if message.is_filler:
            return
        self._reply.is_unwanted = False
        if message.reason:
            self._writer.record("turn_refused", {"reason": message.reason})
        is_answer, self._reply.is_broken_off = not self._reply.is_broken_off, False
        if self._reply.number is None and is_answer:
            self._end_reply(TurnStatus.COMPLETE)
        self._tell_turn_complete()

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

    def _on_go_away(self, message: GoAway) -> None:
        self._feed(GoAwayReceived(message.time_left_ms))

    def _on_unrecognised(self, message: Unrecognised) -> None:
        logger.warning("not understood: %s", message.what, extra=self._ids())

    def _settled_moment_ms(self) -> int:
        """What had been sent by then has certainly been consumed by what the provider says now."""
        unread_ms = 0.0 if self._connection is None else self._connection.unread_ms
        return _now_ms() - math.ceil(unread_ms)

    # -- replies -----------------------------------------------------------------------------------------------------

    def _end_reply(self, status: TurnStatus) -> None:
        """The exchange is over, with or without an answer: its input is answered once that is stored."""
        number = self._transcript.reply_number
        if self._machine.turn.state is TurnState.LISTENING and number is None and not self._backlog.typed_sent():
            return
        if number is None:
            answered = _Answered(self._backlog.mark_at(self._settled_moment_ms()), self._backlog.typed_sent())
        else:
            answered = self._reply.answered(status, _now_ms())
        self._reply.number = number
        self._tell_turns(self._transcript.reply_ended(status))
        self._settled_turn = self._transcript.settled_number
        ids = answered.typed_ids
        self._backlog.answered(answered.mark, ids)
        number_after = self._backlog.acknowledged_number
        self._writer.after(lambda: self._tell_ack(ids, number_after))
        self._reply.end()
        self._is_heard = False
        self._feed(ReplyEnded())
        self._writer.load_recap(self._take_recap)
        self._levels.ask_for_more()

    def _take_recap(self, recap: Recap | None) -> None:
        self._recap = recap

    def _tell_turn_complete(self) -> None:
        number, self._reply.number = self._reply.number, None
        usage, self._usage = self._usage, None
        if self._page is not None and number is not None:
            self._page.tell_turn_complete(number, usage)
        if usage is not None:
            self._save_usage(number, usage)
            self._check_memory(usage)

    def _save_usage(self, number: int | None, usage: UsageReported) -> None:
        """By the reply's turn; words that got none have a turn of their own, and noise is not worth another's place."""
        turn = self._transcript.last_of_user if number is None else number
        if turn is not None:
            self._writer.save_usage(self._connections, turn, self._dialled_model, usage)

    def _check_memory(self, usage: UsageReported) -> None:
        input_tokens, self._input_tokens = self._input_tokens, 0
        if usage.prompt_tokens is None:
            return
        if self._memory.is_lost(usage.prompt_tokens, usage.response_tokens or 0, input_tokens):
            self._feed(MemoryLost())

    def _cut_reply(self, wish: CutReply) -> None:
        if wish.produced:
            self._end_reply_after_loss()
            return
        self._reply.end()
        self._reply.number = None
        self.downlink.flush()
        self._tell_turns(self._transcript.connection_lost())

    def _end_reply_after_loss(self) -> None:
        """All of the reply had arrived when the connection went: it is whole, and is played to its end."""
        self._end_reply(TurnStatus.COMPLETE)
        self._tell_turn_complete()

    def _complete_reply(self, wish: CompleteReply) -> None:
        self._end_reply_after_loss()

    # -- deeds -------------------------------------------------------------------------------------------------------

    def _hold_input(self, wish: HoldInput) -> None:
        self._sender.stop()
        self._transcript.expect_again()

    def _replay(self, wish: Replay) -> None:
        self._tell_loss("connection")
        if self._connection is not None:
            self._sender.start(self._connection)
        if self._backlog.is_drained:
            self._feed(BacklogReplayed(anything=False))

    def _keep_handle(self, wish: KeepHandle) -> None:
        if self._consumed_index is None:
            mark = self._backlog.mark_at(self._settled_moment_ms())
        else:
            mark = self._backlog.mark_of(self._consumed_index)
        self._backlog.cover_audio(mark)
        number = self._backlog.acknowledged_number
        if self._machine.handle_is_current:
            self._covered_turn = self._settled_turn
        self._writer.save_handle(
            wish.handle,
            self._dialled_model,
            number,
            self._covered_turn,
            lambda: self._tell_ack(frozenset(), number),
        )

    def _forget_handle(self, wish: ForgetHandle) -> None:
        self._covered_turn = -1
        self.clear_resumption_handle(wish.reason)

    def _drop_audio(self, wish: DropAudio) -> None:
        self._backlog.drop_audio()
        self._tell_loss("refused")

    def _leave_out(self, wish: LeaveOut) -> None:
        self._left_out.add(wish.field)
        logger.warning("the provider refuses the field %s", wish.field, extra=self._ids())

    def _lower_level(self, wish: LowerLevel) -> None:
        logger.warning("leaving %s: %s", self.get_current_model(), wish.reason, extra=self._ids())
        falling = asyncio.create_task(self.handle_fallback(wish.reason, wish.quota), name="live-fallback")
        self._closing_tasks.add(falling)
        falling.add_done_callback(self._closing_tasks.discard)

    def _restore_level(self, wish: RestoreLevel) -> None:
        self.restore_level()

    def _start_timer(self, wish: StartTimer) -> None:
        self._timers.start(wish.timer, wish.ms)

    def _stop_timer(self, wish: StopTimer) -> None:
        self._timers.stop(wish.timer)

    def _record(self, wish: Record) -> None:
        self._writer.record(wish.kind, wish.data)

    def _finish(self, wish: Finish) -> None:
        self._timers.stop_all()
        for turn in self._transcript.reply_ended(TurnStatus.INTERRUPTED):
            self._writer.save_turn(turn)
        if wish.conversation_over:
            self.downlink.discard()
        self._writer.finish(wish.reason, wish.conversation_over)
        waiting = asyncio.create_task(self._wait_for_the_end(), name="live-finish")
        self._closing_tasks.add(waiting)
        waiting.add_done_callback(self._closing_tasks.discard)

    async def _wait_for_the_end(self) -> None:
        await self._writer.flush()
        others = self._closing_tasks - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)
        self.finished.set()

    # -- telling the page --------------------------------------------------------------------------------------------

    def _tell_ready(self, action: Action) -> None:
        if self._page is None:
            return
        self._owes_ready = False
        self._page.tell_ready(
            Ready(
                action=action,
                conversation=self.opening.conversation,
                session=self.opening.session,
                level=self._levels.level,
                top_level=self._levels.top_level,
                resets_at=self._levels.resets_at,
                summary=self._recap.text if self._recap is not None else "",
                ack=self._acknowledged[0],
                turns=self._transcript.turns,
            )
        )

    def _tell_ready_wish(self, wish: TellReady) -> None:
        self._tell_ready(wish.action)

    def _tell_state(self, wish: TellState) -> None:
        self._told_state = wish
        if wish.state is State.LIVE and self._owes_ready:
            self._tell_ready(Action.RESUMED)
        if self._page is not None:
            self._page.tell_state(wish)
            if wish.state is State.EXHAUSTED:
                self._tell_that_there_is_nothing(self._page)
            if wish.state in (State.FAILED, State.EXHAUSTED):
                self._tell_stored_turns(self._page)

    def _tell_that_there_is_nothing(self, page: Page) -> None:
        page.tell_energy(self._levels.standing(), self._levels.top_level)

    def _tell_stored_turns(self, page: Page) -> None:
        """Without a live session there is no `ready`, and what was said stays readable all the same."""
        for turn in self.opening.turns:
            page.tell_turn(turn)

    def _tell_go_away(self, wish: TellGoAway) -> None:
        if self._page is not None:
            self._page.tell_go_away(wish.time_left_ms)

    def _toast(self, wish: Toast) -> None:
        if self._page is not None:
            notice = self._levels.notice if wish.code in LEVEL_TOASTS else ""
            self._page.tell_toast(wish.code, wish.outage_ms, notice)

    def _tell_turns(self, turns: tuple[Turn, ...]) -> None:
        for turn in turns:
            self._writer.save_turn(turn)
            if self._page is not None:
                self._page.tell_turn(turn)

    def _tell_ack(self, ids: frozenset[str], number: int | None = None) -> None:
        """What was promised is stored now: the page may let go of it."""
        before = self._acknowledged[0]
        after = before if number is None else max(before, number)
        self._acknowledged = (after, ids)
        if self._page is not None and (after != before or ids):
            self._page.tell_ack(after, tuple(sorted(ids)))

    def _tell_loss(self, reason: str) -> None:
        loss = self._backlog.take_loss()
        if not loss:
            return
        self._writer.record("lost", {"ms": loss.ms, "messages": len(loss.ids), "reason": reason})
        if self._page is not None:
            self._page.tell_lost(loss, reason)
            self._page.tell_toast("input.lost")

    def _ids(self) -> dict[str, str]:
        return {"conversation": self.opening.conversation, "session": self.opening.session, "mode": self.mode}

    _deeds: ClassVar[Mapping[type[Wish], Callable[..., None]]] = {
        Connect: _connect,
        HoldInput: _hold_input,
        Replay: _replay,
        CloseUpstream: _close_upstream,
        LeaveUpstream: _leave_upstream,
        StartTimer: _start_timer,
        StopTimer: _stop_timer,
        TellState: _tell_state,
        TellReady: _tell_ready_wish,
        TellGoAway: _tell_go_away,
        Toast: _toast,
        KeepHandle: _keep_handle,
        ForgetHandle: _forget_handle,
        CutReply: _cut_reply,
        CompleteReply: _complete_reply,
        DropAudio: _drop_audio,
        LeaveOut: _leave_out,
        LowerLevel: _lower_level,
        RestoreLevel: _restore_level,
        Record: _record,
        Finish: _finish,
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
        GoAway: _on_go_away,
        Unrecognised: _on_unrecognised,
    }


class TextSessionManager(BaseSessionManager):
    """Typed in, spoken and transcribed out. The transcript stays until it is cleared."""

    mode = Mode.TEXT
    storage_key = "gdm:text-session-handle"


class CallSessionManager(BaseSessionManager):
    """Voice both ways. A new call starts with an empty transcript."""

    mode = Mode.CALL
    storage_key = "gdm:call-session-handle"


@dataclass(frozen=True, slots=True)
class _Answered:
    """Input that has its reply: audio before `mark`, and these typed messages."""

    mark: int = 0
    typed_ids: frozenset[str] = frozenset()


class _Reply:
    """What is known of the reply being given: what it answers, and how much of it is still to be played.

    `is_unwanted`: the user stopped it, and the provider goes on. `is_broken_off`: the provider did, before it said
    anything, so that the end of that turn answers nothing.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.is_unwanted = False
        self.is_broken_off = False
        self.may_answer_voice = False
        self._certain = self._sent = _Answered()
        self._proven_at_ms = 0
        self._audio_from_ms: int | None = None
        self._audio_ms = 0.0

    def begin(self, certain: _Answered, sent: _Answered, proven_at_ms: int) -> None:
        """`certain`: what had been consumed when it began. `sent`: also what was on its way, as after a replay.

        `proven_at_ms`: when the provider has consumed that, too, and would have broken the reply off for it.
        """
        self.number = None
        self.is_broken_off = False
        self._certain, self._sent, self._proven_at_ms = certain, sent, proven_at_ms

    def answered(self, status: TurnStatus, now_ms: int) -> _Answered:
        """What the reply answers when it ends now. A typed message is not taken for a part of another one."""
        if now_ms >= self._proven_at_ms:
            return self._sent
        is_whole = status is TurnStatus.COMPLETE
        return _Answered(self._certain.mark, (self._sent if is_whole else self._certain).typed_ids)

    def forget_signals(self) -> None:
        """There is a new connection: what the old one was still to say about its turn is not said any more."""
        self.number = None
        self.is_unwanted = self.is_broken_off = False

    def note_audio(self, size_bytes: int, now_ms: int) -> None:
        if self._audio_from_ms is None:
            self._audio_from_ms = now_ms
        self._audio_ms += size_bytes / OUTPUT_BYTES_PER_MS

    def playback_left_ms(self, now_ms: int) -> int:
        if self._audio_from_ms is None:
            return 0
        return max(0, int(self._audio_from_ms + self._audio_ms - now_ms))

    def end(self) -> None:
        self._certain = self._sent = _Answered()
        self.may_answer_voice = False
        self._audio_from_ms = None
        self._audio_ms = 0.0


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
