"""The driver of one live session: feeds the session machine with facts, and does what it wishes. It decides nothing.

One manager lives as long as a page life needs its live session in this process; connections, pages and models come and
go below it. Everything runs on one event loop, and nothing here waits for the page or the database.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from random import random as system_random
from typing import Any, ClassVar

from energy.levels import Level, Mode, Reason, is_context_compressed, is_model_resumable, profile_of
from sessions_app.live.backlog import Backlog
from sessions_app.live.close_codes import OPENED_ELSEWHERE
from sessions_app.live.context import Context, context_of, select_turns
from sessions_app.live.dialler import Dialler
from sessions_app.live.downlink import Downlink
from sessions_app.live.ending import Ending
from sessions_app.live.energy import Energy, LevelNews
from sessions_app.live.exchanges import Exchanges
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.line_probe import PROBE_TIMEOUT_MS, LineProbe
from sessions_app.live.machine.events import (
    Action,
    BacklogReplayed,
    CloseAfterTail,
    CloseUpstream,
    Connect,
    DropAudio,
    Fact,
    Finish,
    ForgetHandle,
    ForgetRequested,
    GoAwayReceived,
    HangUpRequested,
    HoldInput,
    KeepHandle,
    LeaveOut,
    LeaveUpstream,
    LineGone,
    LowerLevel,
    Opened,
    OwnerLeaving,
    PageBack,
    PageGone,
    Record,
    RefreshRequested,
    Replay,
    RestoreLevel,
    RetryRequested,
    SeekRefuge,
    SendBlocked,
    SettingsChanged,
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
    Wish,
)
from sessions_app.live.machine.failures import COMPRESSION_FIELD, RESUMPTION_FIELD
from sessions_app.live.machine.observed import LevelMoved
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.machine.states import Features, SessionMachine
from sessions_app.live.machine.transitions import UnexpectedFact
from sessions_app.live.machine.turns import TurnState
from sessions_app.live.page import Assistant, Opening, Page, Ready, Store
from sessions_app.live.page_teller import PageTeller
from sessions_app.live.parcel import Parcel
from sessions_app.live.providers.upstream import (
    Connection,
    GoAway,
    HandleUpdate,
    Setup,
    UndeclaredCall,
    Unrecognised,
    Upstream,
    UpstreamMessage,
)
from sessions_app.live.ready import ready_of
from sessions_app.live.sender import BacklogSender
from sessions_app.live.session_setups import SessionSetups
from sessions_app.live.setups import probe_setup
from sessions_app.live.stats import SessionStats
from sessions_app.live.task_owner import TaskOwner
from sessions_app.live.timers import Timers
from sessions_app.live.transcript import TurnCode
from sessions_app.live.turn_window import TurnWindow
from sessions_app.live.watch import Observer, SessionWatch, Watched
from sessions_app.live.writer import StoreWriter

logger = logging.getLogger(__name__)

PATIENCE_MS = 10_000
"""So long there may be no line before a conversation goes on in turns, where its ladder ends so; 503 for eight
seconds are common, and are waited for."""


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
        observer: who watches what becomes of the session; nobody when None.
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
        observer: Observer | None = None,
    ) -> None:
        self.opening = opening
        self._watch = SessionWatch(observer, Watched(opening.conversation, opening.session, self.mode))
        self.last_message_timestamp: float | None = None
        self._started_at = time.time()
        self._goes_away_at_ms: int | None = None
        self.downlink = downlink or Downlink()
        self._setups = SessionSetups(assistant, context_of((), opening.recap).of_before)
        self._overlaps = overlaps
        self._levels = LevelKeeper(self.mode, energy, self._on_level_news, self._feed)
        self._machine = SessionMachine(self._features_of(self._levels.level), random)
        self._facts: deque[Fact] = deque()
        self._is_deciding = False
        self._is_in_line = False
        self._attached_before = False
        self._page_away_ms = 0
        self._dialled_model = ""
        self._tasks = TaskOwner()
        self._timers: Timers[Timer] = Timers(self._on_timer)
        self._writer = StoreWriter(store, lambda: self.leave(StateReason.GONE, conversation_over=True))
        stored = TurnWindow(opening.turns, opening.earlier.exist)
        self._teller = PageTeller(self.downlink, self._levels, self._describe, stored)
        self._backlog = Backlog(opening.next_number)
        self._sender = BacklogSender(
            self._backlog,
            _now_ms,
            lambda item: self._exchanges.question(item, self._setups.wanted.instruction),
            self._on_drained,
            lambda: self._feed(SendBlocked()),
            self._on_sending_failed,
        )
        self._dialler = Dialler(
            upstream,
            self._levels,
            self._tasks,
            self._setup_for,
            self._begin,
            self._take_message,
            self._feed,
            self._watch,
        )
        self._exchanges = Exchanges(
            opening,
            self._backlog,
            self._sender,
            self._writer,
            self._teller,
            lambda: self._dialler.connection,
            self._feed,
            self._levels.ask_for_more,
            self._doubt,
            self._watch,
        )
        self._line_probe = LineProbe(
            upstream, self._levels, self._probe_setup, self._go_up, lambda: self._feed(LineGone())
        )
        self._ending = Ending(self._exchanges, self._dialler, self._writer, self._timers, self._tasks)
        self._wish_handlers = self._handlers()

    # -- for the edge ------------------------------------------------------------------------------------------------

    @property
    def finished(self) -> asyncio.Event:
        """Set when the session is over in this process, and everything is stored."""
        return self._ending.finished

    @property
    def state(self) -> State:
        return self._machine.state

    @property
    def is_connected(self) -> bool:
        return self._dialler.connection is not None

    @property
    def current_handle(self) -> str | None:
        return self._machine.handle

    @property
    def next_number(self) -> int:
        """The first audio number not taken in yet."""
        return self._backlog.next_number

    @property
    def is_returning_page(self) -> bool:
        """Whether the page was here before, and so may have something to send again."""
        return self._attached_before or self.opening.same_page

    def get_resumption_storage_key(self) -> str:
        """The slot that handles of this mode are kept in."""
        return self.storage_key

    def wait_in_line(self, place: int) -> None:
        """There is no room for this session yet: tell the page its place, 1 for the next. What is said is kept."""
        told = TellState(State.CONNECTING, reason="queued", place=place)
        if self._machine.state is State.IDLE and told != self._teller.told_state:
            self._is_in_line = True
            self._watch.waits_in_line(_now_ms())
            self._levels.ask_again_before_dialling()
            self._teller.wait_in_line(told)

    def init_session(self) -> None:
        """Open the live session: by the handle of this page life if it is any good, else anew with what is known."""
        opening = self.opening
        fits = (opening.handle_model, opening.handle_made_with) == (self.get_current_model(), self._setups.made_with)
        handle = opening.handle if fits else None
        behind = opening.covered_turn < self._exchanges.settled_turn
        has_context = bool(select_turns(opening.turns) or opening.earlier.spoken)
        self._feed(
            Opened(handle, behind, opening.handle_was_cut, has_context, self._levels.no_model, self._page_away_ms)
        )
        if self._levels.no_model is not None:
            self._line_probe.stand_at(self._levels.level)

    def attach(self, page: Page, last_heard: int = -1, away_ms: int = 0) -> None:
        """A page, or a page that came back, takes its place; another one in that place is closed.

        `away_ms`: how long it had not heard of us, 0 when it was not cut off.
        """
        self._page_away_ms = away_ms
        self.set_sound(True)
        self._attached_before = self._is_in_line or self._machine.state is not State.IDLE
        previous = self._teller.take_place(page, last_heard)
        if previous is not None:
            previous.close(OPENED_ELSEWHERE)
        if not self._attached_before:
            return
        if self._machine.state is State.IDLE:
            page.tell_state(self._teller.told_state)
        else:
            self._teller.welcome_back()
        self._feed(PageBack(away_ms))

    def detach(self, page: Page) -> None:
        """The page's socket closed. Nothing happens when another page has taken its place."""
        if self._teller.is_for(page):
            self._teller.let_go()
            self._feed(PageGone())

    def page_was_away(self, away_ms: int) -> None:
        """The page did not hear of us for so long, and then its connection went on."""
        self._feed(PageBack(away_ms))

    def hear_of_page(self) -> None:
        """The page said something, whatever it was: what it was sent some time before has arrived there."""
        self.downlink.heard_of_page(_now_ms())

    def take_audio(self, number: int, pcm: bytes) -> None:
        """Take in one frame of the microphone: PCM16 mono 16 kHz."""
        self.hear_of_page()
        self._exchanges.take_audio(number, pcm)

    def miss_audio(self, ms: int) -> None:
        """So much of the microphone was sent faster than it is taken, and not sent again."""
        self._exchanges.miss_audio(ms)

    def take_text(self, id: str, text: str, recordings: tuple[str, ...] = (), replaces: int | None = None) -> None:
        """Take in a typed turn; one that was taken in before is not delivered twice. `recordings`: ids of those that it
        asks about, which are attached to the conversation. `replaces`: the number of the question in whose place it
        stands."""
        self._exchanges.take_text(id, text, recordings, replaces)

    def knows_typed(self, id: str) -> bool:
        """Whether this typed turn was taken in before."""
        return self._exchanges.transcript.find_typed(id) is not None

    def look_at_recordings(self) -> None:
        """What is known of the conversation's recordings has changed: the model is told, at a safe moment."""
        self._exchanges.look_at_recordings()

    def mute(self) -> None:
        """The microphone was muted: the provider is told after everything said before."""
        self._exchanges.mute()

    def note_heard(self, number: int, ms: int) -> None:
        """The page has played audio `number` up to `ms`."""
        self._exchanges.note_heard(number, ms)

    def set_sound(self, on: bool) -> None:
        """Whether the page plays replies; else they are only read. It says so each time it comes."""
        self._exchanges.set_sound(on)
        if self._dialler.connection is not None:
            self._dialler.connection.want_sound(on)

    def stop_reply(self) -> None:
        """The user has heard enough: playback stops, and what is still produced of this reply is not played."""
        self._exchanges.stop_reply()
        if self._dialler.connection is not None:
            self._dialler.connection.stop_reply()

    def reconnect_session(self) -> None:
        """Try now, during a countdown or after everything was given up."""
        self._feed(RetryRequested())

    def refresh_session(self) -> None:
        """Take another connection at the next safe point; nothing happens where one is being made anyway."""
        self._feed(RefreshRequested())

    def use(self, assistant: Assistant) -> None:
        """How the model is to behave from now on: with the next dial, and where a session stands, at the next safe
        point."""
        self._look_for_change(tried_again=self._setups.want(assistant))

    def drop_handle(self) -> None:
        """The user wants the handle forgotten; what is live goes on, and may be given another one."""
        self._feed(ForgetRequested())

    def hang_up(self) -> None:
        """The user ends the conversation, and with it a reply that is not over: no more of that is heard."""
        self._exchanges.stop_reply()
        self._feed(HangUpRequested())

    @property
    def page(self) -> Page | None:
        """The page that is there."""
        return self._teller.page

    def parcel(self, *, with_input: bool) -> Parcel:
        """What exists in this process alone, for whoever goes on with the conversation. `with_input`: also what the
        user said and is not safe, for a page that has not got that itself."""
        if self._ending.is_conversation_over:
            return Parcel()
        audio, typed = self._backlog.uncovered() if with_input else ((), ())
        downlink, next_up = self.downlink, self._exchanges.acknowledged_number
        return Parcel(downlink.next_number, downlink.kept, downlink.owes_flush, next_up, audio, typed)

    def take_over(self, parcel: Parcel) -> None:
        """Take in what the user said to the process that had the session before."""
        for number, pcm in parcel.up:
            self._exchanges.take_audio(number, pcm)
        for id, text, recordings in parcel.typed:
            self._exchanges.take_text(id, text, recordings)

    def release(self) -> Page | None:
        """Let go of the page, which is told nothing more, and give it back."""
        return self._teller.let_go()

    def leave(self, reason: str, *, conversation_over: bool = False) -> None:
        """Give the session up in this process; what it was is stored, and another may go on with it.

        Not where the conversation is over: then a reply that is not is heard no more, either.
        """
        if conversation_over:
            self._exchanges.stop_reply()
        self._feed(OwnerLeaving(reason, conversation_over))

    async def stored(self) -> None:
        """Wait until everything so far is stored, what was said last before a hang-up included."""
        await self._ending.stored()

    def get_current_model(self) -> str:
        """The id of the model that is dialled; empty when the ladder is exhausted."""
        return self._levels.level.model

    def clear_resumption_handle(self, reason: str) -> None:
        """Drop the stored handle for good."""
        self._exchanges.covered_turn = -1
        self._writer.forget_handle()
        logger.info("handle forgotten: %s", reason, extra=self._ids())

    def get_context_from_call_history(self) -> Context:
        """What a session without memory is given: the call it goes on from, the last recap, and the settled turns since
        then."""
        return self._exchanges.context()

    def get_session_stats(self) -> SessionStats:
        """What the session is like now; nothing is counted for it while nobody asks."""
        told, level, connection = self._teller.told_state, self._levels.level, self._dialler.connection
        left_out, wanted = self._setups.left_out, self._setups.wanted
        is_resumable = is_model_resumable(level) and wanted.resumes and RESUMPTION_FIELD not in left_out
        round_trip_ms = None if connection is None else connection.round_trip_ms
        return SessionStats(
            session=self.opening.session,
            state=self.state,
            reason=told.reason,
            active=self.state is State.LIVE,
            has_valid_resumption_data=self.current_handle is not None,
            duration_ms=int((time.time() - self._started_at) * 1000),
            compression_enabled=is_context_compressed(level)
            and wanted.compresses
            and COMPRESSION_FIELD not in left_out,
            resumption_enabled=is_resumable,
            start_time=self._started_at,
            model=level.model,
            level=level.number,
            top_level=self._levels.top_level.number,
            level_word=level.word,
            last_message_at=self.last_message_timestamp,
            go_away_in_ms=self._go_away_in_ms(connection),
            refresh_is_due=self._machine.refresh_is_due,
            turn_state=self._exchanges.turn_state.value,
            round_trip_ms=None if round_trip_ms is None else round(round_trip_ms),
            loop_lag_ms=None if connection is None else round(connection.loop_lag_ms),
            frames_sent=self._backlog.frames_sent,
            frames_waiting=self._backlog.frames_waiting,
            frames_acknowledged=self._backlog.frames_acknowledged,
            frames_resent=self._watch.frames_resent,
            retry_in_ms=told.retry_in_ms,
            place=told.place,
        )

    def _go_away_in_ms(self, connection: Connection | None) -> int | None:
        """Until the provider ends this connection, if it has said so."""
        if self._goes_away_at_ms is None or connection is None:
            return None
        return max(0, self._goes_away_at_ms - _now_ms())

    # -- levels ------------------------------------------------------------------------------------------------------

    async def handle_fallback(self, reason: str, quota: bool) -> None:
        """Step down the ladder, and go on with the next model or say that there is none."""
        await self._levels.fall_back(reason, quota, self._dialler.failure)

    def restore_level(self) -> None:
        """To the best model there is, because the user, the operator or the clock asks for it."""
        self._levels.restore()

    async def check_fair_use(self) -> None:
        """Between two turns: whether the user has had their share."""
        if self._machine.state is State.LIVE and not self._exchanges.is_replying:
            await self._levels.check_fair_use()

    def _on_level_news(self, news: LevelNews) -> None:
        change = news.change
        self._machine.features = self._features_of(change.level)
        self._teller.energy(change)
        self._watch.tell(LevelMoved(change.level.number > change.previous.number, change.reason))
        if not change.level.is_exhausted:
            self._dialler.expect(change.level.model)
        if news.notice and change.level.number < change.previous.number:
            until_ms = None if change.resets_at is None else round(change.resets_at.timestamp() * 1000)
            self._exchanges.tell_system(news.notice, TurnCode.ENERGY_LOWER, until_ms)

    def _features_of(self, level: Level) -> Features:
        profile = None if level.is_exhausted else profile_of(level.model)
        patience_ms = PATIENCE_MS if self._levels.has_refuge else None
        if profile is None:
            return Features(history_anytime=False, overlaps=self._overlaps)
        has_other_place = self._levels.has_other_place
        return Features(profile.history_anytime, self._overlaps, profile.resumable, patience_ms, has_other_place)

    def _go_up(self) -> None:
        """A better line is there. A conversation takes it when nobody speaks and nothing is owed; one that stands still
        takes it at once."""
        state = self._machine.state
        is_quiet = state is State.LIVE and self._exchanges.turn_state is TurnState.LISTENING
        if state in (State.EXHAUSTED, State.FAILED):
            self._levels.restore(Reason.QUOTA_RESET)
        elif is_quiet or state is State.RECONNECTING:
            self._levels.ask_for_more()

    def _doubt(self) -> None:
        """The line is open, and says nothing to what was said."""
        if self._levels.has_refuge:
            self._line_probe.doubt(self.get_current_model())

    def _probe_setup(self, model: str) -> Setup:
        return probe_setup(model, self._setups.wanted, PROBE_TIMEOUT_MS)

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
        before, now_ms = self._machine.state, _now_ms()
        try:
            wishes = self._machine.handle_fact(fact, now_ms)
        except UnexpectedFact:
            logger.exception("Internal error", extra=self._ids())
            return
        after = self._machine.state
        if after is not before:
            logger.info("%s to %s on %s", before, after, type(fact).__name__, extra=self._ids())
        self._watch.decided(fact, before, after, wishes, self._machine.gap_cause, now_ms)
        for wish in wishes:
            self._carry_out(wish)

    def _carry_out(self, wish: Wish) -> None:
        """One wish that fails does not take the others with it: the machine counts on them."""
        try:
            self._wish_handlers[type(wish)](wish)
        except Exception:
            logger.exception("Internal error in the wish %s", type(wish).__name__, extra=self._ids())

    def _on_timer(self, timer: Timer) -> None:
        self._feed(TimerFired(timer))

    def _on_drained(self, typed: bool) -> None:
        self._feed(BacklogReplayed())
        self._exchanges.delivered(typed=typed)

    def _on_sending_failed(self) -> None:
        self._exchanges.tell_loss("failed")
        self._dialler.give_up("internal error")

    # -- connecting --------------------------------------------------------------------------------------------------

    async def _begin(self, connection: Connection, wish: Connect) -> None:
        """The connection is set up: bring the model up to date, and say so."""
        self._goes_away_at_ms = None
        connection.want_sound(not self._exchanges.is_read_only)
        self._setups.taken()
        resumed, caught_up = wish.handle is not None, wish.catch_up
        made_with, notes = self._setups.made_with, self._setups.notes
        self._exchanges.connected(self._dialled_model, made_with, notes, resumed=resumed, caught_up=caught_up)
        if wish.catch_up:
            await connection.send_past_turns(self._exchanges.turns_after_handle())
        given = wish.catch_up or self._setups.gives_history(wish, self._dialled_model)
        self._exchanges.context_given(given, takes_past=profile_of(self._dialled_model).history_anytime)
        self._line_probe.stand_at(self._levels.level)
        self._levels.succeeded(self._dialled_model)
        self._feed(SetupCompleted(replays_audio=self._backlog.has_unsent_audio))
        self._exchanges.settled_in()
        self._look_for_change()

    def _look_for_change(self, tried_again: frozenset[str] = frozenset()) -> None:
        if tried_again or not self._setups.is_as_wanted:
            self._feed(SettingsChanged(self._setups.keeps_session, tried_again))

    def _setup_for(self, wish: Connect) -> Setup:
        self._dialled_model = self._watch.watched.model = self.get_current_model()
        context = self.get_context_from_call_history() if wish.handle is None else Context()
        return self._setups.next(wish, self._dialled_model, context if wish.seed else context.of_before)

    def _take_message(self, message: UpstreamMessage) -> None:
        self.last_message_timestamp = time.time()
        if isinstance(message, HandleUpdate) and not self._setups.resumes:
            return  # some models send handles that nobody asked for
        self._exchanges.hear(message)
        if isinstance(message, GoAway):
            self._goes_away_at_ms = _now_ms() + message.time_left_ms
            self._feed(GoAwayReceived(message.time_left_ms))
        elif isinstance(message, UndeclaredCall):
            logger.warning("called and not declared: %s", ", ".join(message.names), extra=self._ids())
        elif isinstance(message, Unrecognised):
            logger.warning("not understood: %s", message.what, extra=self._ids())

    # -- wishes ------------------------------------------------------------------------------------------------------

    def _replay(self, wish: Replay) -> None:
        self._exchanges.tell_loss("connection")
        if self._dialler.connection is not None:
            self._sender.start(self._dialler.connection)
        if self._backlog.is_drained:
            self._feed(BacklogReplayed(anything=False))
            self._exchanges.delivered(typed=False)

    def _keep_handle(self, wish: KeepHandle) -> None:
        self._exchanges.keep_handle(wish, is_current=self._machine.handle_is_current)

    def _forget_handle(self, wish: ForgetHandle) -> None:
        self.clear_resumption_handle(wish.reason)

    def _drop_audio(self, wish: DropAudio) -> None:
        self._exchanges.drop_audio()

    def _leave_out(self, wish: LeaveOut) -> None:
        self._setups.left_out.add(wish.field)
        logger.warning("the provider refuses the field %s", wish.field, extra=self._ids())

    def _lower_level(self, wish: LowerLevel) -> None:
        logger.warning("leaving %s: %s", self.get_current_model(), wish.reason, extra=self._ids())
        self._tasks.start(self.handle_fallback(wish.reason, wish.quota), "live-fallback")

    def _seek_refuge(self, wish: SeekRefuge) -> None:
        logger.warning("no line to %s is to be had", self.get_current_model(), extra=self._ids())
        self._tasks.start(self._levels.leave_outage(self._dialler.failure), "live-fallback")

    def _finish(self, wish: Finish) -> None:
        self._line_probe.stop()
        self._ending.finish(wish)

    # -- describing --------------------------------------------------------------------------------------------------

    def _describe(self, action: Action) -> Ready:
        return ready_of(action, self.opening, self._levels, self._exchanges)

    def _ids(self) -> dict[str, str]:
        return {"conversation": self.opening.conversation, "session": self.opening.session, "mode": self.mode}

    def _handlers(self) -> Mapping[type[Wish], Callable[[Any], None]]:
        """Who carries out which wish."""
        return {
            Connect: self._dialler.connect,
            CloseUpstream: self._dialler.close,
            CloseAfterTail: self._ending.close_after_tail,
            LeaveUpstream: self._dialler.leave,
            HoldInput: lambda wish: self._exchanges.hold(),
            Replay: self._replay,
            StartTimer: lambda wish: self._timers.start(wish.timer, wish.ms),
            StopTimer: lambda wish: self._timers.stop(wish.timer),
            TellState: self._teller.state,
            TellReady: lambda wish: self._teller.ready(wish.action),
            TellGoAway: self._teller.go_away,
            Toast: self._teller.toast,
            KeepHandle: self._keep_handle,
            ForgetHandle: self._forget_handle,
            DropAudio: self._drop_audio,
            LeaveOut: self._leave_out,
            LowerLevel: self._lower_level,
            SeekRefuge: self._seek_refuge,
            RestoreLevel: lambda wish: self.restore_level(),
            Record: lambda wish: self._writer.record(wish.kind, wish.data),
            Finish: self._finish,
        }


class TextSessionManager(BaseSessionManager):
    """Typed in, spoken and transcribed out. The transcript stays until it is cleared."""

    mode = Mode.TEXT
    storage_key = "gdm:text-session-handle"


class CallSessionManager(BaseSessionManager):
    """Voice both ways. A new call starts with an empty transcript."""

    mode = Mode.CALL
    storage_key = "gdm:call-session-handle"


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
