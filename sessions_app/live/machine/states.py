"""The state machine of a live session: facts in, wishes out. It never waits, and knows no clock but what it is told.

Which moves are legal is listed in `transitions.py`.

Sources of the rules: a GoAway's `timeLeft` is a duration after which the provider aborts the connection; a handle
belongs to the model that issued it, names a moment before what came after it, and is good for two hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from sessions_app.live.machine.backoff import Backoff
from sessions_app.live.machine.events import (
    Action,
    BacklogReplayed,
    CloseAfterTail,
    CloseFinished,
    CloseUpstream,
    Connect,
    ConnectionLost,
    DropAudio,
    Fact,
    Finish,
    ForgetHandle,
    ForgetRequested,
    GoAwayReceived,
    HandleOffered,
    HandleWithdrawn,
    HangUpRequested,
    HoldInput,
    KeepHandle,
    LadderExhausted,
    LeaveOut,
    LeaveUpstream,
    LevelChanged,
    LevelKept,
    LineGone,
    LowerLevel,
    MemoryLost,
    NoModel,
    Opened,
    OwnerLeaving,
    PageBack,
    PageGone,
    ProviderSilent,
    Record,
    RefreshRequested,
    Replay,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
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
from sessions_app.live.machine.failures import (
    OF_A_PLACE,
    Failure,
    History,
    Judgement,
    Verdict,
    is_refused_setup,
    is_short_life,
    judge,
)
from sessions_app.live.machine.reasons import GapCause, StateReason
from sessions_app.live.machine.transitions import IGNORED, TRANSITIONS, UnexpectedFact
from sessions_app.live.machine.turns import LATE_WORDS_MS

PARK_MS = 30_000
"""How long the upstream connection stays open for a page that vanished."""

STABLE_MS = 10_000
"""A connection that lived this long was a success: a successful open is no proof of life."""

PROOF_OF_LIFE_MS = 1_000
"""A connection that lived this long begins a new outage when it goes: its first redial is a quick one again."""

REPLAY_ANSWER_MS = 2_000
"""A refusal this soon after a replay is the answer to it: sending takes milliseconds, the answer a round trip."""

FIELDS_TO_STRIP = 8
"""More refused fields than this, what a user has chosen among them, are no difference between versions of the API."""

FIRST_HANDLE_WAIT_MS = 60
"""Some generations issue a handle right after the set-up. Audio is replayed after it, so that it is certain that it
does not cover any of that, and it is not waited for any longer than this."""

GO_AWAY_MARGIN_MS = 5_000
"""The swap is forced this long before the provider's deadline: closing alone can take three seconds."""

SHORT_NOTICE_MS = 10_000
"""Below this, half of the time left is used instead of the margin."""

RETRY_AFTER_CLOSE_MS = 500
"""A resume may be refused right after the old connection closed, while the provider still tidies up."""

ANSWER_AFTER_SILENCE_MS = 4_000
"""A connection that takes the place of a silent one has at least this long to say something."""

NOTICEABLE_OUTAGE_MS = 2_000
"""An interruption shorter than this is not worth a word: nobody hears it."""

_SEVERITY: Mapping[str, int] = {
    "reconnected": 1,
    "rebuilt": 2,
    "started": 2,
    "energy.restored": 2,
    "energy.lower": 2,
    "energy.in_turns": 2,
    "settings.applied": 2,
    "failed": 3,
    "exhausted": 3,
}
"""Of toasts: in one outage only what is more severe than what was said before is worth another."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the state machine must know of a model."""

    history_anytime: bool
    """The model takes turns of the past in the middle of a session, so a resumed session can be brought up to date."""

    overlaps: bool = False
    """The provider lets a session be resumed while its old connection is open, so a planned swap dials first."""

    issues_handles: bool = True
    """Where the model issues none, a new connection that is given the context is all that a resume would be."""

    patience_ms: int | None = None
    """How long there may be no line, or a silent one, before a level is asked for that needs none; None for ever."""

    has_other_place: bool = False
    """A model below is served at another place: who is refused at this one may be welcome there."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """Nothing gets through since then. `cause`: the first one; what went wrong with the way back is another matter."""

    began_ms: int
    cause: str


class _Reply(Enum):
    """What a reply means for a swap. COVERED: all of it was there when the newest handle came."""

    NONE = auto()
    GENERATING = auto()
    PRODUCED = auto()
    COVERED = auto()


class SessionMachine:
    """Decides what becomes of one live session.

    Args:
        features: of the model in use; set anew before a `LevelChanged`.
        random: gives a number in [0, 1), for the backoff.
    """

    def __init__(self, features: Features, random: Callable[[], float]) -> None:
        self.state = State.IDLE
        self.features = features
        self._reply = _Reply.NONE
        self.handle: str | None = None
        self._backoff = Backoff(random)
        self._has_context = False
        self._page_away_ms = 0
        self._handle_is_behind = False
        self._swap_is_due = False
        self._refresh_is_due: GapCause | None = None
        self._words_until_ms = 0
        self._change_is_due: GapCause | None = None
        self._change_toast = ""
        self._planned = False
        self._attempt: Connect | None = None
        self._is_dialling = False
        self._is_replaying = False
        self._holds_replay = False
        self._replayed_at_ms: int | None = None
        self._audio_was_dropped = False
        self._live_since_ms: int | None = None
        self._short_lives = 0
        self._first_fault_ms: int | None = None
        self._has_guessed = False
        self._waits = 0
        self._is_lost = False
        self._refused_at_ms: int | None = None
        self._lineless_since_ms: int | None = None
        self._is_silent = False
        self._has_taken_refuge = False
        self._gap: _Gap | None = None
        self._left_out: set[str] = set()
        self._forgotten = False
        self._severity_told = 0

    @property
    def handle_is_current(self) -> bool:
        """Whether a resume by the handle would know everything that is settled."""
        return self.handle is not None and not self._handle_is_behind

    @property
    def gap_cause(self) -> str:
        """Why there is no line: a `GapCause`, or a verdict about the provider; empty while there is one."""
        return "" if self._gap is None else self._gap.cause

    @property
    def refresh_is_due(self) -> bool:
        """Whether the user waits for another connection, which is taken at the next safe point."""
        return self._refresh_is_due is not None

    def handle_fact(self, fact: Fact, now_ms: int) -> list[Wish]:
        """Take in one fact and say what is to be done, in order.

        Raises:
            UnexpectedFact: the table does not list the fact for the present state.
        """
        targets = TRANSITIONS[self.state].get(type(fact))
        if targets is None:
            if type(fact) in IGNORED[self.state]:
                return []
            raise UnexpectedFact(self.state, fact)
        before = self.state
        wishes = self._handlers[type(fact)](self, fact, now_ms)
        if self.state not in targets:
            raise AssertionError(f"{before} -> {self.state} on {type(fact).__name__} is not in the table")
        return wishes

    # -- opening -----------------------------------------------------------------------------------------------------

    def _on_opened(self, fact: Opened, now_ms: int) -> list[Wish]:
        self.state = State.CONNECTING
        self.handle = fact.handle
        self._handle_is_behind = fact.handle_is_behind
        self._has_context = fact.has_context
        self._page_away_ms = fact.away_ms
        self._is_lost = fact.was_cut
        came_back: list[Wish] = [Record("page_back", {"away_ms": fact.away_ms})] if fact.away_ms else []
        if fact.refused is not None:
            return [*came_back, *self._exhaust(fact.refused)]
        self._lineless_since_ms = now_ms
        return [*came_back, TellState(State.CONNECTING), self._dial(), *self._wait_patiently(now_ms)]

    def _on_setup_completed(self, fact: SetupCompleted, now_ms: int) -> list[Wish]:
        attempt = self._attempt or Connect()
        planned, self._planned = self._planned, False
        was_first = self.state is State.CONNECTING
        outage_ms = self._backoff.outage_ms(now_ms)
        self.state = State.LIVE
        self._is_dialling = False
        self._is_replaying = True
        self._replayed_at_ms = None
        self._live_since_ms = now_ms
        self._handle_is_behind = bool(attempt.seed or attempt.catch_up)
        action = _action_of(attempt)
        wishes: list[Wish] = [
            StartTimer(Timer.STABLE, STABLE_MS),
            Record("connected", {"action": action, "outage_ms": outage_ms, **self._end_gap(now_ms)}),
        ]
        if not (planned and action is Action.RESUMED):
            wishes.append(TellReady(action))
        wishes.append(TellState(State.LIVE))
        wishes += self._toast_of(action, was_first, outage_ms)
        if self._is_silent:
            wishes += self._wait_patiently(now_ms, ANSWER_AFTER_SILENCE_MS)
        elif self.features.patience_ms is not None:
            wishes.append(StopTimer(Timer.PATIENCE))
        self._holds_replay = fact.replays_audio
        wishes.append(StartTimer(Timer.FIRST_HANDLE, FIRST_HANDLE_WAIT_MS) if self._holds_replay else Replay())
        return wishes

    def _replay_now(self) -> list[Wish]:
        if not self._holds_replay:
            return []
        self._holds_replay = False
        return [StopTimer(Timer.FIRST_HANDLE), Replay()]

    def _toast_of(self, action: Action, was_first: bool, outage_ms: int) -> list[Wish]:
        """One toast an outage, and none for what nobody could notice. A lost session is always told."""
        forgotten, self._forgotten = self._forgotten, False
        change_toast, self._change_toast = self._change_toast, ""
        if change_toast:
            return self._say(change_toast)
        if action is Action.RESUMED or (action is Action.REBUILT and not self.features.issues_handles):
            if was_first:
                return self._say_away()
            return self._say("reconnected", outage_ms) if outage_ms >= NOTICEABLE_OUTAGE_MS else []
        if action is Action.REBUILT and (forgotten or not was_first):
            return self._say("rebuilt", outage_ms)
        return self._say("started", outage_ms) if forgotten or not was_first else []

    def _say(self, code: str, outage_ms: int = 0) -> list[Wish]:
        if _SEVERITY[code] <= self._severity_told:
            return []
        self._severity_told = _SEVERITY[code]
        return [Toast(code, outage_ms)]

    # -- life --------------------------------------------------------------------------------------------------------

    def _on_handle_offered(self, fact: HandleOffered, now_ms: int) -> list[Wish]:
        if self._change_is_due:
            return self._replay_now()
        self.handle = fact.handle
        self._handle_is_behind = not fact.covers_context
        if self._reply is _Reply.PRODUCED:
            self._reply = _Reply.COVERED
        keep = KeepHandle(fact.handle, covers_reply=self._reply is _Reply.COVERED)
        return [keep, *self._replay_now(), *self._swap_if_safe(now_ms)]

    def _on_handle_withdrawn(self, fact: HandleWithdrawn, now_ms: int) -> list[Wish]:
        return []

    def _on_reply_began(self, fact: ReplyBegan, now_ms: int) -> list[Wish]:
        self._reply = _Reply.GENERATING
        self._has_context = True
        self._is_silent = False
        return []

    def _on_reply_produced(self, fact: ReplyProduced, now_ms: int) -> list[Wish]:
        if self._reply is _Reply.GENERATING:
            self._reply = _Reply.PRODUCED
        return []

    def _on_reply_ended(self, fact: ReplyEnded, now_ms: int) -> list[Wish]:
        self._has_context = self._has_context or fact.has_words
        was, self._reply = self._reply, _Reply.NONE
        if was is _Reply.NONE:
            return []
        self._handle_is_behind = was is not _Reply.COVERED
        self._words_until_ms = now_ms + LATE_WORDS_MS
        self._prove_stable()
        return self._swap_if_safe(now_ms)

    def _on_backlog_replayed(self, fact: BacklogReplayed, now_ms: int) -> list[Wish]:
        if self._is_replaying and fact.anything:
            self._replayed_at_ms = now_ms
        self._is_replaying = False
        return []

    # -- planned swap ------------------------------------------------------------------------------------------------

    def _on_go_away_received(self, fact: GoAwayReceived, now_ms: int) -> list[Wish]:
        self._swap_is_due = True
        wishes: list[Wish] = [
            Record("go_away", {"time_left_ms": fact.time_left_ms}),
            TellGoAway(fact.time_left_ms),
            StartTimer(Timer.SWAP, swap_deadline_ms(fact.time_left_ms)),
        ]
        return wishes + self._swap_if_safe(now_ms)

    def _swap_if_safe(self, now_ms: int) -> list[Wish]:
        """A safe point: nobody speaks for the model, none of its words is late, and the handle is newer than the last
        turn."""
        can_resume = self._swap_is_due and (self.handle_is_current or not self.features.issues_handles)
        # Without a handle there is nothing to wait for: what was said is given to the next connection.
        can_refresh = self._refresh_is_due and (self.handle is None or self.handle_is_current)
        if self._reply is not _Reply.NONE or not (self._change_is_due or can_resume or can_refresh):
            return []
        if now_ms < self._words_until_ms:
            return [StartTimer(Timer.LATE_WORDS, self._words_until_ms - now_ms)]
        return self._swap(self._cause_of_swap(), now_ms)

    def _cause_of_swap(self) -> GapCause:
        if self._change_is_due is not None:
            return self._change_is_due
        return GapCause.GO_AWAY if self._swap_is_due else self._refresh_is_due or GapCause.REFRESH

    def _on_refresh_requested(self, fact: RefreshRequested, now_ms: int) -> list[Wish]:
        """Of a connection that is about to be left anyway, that swap is the one."""
        if self._refresh_is_due or self._swap_is_due or self._change_is_due:
            return []
        self._refresh_is_due = GapCause.REFRESH
        return [Record("refresh_asked"), *self._swap_if_safe(now_ms)]

    def _on_settings_changed(self, fact: SettingsChanged, now_ms: int) -> list[Wish]:
        """The next dial takes what has changed. A session that goes on is given up for that at a safe point; one that
        is being dialled is told of again when it stands."""
        self._left_out -= fact.tried_again
        if not fact.keeps_handle:
            return self._give_up_session(now_ms, is_news=fact.is_news)
        if self.state is not State.LIVE or self._swap_is_due or self._change_is_due:
            return []
        self._refresh_is_due = GapCause.SETTINGS
        return self._swap_if_safe(now_ms)

    def _give_up_session(self, now_ms: int, *, is_news: bool) -> list[Wish]:
        was_forgotten = self._forgotten
        wishes = self._forget_handle("news" if is_news else "settings")
        self._forgotten = was_forgotten  # what the page is told says why
        if not self._is_dialling:
            self._change_toast = "rebuilt" if is_news else "settings.applied"
        if self.state is not State.LIVE:
            return wishes
        self._severity_told = 0
        self._change_is_due = self._change_is_due or (GapCause.REFRESH if is_news else GapCause.SETTINGS)
        return [*wishes, *self._swap_if_safe(now_ms)]

    def _on_forget_requested(self, fact: ForgetRequested, now_ms: int) -> list[Wish]:
        return self._forget_handle("asked")

    def _swap(self, cause: GapCause, now_ms: int) -> list[Wish]:
        self._begin_gap(cause, now_ms)
        self._note_life(now_ms)
        self.state = State.HANDOVER
        self._planned = True
        wishes = [HoldInput(), *self._leave_connection(), TellState(State.HANDOVER)]
        if self.features.overlaps:
            return [*wishes, CloseUpstream(when_replaced=True), self._dial(), *self._wait_patiently(now_ms)]
        return [*wishes, CloseUpstream(), *self._wait_patiently(now_ms)]

    def _on_close_finished(self, fact: CloseFinished, now_ms: int) -> list[Wish]:
        return [self._dial()]

    # -- half-dead ---------------------------------------------------------------------------------------------------

    def _on_provider_silent(self, fact: ProviderSilent, now_ms: int) -> list[Wish]:
        self._is_silent = True
        return self._abandon(fact.reason, now_ms, costs_handle=fact.costs_handle)

    def _on_send_blocked(self, fact: SendBlocked, now_ms: int) -> list[Wish]:
        return self._abandon("send-blocked", now_ms)

    def _abandon(self, reason: str, now_ms: int, *, costs_handle: bool = False) -> list[Wish]:
        """Leave a connection that is open and dead, without waiting for it to close."""
        self._begin_gap(reason, now_ms)
        self._note_life(now_ms)
        wishes: list[Wish] = [
            HoldInput(),
            *self._leave_connection(),
            LeaveUpstream(),
            Record("connection_abandoned", {"reason": reason}),
        ]
        if costs_handle:
            wishes += self._forget_handle(reason)
        return [*wishes, *self._redial_later(reason, now_ms, at_once=True), *self._wait_patiently(now_ms)]

    # -- no line to be had ---------------------------------------------------------------------------------------------

    def _wait_patiently(self, now_ms: int, at_least_ms: int = 0) -> list[Wish]:
        """Give the line what is left of the time that it may be away, where there is something to go to."""
        patience_ms, since_ms = self.features.patience_ms, self._lineless_since_ms
        if patience_ms is None or self.state in (State.FAILED, State.EXHAUSTED):
            return []
        left_ms = patience_ms if since_ms is None else since_ms + patience_ms - now_ms
        return [StartTimer(Timer.PATIENCE, max(left_ms, at_least_ms, 0))]

    def _on_line_gone(self, fact: LineGone, now_ms: int) -> list[Wish]:
        self._is_silent = True
        return self._seek_refuge(now_ms)

    def _seek_refuge(self, now_ms: int) -> list[Wish]:
        """Patience is over. A line that has come about meanwhile stays if it says something, or is not asked."""
        if self.state is State.HANDOVER and not self._is_dialling:
            return [StartTimer(Timer.PATIENCE, RETRY_AFTER_CLOSE_MS)]
        is_trying = self._is_dialling or self.state is State.RECONNECTING
        is_silent = self.state is State.LIVE and self._is_silent
        if self.features.patience_ms is None or not (is_trying or is_silent):
            return []
        return self._take_refuge(now_ms)

    def _give_line_up(self, reason: str, now_ms: int) -> list[Wish]:
        """It is not dialled any more: to a level that needs none, once, where there is one below."""
        if self.features.patience_ms is None or self._has_taken_refuge:
            return self._fail(reason)
        self._has_taken_refuge = True
        return self._take_refuge(now_ms)

    def _take_refuge(self, now_ms: int) -> list[Wish]:
        self._begin_gap(StateReason.PROVIDER_UNAVAILABLE, now_ms)
        self._is_silent = False
        self._lineless_since_ms = None
        self._forget_faults()
        left = [HoldInput(), *self._leave_connection(), StopTimer(Timer.REDIAL), LeaveUpstream()]
        self.state = State.FALLING_BACK
        return [*left, TellState(State.FALLING_BACK, reason=StateReason.PROVIDER_UNAVAILABLE), SeekRefuge()]

    def _on_memory_lost(self, fact: MemoryLost, now_ms: int) -> list[Wish]:
        """The provider honoured the handle and remembers nothing: begin anew, with the context."""
        return [Record("memory_lost"), *self._forget_handle("memory-lost"), *self._swap(GapCause.MEMORY_LOST, now_ms)]

    # -- trouble -----------------------------------------------------------------------------------------------------

    def _on_connection_lost(self, fact: ConnectionLost, now_ms: int) -> list[Wish]:
        judgement = self._judge(fact, now_ms)
        self._begin_gap(judgement.reason, now_ms)
        wishes: list[Wish] = [
            HoldInput(),
            *self._leave_connection(),
            Record("connection_lost", _facts_of(fact.failure, judgement)),
        ]
        if judgement.drop_audio:
            self._audio_was_dropped = True
            wishes.append(DropAudio())
        return [*wishes, *self._reactions[judgement.verdict](self, judgement, now_ms), *self._wait_patiently(now_ms)]

    def _judge(self, fact: ConnectionLost, now_ms: int) -> Judgement:
        failure = fact.failure
        attempt = self._attempt or Connect()
        alive_ms = 0 if self._live_since_ms is None else now_ms - self._live_since_ms
        lives_before = self._short_lives
        if is_short_life(failure, alive_ms):
            self._count_short_life(now_ms)
        self._note_life(now_ms)
        if self._is_lost and self._refused_at_ms is None and is_refused_setup(failure):
            self._refused_at_ms = now_ms
        history = History(
            handle_used=attempt.handle is not None,
            seeded=attempt.seed and alive_ms < STABLE_MS,
            replaying=self._replay_may_be_refused(now_ms),
            alive_ms=alive_ms,
            short_lives=self._short_lives,
            faults_ms=0 if self._first_fault_ms is None else now_ms - self._first_fault_ms,
            waits=self._waits,
            refused_ms=None if self._refused_at_ms is None else now_ms - self._refused_at_ms,
            left_out=frozenset(self._left_out),
            on_trial=fact.on_trial,
            has_guessed=self._has_guessed,
        )
        judgement = judge(failure, history)
        if judgement.may_pass:
            self._short_lives = max(lives_before, 1)  # what does not pass has then been tried often enough
        return judgement

    def _count_short_life(self, now_ms: int) -> None:
        self._short_lives += 1
        if self._first_fault_ms is None:
            self._first_fault_ms = now_ms

    def _forget_faults(self) -> None:
        self._short_lives = 0
        self._first_fault_ms = None
        self._has_guessed = False

    def _replay_may_be_refused(self, now_ms: int) -> bool:
        """Whether a refusal now may be the fault of the audio that was replayed; once that is dropped it is not."""
        if self._audio_was_dropped:
            return False
        answers_replay = self._replayed_at_ms is not None and now_ms - self._replayed_at_ms < REPLAY_ANSWER_MS
        return self._is_replaying or answers_replay

    def _note_life(self, now_ms: int) -> None:
        """The connection goes: what comes now is a new outage if it had proved that it lived."""
        if self._live_since_ms is not None:
            self._is_lost = True
            self._refused_at_ms = None
        has_lived = self._live_since_ms is not None and now_ms - self._live_since_ms >= PROOF_OF_LIFE_MS
        if has_lived:
            self._forget_outage()
        if self._lineless_since_ms is None or (has_lived and not self._is_silent):
            self._lineless_since_ms = now_ms

    def _begin_gap(self, cause: str, now_ms: int) -> None:
        """The line is left; where there was none, the gap goes on."""
        if self._live_since_ms is not None:
            self._gap = _Gap(now_ms, cause)

    def _end_gap(self, now_ms: int) -> dict[str, object]:
        """The line stands: how long it was away and why. Nothing for the first one of this process."""
        gap, self._gap = self._gap, None
        return {} if gap is None else {"gap_ms": now_ms - gap.began_ms, "cause": gap.cause}

    def _prove_stable(self) -> None:
        """The connection serves: what went wrong before is no sign of what is wrong next."""
        self._forget_faults()
        self._has_taken_refuge = False
        self._waits = 0
        self._audio_was_dropped = False
        self._is_silent = False
        self._lineless_since_ms = None

    def _forget_outage(self) -> None:
        self._backoff.forget_outage()
        self._severity_told = 0

    def _leave_connection(self) -> list[Wish]:
        """What the end of a connection means for the reply that was being given, and for its timers."""
        ended = (Timer.SWAP, Timer.STABLE, Timer.FIRST_HANDLE, Timer.LATE_WORDS)
        wishes: list[Wish] = [StopTimer(timer) for timer in ended]
        self._holds_replay = False
        self._swap_is_due = False
        self._refresh_is_due = None
        self._is_dialling = False
        self._is_replaying = False
        self._live_since_ms = None
        was, self._reply = self._reply, _Reply.NONE
        if was is _Reply.PRODUCED:
            self._handle_is_behind = True
        return wishes

    def _resume(self, judgement: Judgement, now_ms: int) -> list[Wish]:
        if self.state is State.HANDOVER and self._backoff.attempt == 0:
            if self._backoff.next_delay_ms(now_ms) is None:
                return self._give_line_up(judgement.reason, now_ms)
            return [StartTimer(Timer.REDIAL, RETRY_AFTER_CLOSE_MS)]
        return self._redial_later(judgement.reason, now_ms)

    def _start_fresh(self, judgement: Judgement, now_ms: int) -> list[Wish]:
        """Without the handle that was the cause; where there was none, dialling at once again would change nothing."""
        had_handle = self.handle is not None
        return [
            *self._forget_handle(judgement.reason),
            *self._redial_later(judgement.reason, now_ms, at_once=had_handle),
        ]

    def _step_down(self, judgement: Judgement, now_ms: int) -> list[Wish]:
        self.state = State.FALLING_BACK
        if judgement.is_guess:
            self._has_guessed = True
        else:
            self._forget_faults()
        return [
            TellState(State.FALLING_BACK, reason=judgement.reason),
            LowerLevel(judgement.reason, judgement.quota),
        ]

    def _wait(self, judgement: Judgement, now_ms: int) -> list[Wish]:
        self.state = State.RECONNECTING
        self._waits += 1
        return [
            TellState(State.RECONNECTING, self._backoff.attempt, judgement.wait_ms, judgement.reason),
            StartTimer(Timer.REDIAL, judgement.wait_ms),
        ]

    def _strip_field(self, judgement: Judgement, now_ms: int) -> list[Wish]:
        if len(self._left_out) >= FIELDS_TO_STRIP:
            return self._fail(judgement.reason)
        self._left_out.add(judgement.field)
        leave_out = LeaveOut(judgement.field)
        if self.state is State.CONNECTING:
            return [leave_out, self._dial()]
        return [leave_out, *self._redial_later(judgement.reason, now_ms, at_once=True)]

    def _give_up(self, judgement: Judgement, now_ms: int) -> list[Wish]:
        if self.features.has_other_place and judgement.reason in OF_A_PLACE:
            return self._step_down(judgement, now_ms)
        return self._give_line_up(judgement.reason, now_ms) if judgement.is_guess else self._fail(judgement.reason)

    def _redial_later(self, reason: str, now_ms: int, at_once: bool = False) -> list[Wish]:
        delay_ms = self._backoff.next_delay_ms(now_ms)
        if delay_ms is None:
            return self._give_line_up(reason, now_ms)
        self.state = State.RECONNECTING
        attempt = self._backoff.attempt
        if at_once:
            return [TellState(State.RECONNECTING, attempt, 0, reason), self._dial()]
        return [
            TellState(State.RECONNECTING, attempt, delay_ms, reason),
            StartTimer(Timer.REDIAL, delay_ms),
        ]

    def _fail(self, reason: str) -> list[Wish]:
        self.state = State.FAILED
        return [
            StopTimer(Timer.REDIAL),
            Record("failed", {"reason": reason}),
            TellState(State.FAILED, reason=reason),
            *self._say("failed"),
        ]

    def _forget_handle(self, reason: str) -> list[Wish]:
        if self.handle is None:
            return []
        self.handle = None
        self._forgotten = True
        return [ForgetHandle(reason), Record("handle_forgotten", {"reason": reason})]

    # -- dialling ----------------------------------------------------------------------------------------------------

    def _dial(self) -> Connect:
        """The best way back: by handle, by handle with what came after it, or anew with the context put back."""
        if self.handle is None:
            attempt = Connect(seed=self._has_context)
        elif not self._handle_is_behind:
            attempt = Connect(self.handle)
        elif self.features.history_anytime:
            attempt = Connect(self.handle, catch_up=True)
        else:
            attempt = Connect(seed=self._has_context)
        self._attempt = attempt
        self._is_dialling = True
        self._change_is_due = None
        return attempt

    def _on_timer_fired(self, fact: TimerFired, now_ms: int) -> list[Wish]:
        match fact.timer:
            case Timer.PARK:
                return self._end("page-gone", conversation_over=False)
            case Timer.REDIAL if not self._is_dialling and self.state in (State.RECONNECTING, State.HANDOVER):
                return [self._dial()]
            case Timer.REDIAL if self.state is State.EXHAUSTED:
                return self._ask_for_any_model()
            case Timer.SWAP if self.state is State.LIVE:
                return self._swap(GapCause.GO_AWAY, now_ms)
            case Timer.LATE_WORDS if self.state is State.LIVE:
                return self._swap_if_safe(now_ms)
            case Timer.FIRST_HANDLE:
                return self._replay_now()
            case Timer.PATIENCE:
                return self._seek_refuge(now_ms)
            case Timer.STABLE if self.state is State.LIVE:
                self._forget_outage()
                self._prove_stable()
        return []

    def _on_retry_requested(self, fact: RetryRequested, now_ms: int) -> list[Wish]:
        if self._is_dialling:
            return []
        if self.state is State.EXHAUSTED:
            self._forget_outage()
            return self._ask_for_any_model()
        self.state = State.RECONNECTING
        self._forget_outage()
        self._backoff.next_delay_ms(now_ms)
        self._forget_faults()
        self._has_taken_refuge = False
        return [
            StopTimer(Timer.REDIAL),
            TellState(State.RECONNECTING, self._backoff.attempt, 0, "retry"),
            self._dial(),
        ]

    # -- levels ------------------------------------------------------------------------------------------------------

    def _on_level_changed(self, fact: LevelChanged, now_ms: int) -> list[Wish]:
        """To another model: at once where nothing works, and at a safe point where the conversation goes on."""
        wishes: list[Wish] = [Record("level_raised" if fact.is_raised else "level_lowered", {"model": fact.model})]
        if not fact.keeps_handle:
            wishes += self._forget_handle("level-changed")
        self._change_toast = fact.toast or ("energy.restored" if fact.is_raised else "energy.lower")
        if self.state is State.FAILED and fact.is_raised:
            return [*wishes, *self._on_retry_requested(RetryRequested(), now_ms)]
        goes_on = self.state in (State.LIVE, State.FAILED)
        if goes_on or (fact.is_raised and self.state not in (State.FALLING_BACK, State.EXHAUSTED)):
            return [*wishes, *self._change_when_safe(now_ms)]
        if self.state is not State.FALLING_BACK:
            self.state = State.FALLING_BACK
            wishes += [StopTimer(Timer.REDIAL), TellState(State.FALLING_BACK, reason=StateReason.QUOTA)]
        return [*wishes, self._dial(), *self._wait_patiently(now_ms)]

    def _change_when_safe(self, now_ms: int) -> list[Wish]:
        """No outage, so its toast is no second word about one."""
        self._severity_told = 0
        if self.state is not State.LIVE and not self._is_dialling:
            return []  # the next dial takes the other model anyway
        self._change_is_due = GapCause.LEVEL_CHANGED
        return self._swap_if_safe(now_ms) if self.state is State.LIVE else []

    def _on_level_kept(self, fact: LevelKept, now_ms: int) -> list[Wish]:
        if self._is_dialling:
            return []  # asked for twice: the first answer is being acted upon
        self._forget_faults()
        self.state = State.RECONNECTING
        return [
            TellState(State.RECONNECTING, self._backoff.attempt, fact.retry_in_ms, fact.reason),
            StartTimer(Timer.REDIAL, fact.retry_in_ms),
            *self._wait_patiently(now_ms),
        ]

    def _on_ladder_exhausted(self, fact: LadderExhausted, now_ms: int) -> list[Wish]:
        left: list[Wish] = []
        self._begin_gap(fact.why.reason, now_ms)
        if self.state is State.LIVE or self._is_dialling:
            left = [HoldInput(), *self._leave_connection(), CloseUpstream()]
        return [*left, *self._forget_handle("exhausted"), *self._exhaust(fact.why)]

    def _exhaust(self, why: NoModel) -> list[Wish]:
        self.state = State.EXHAUSTED
        self._is_dialling = False
        self._lineless_since_ms = None
        self._change_toast = ""
        wishes: list[Wish] = [
            Record("exhausted"),
            TellState(State.EXHAUSTED, retry_in_ms=why.retry_in_ms, reason=why.reason),
            *self._say("exhausted"),
        ]
        if why.retry_in_ms is not None:
            wishes.append(StartTimer(Timer.REDIAL, why.retry_in_ms))
        return wishes

    def _ask_for_any_model(self) -> list[Wish]:
        self.state = State.FALLING_BACK
        self._forget_faults()
        return [StopTimer(Timer.REDIAL), TellState(State.FALLING_BACK, reason="retry"), RestoreLevel()]

    # -- the page, and the end ---------------------------------------------------------------------------------------

    def _on_page_gone(self, fact: PageGone, now_ms: int) -> list[Wish]:
        return [Record("page_gone"), StartTimer(Timer.PARK, PARK_MS)]

    def _on_page_back(self, fact: PageBack, now_ms: int) -> list[Wish]:
        wishes: list[Wish] = [StopTimer(Timer.PARK), Record("page_back", {"away_ms": fact.away_ms})]
        if self.state is State.FAILED:
            wishes += self._on_retry_requested(RetryRequested(), now_ms)
        elif self.state is State.LIVE:
            self._page_away_ms = fact.away_ms
            wishes += self._say_away()
        return wishes

    def _say_away(self) -> list[Wish]:
        """The page's own leg was torn, and all is as it was: one toast, if anybody could notice."""
        away_ms, self._page_away_ms = self._page_away_ms, 0
        return [Toast("reconnected", away_ms)] if away_ms >= NOTICEABLE_OUTAGE_MS else []

    def _on_hang_up_requested(self, fact: HangUpRequested, now_ms: int) -> list[Wish]:
        if self.state is not State.LIVE:
            return self._end("hung-up", conversation_over=True)
        left = self._leave_connection()
        return [*left, *self._part("hung-up", True), CloseAfterTail(), *_finish("hung-up", True)]

    def _on_owner_leaving(self, fact: OwnerLeaving, now_ms: int) -> list[Wish]:
        return self._end(fact.reason, fact.conversation_over)

    def _end(self, reason: str, conversation_over: bool) -> list[Wish]:
        left = [HoldInput(), *self._leave_connection()]
        return [*left, *self._part(reason, conversation_over), CloseUpstream(), *_finish(reason, conversation_over)]

    def _part(self, reason: str, conversation_over: bool) -> list[Wish]:
        self.state = State.ENDED
        wishes: list[Wish] = [StopTimer(timer) for timer in (Timer.REDIAL, Timer.PARK, Timer.PATIENCE)]
        if conversation_over:
            wishes += [*self._forget_handle(reason), TellState(State.ENDED, reason=reason)]
        return wishes

    _handlers: Mapping[type[Fact], Callable[..., list[Wish]]] = {
        Opened: _on_opened,
        SetupCompleted: _on_setup_completed,
        ConnectionLost: _on_connection_lost,
        CloseFinished: _on_close_finished,
        HandleOffered: _on_handle_offered,
        HandleWithdrawn: _on_handle_withdrawn,
        GoAwayReceived: _on_go_away_received,
        ProviderSilent: _on_provider_silent,
        LineGone: _on_line_gone,
        SendBlocked: _on_send_blocked,
        MemoryLost: _on_memory_lost,
        ReplyBegan: _on_reply_began,
        ReplyProduced: _on_reply_produced,
        ReplyEnded: _on_reply_ended,
        BacklogReplayed: _on_backlog_replayed,
        TimerFired: _on_timer_fired,
        RetryRequested: _on_retry_requested,
        RefreshRequested: _on_refresh_requested,
        ForgetRequested: _on_forget_requested,
        SettingsChanged: _on_settings_changed,
        LevelChanged: _on_level_changed,
        LevelKept: _on_level_kept,
        LadderExhausted: _on_ladder_exhausted,
        PageGone: _on_page_gone,
        PageBack: _on_page_back,
        HangUpRequested: _on_hang_up_requested,
        OwnerLeaving: _on_owner_leaving,
    }

    _reactions: Mapping[Verdict, Callable[..., list[Wish]]] = {
        Verdict.RESUME: _resume,
        Verdict.FRESH: _start_fresh,
        Verdict.NEXT_MODEL: _step_down,
        Verdict.WAIT: _wait,
        Verdict.STRIP_FIELD: _strip_field,
        Verdict.STOP: _give_up,
    }


def _finish(reason: str, conversation_over: bool) -> list[Wish]:
    return [Record("ended", {"reason": reason}), Finish(reason, conversation_over)]


def swap_deadline_ms(time_left_ms: int) -> int:
    """When a planned swap is forced, counted from the GoAway."""
    if time_left_ms < SHORT_NOTICE_MS:
        return time_left_ms // 2
    return time_left_ms - GO_AWAY_MARGIN_MS


def _action_of(attempt: Connect) -> Action:
    if attempt.handle is not None:
        return Action.RESUMED
    return Action.REBUILT if attempt.seed else Action.NEW


def _facts_of(failure: Failure, judgement: Judgement) -> dict[str, object]:
    return {
        "code": failure.code,
        "text": failure.text,
        "phase": failure.phase,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
    }
