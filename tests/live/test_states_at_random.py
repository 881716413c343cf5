"""Whatever happens in whatever order: what the state machine may never do."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sessions_app.live.machine.events import (
    Action,
    BacklogReplayed,
    CloseAfterTail,
    CloseFinished,
    CloseUpstream,
    Connect,
    ConnectionLost,
    Fact,
    Finish,
    ForgetHandle,
    ForgetRequested,
    GoAwayReceived,
    HandleOffered,
    HandleWithdrawn,
    HangUpRequested,
    LadderExhausted,
    LeaveUpstream,
    LevelChanged,
    LevelKept,
    LineGone,
    LowerLevel,
    MemoryLost,
    Opened,
    OwnerLeaving,
    PageBack,
    PageGone,
    ProviderSilent,
    Record,
    RefreshRequested,
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
    TellReady,
    TellState,
    Timer,
    TimerFired,
    Toast,
)
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.machine.states import PROOF_OF_LIFE_MS, STABLE_MS, Features, SessionMachine
from sessions_app.live.machine.transitions import TRANSITIONS
from tests.repeatable import cases

TEXTS = [
    (1006, "abnormal closure [internal]"),
    (1008, "The operation was aborted."),
    (1011, "Internal error encountered."),
    (1007, "Request contains an invalid argument."),
    (1008, "BidiGenerateContent session not found"),
    (1011, "You exceeded your current quota"),
    (1007, "API key not valid."),
    (1007, "Unknown name \"proactivity\" at 'setup': Cannot find field."),
    (1000, ""),
    (0, "timed out"),
]

ENDS = [HangUpRequested(), OwnerLeaving("draining"), OwnerLeaving("reset", conversation_over=True)]

SEVERITY = {
    "reconnected": 1,
    "rebuilt": 2,
    "started": 2,
    "energy.lower": 2,
    "energy.in_turns": 2,
    "settings.applied": 2,
    "failed": 3,
    "exhausted": 3,
}

NEW_SESSION = SettingsChanged(keeps_handle=False)


class AnyLife(RuleBasedStateMachine):
    """A provider, a page and a clock that do as they please; the driver's part is played as the driver does it.

    The tests' own bookkeeping: which timers run, whether a connection is open or being dialled or closed, which handles
    were forgotten, what was said in this outage, and since when there is no line.
    """

    machine_type: type[SessionMachine] = SessionMachine

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.timers: dict[Timer, int] = {}
        self.forgotten: set[str] = set()
        self.connect: Connect | None = None
        self.is_open = False
        self.open_since_ms = 0
        self.is_closing = False
        self.awaits_level = self.seeks_refuge = False
        self.handles = 0
        self.said: list[str] = []
        self.left_at_ms: int | None = None

    @initialize(
        anytime=st.booleans(),
        chance=st.floats(0, 0.999),
        handle=st.none() | st.just("of-before"),
        behind=st.booleans(),
        context=st.booleans(),
        patience_ms=st.sampled_from([None, 10_000]),
    )
    def open(
        self, anytime: bool, chance: float, handle: str | None, behind: bool, context: bool, patience_ms: int | None
    ) -> None:
        self.machine = self.machine_type(Features(anytime, patience_ms=patience_ms), lambda: chance)
        self.tell(Opened(handle, behind, context))

    # -- the driver's part -------------------------------------------------------------------------------------------

    def tell(self, fact: Fact) -> None:
        before = self.machine.state
        wishes = self.machine.handle_fact(fact, self.now_ms)
        after = self.machine.state
        assert after is before or after in TRANSITIONS[before].get(type(fact), ())
        if before is State.LIVE and after is not State.LIVE:
            self.left_at_ms = self.now_ms
        for wish in wishes:
            match wish:
                case Connect(handle):
                    assert self.connect is None, "one attempt at a time"
                    assert not self.is_open, "one connection at a time"
                    assert not self.is_closing, "not before the old one is closed"
                    assert handle not in self.forgotten
                    self.connect = wish
                case ForgetHandle():
                    assert self.machine.handle is None
                case CloseUpstream():
                    self.is_closing = self.is_open or self.connect is not None
                    self.is_open = False
                    self.connect = None
                case LeaveUpstream() | CloseAfterTail():
                    self.is_open, self.connect = False, None
                case StartTimer(timer, ms):
                    assert ms >= 0
                    self.timers[timer] = self.now_ms + ms
                case StopTimer(timer):
                    self.timers.pop(timer, None)
                case TellReady(Action.RESUMED):
                    assert self.used is not None, "resumed is said only of a handle"
                case TellReady(action):
                    assert self.used is None, f"{action} is said only without a handle"
                case TellState(state):
                    assert state is after
                case Toast(code):
                    self.said.append(code)
                case Record("connected", data):
                    away_ms = None if self.left_at_ms is None else self.now_ms - self.left_at_ms
                    assert data.get("gap_ms") == away_ms, "a gap is the time without a line"
                    assert ("cause" in data) is (away_ms is not None)
                    self.left_at_ms = None
                case SeekRefuge():
                    assert self.machine.features.patience_ms is not None
                    self.awaits_level = self.seeks_refuge = True
                case LowerLevel() | RestoreLevel():
                    self.awaits_level = True
                case Finish():
                    assert after is State.ENDED

    @property
    def used(self) -> str | None:
        assert self.connect is not None
        return self.connect.handle

    def forget_what_is_forgotten(self, held: str | None) -> None:
        if held is not None and self.machine.handle is None:
            self.forgotten.add(held)

    # -- the provider's part -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.connect is not None and not self.is_closing)
    @rule()
    def complete_setup(self) -> None:
        self.tell(SetupCompleted())
        self.connect, self.is_open, self.open_since_ms = None, True, self.now_ms

    @precondition(lambda self: self.connect is not None and not self.is_closing)
    @rule(text=st.sampled_from(TEXTS), phase=st.sampled_from([Phase.HANDSHAKE, Phase.SETUP]))
    def refuse(self, text: tuple[int, str], phase: Phase) -> None:
        self.lose(Failure(*text, phase))

    @precondition(lambda self: self.is_open)
    @rule(text=st.sampled_from(TEXTS))
    def cut(self, text: tuple[int, str]) -> None:
        self.lose(Failure(*text, Phase.LIVE))

    def lose(self, failure: Failure) -> None:
        if self.is_open and self.now_ms - self.open_since_ms >= PROOF_OF_LIFE_MS:
            self.said.clear()
        self.connect, self.is_open = None, False
        held = self.machine.handle
        self.tell(ConnectionLost(failure))
        self.forget_what_is_forgotten(held)

    @precondition(lambda self: self.is_closing)
    @rule()
    def finish_closing(self) -> None:
        self.is_closing = False
        self.tell(CloseFinished())

    @precondition(lambda self: self.is_open)
    @rule(covers=st.booleans())
    def offer_handle(self, covers: bool) -> None:
        self.handles += 1
        self.note_swap()
        self.tell(HandleOffered(f"handle-{self.handles}", covers))

    @precondition(lambda self: self.is_open)
    @rule(
        fact=st.sampled_from(
            [
                HandleWithdrawn(),
                GoAwayReceived(50_000),
                GoAwayReceived(0),
                ReplyBegan(),
                ReplyProduced(),
                ReplyEnded(),
                BacklogReplayed(),
                BacklogReplayed(anything=False),
                ProviderSilent(),
                LineGone(),
                ProviderSilent("silent", costs_handle=True),
                SendBlocked(),
                MemoryLost(),
            ]
        )
    )
    def say(self, fact: Fact) -> None:
        self.note_swap()
        held = self.machine.handle
        self.tell(fact)
        self.forget_what_is_forgotten(held)

    def note_swap(self) -> None:
        """A planned swap of a connection that lived begins a new outage, if it is one at all."""
        if self.is_open and self.now_ms - self.open_since_ms >= PROOF_OF_LIFE_MS:
            self.said.clear()

    # -- the clock's, the page's and the ladder's part ---------------------------------------------------------------

    @precondition(lambda self: self.timers)
    @rule()
    def wait_for_the_next_timer(self) -> None:
        timer = min(self.timers, key=lambda name: self.timers[name])
        self.now_ms = max(self.now_ms, self.timers.pop(timer))
        if timer is Timer.STABLE and self.machine.state is State.LIVE:
            assert self.now_ms - self.open_since_ms >= STABLE_MS
            self.said.clear()
        self.note_swap()
        held = self.machine.handle
        self.tell(TimerFired(timer))
        self.forget_what_is_forgotten(held)

    @rule(ms=st.integers(1, 700))
    def wait(self, ms: int) -> None:
        self.now_ms += ms

    @rule()
    def retry(self) -> None:
        if self.connect is None and self.machine.state in (State.RECONNECTING, State.FAILED, State.EXHAUSTED):
            self.said.clear()
        self.tell(RetryRequested())

    @rule(
        fact=st.sampled_from([RefreshRequested(), ForgetRequested(), SettingsChanged(keeps_handle=True), NEW_SESSION])
    )
    def ask(self, fact: Fact) -> None:
        self.note_swap()
        if fact == NEW_SESSION and self.machine.state is State.LIVE:
            self.said.clear()
        held = self.machine.handle
        self.tell(fact)
        self.forget_what_is_forgotten(held)

    @rule()
    def leave_page(self) -> None:
        self.tell(PageGone())

    @rule()
    def come_back(self) -> None:
        if self.machine.state is State.FAILED:
            self.said.clear()
        self.tell(PageBack())

    @precondition(lambda self: self.awaits_level)
    @rule(none=st.booleans())
    def answer_for_the_ladder(self, none: bool) -> None:
        sought, self.awaits_level, self.seeks_refuge = self.seeks_refuge, False, False
        if self.machine.state is not State.FALLING_BACK:
            return
        if sought:
            kept, features = self.machine.features, Features(history_anytime=True)
            self.machine.features = kept if none else features
            self.tell(LevelKept(1_000) if none else LevelChanged("in-turns", toast="energy.in_turns"))
        else:
            self.tell(LadderExhausted() if none else LevelChanged("next"))

    @rule(
        fact=st.sampled_from([HangUpRequested(), OwnerLeaving("draining"), OwnerLeaving("reset", True)]),
        really=st.integers(0, 9),
    )
    def end(self, fact: Fact, really: int) -> None:
        if really == 0:
            self.tell(fact)

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def one_toast_an_outage_unless_it_became_worse(self) -> None:
        severity = [SEVERITY[code] for code in self.said]
        assert severity == sorted(set(severity))

    @invariant()
    def a_live_session_has_a_connection_and_no_other_has_one(self) -> None:
        if hasattr(self, "machine"):
            assert self.is_open is (self.machine.state is State.LIVE)

    @invariant()
    def a_session_under_way_never_waits_for_nothing(self) -> None:
        """Something is sure to happen in every state in which the page shows that something will."""
        if not hasattr(self, "machine"):
            return
        under_way = {State.CONNECTING, State.HANDOVER, State.RECONNECTING, State.FALLING_BACK}
        if self.machine.state in under_way:
            assert self.connect or self.is_closing or self.awaits_level or Timer.REDIAL in self.timers


AnyLife.TestCase.settings = settings(max_examples=cases(150), stateful_step_count=60)
TestAnyLife = AnyLife.TestCase
