"""The transition table of a live session: the one list of legal moves, and of what is ignored where.

Late facts that do no harm are listed in `IGNORED`; any other fact that a state does not expect raises and changes
nothing. `docs/architecture.md` shows the diagram printed from `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sessions_app.live.machine.events import (
    BacklogReplayed,
    CloseFinished,
    ConnectionLost,
    Fact,
    ForgetRequested,
    GoAwayReceived,
    HandleOffered,
    HandleWithdrawn,
    HangUpRequested,
    LadderExhausted,
    LevelChanged,
    LevelKept,
    LineGone,
    MemoryLost,
    Opened,
    OwnerLeaving,
    PageBack,
    PageGone,
    ProviderSilent,
    RefreshRequested,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    RetryRequested,
    SendBlocked,
    SettingsChanged,
    SetupCompleted,
    State,
    TimerFired,
)

S = State

TRANSITIONS: Mapping[State, Mapping[type[Fact], frozenset[State]]] = {
    S.IDLE: {
        Opened: frozenset({S.CONNECTING, S.EXHAUSTED}),
        PageGone: frozenset({S.IDLE}),
        PageBack: frozenset({S.IDLE}),
        TimerFired: frozenset({S.IDLE, S.ENDED}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.CONNECTING: {
        SetupCompleted: frozenset({S.LIVE}),
        LevelChanged: frozenset({S.CONNECTING, S.FALLING_BACK}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        ConnectionLost: frozenset({S.CONNECTING, S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        ForgetRequested: frozenset({S.CONNECTING}),
        SettingsChanged: frozenset({S.CONNECTING}),
        PageGone: frozenset({S.CONNECTING}),
        PageBack: frozenset({S.CONNECTING}),
        TimerFired: frozenset({S.CONNECTING, S.ENDED, S.FALLING_BACK}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.LIVE: {
        HandleOffered: frozenset({S.LIVE, S.HANDOVER}),
        HandleWithdrawn: frozenset({S.LIVE}),
        GoAwayReceived: frozenset({S.LIVE, S.HANDOVER}),
        ProviderSilent: frozenset({S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        LineGone: frozenset({S.LIVE, S.FALLING_BACK}),
        SendBlocked: frozenset({S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        MemoryLost: frozenset({S.HANDOVER}),
        LevelChanged: frozenset({S.LIVE, S.HANDOVER}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        ReplyBegan: frozenset({S.LIVE}),
        ReplyProduced: frozenset({S.LIVE}),
        ReplyEnded: frozenset({S.LIVE, S.HANDOVER}),
        BacklogReplayed: frozenset({S.LIVE}),
        ConnectionLost: frozenset({S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        TimerFired: frozenset({S.LIVE, S.HANDOVER, S.ENDED, S.FALLING_BACK}),
        RefreshRequested: frozenset({S.LIVE, S.HANDOVER}),
        ForgetRequested: frozenset({S.LIVE}),
        SettingsChanged: frozenset({S.LIVE, S.HANDOVER}),
        PageGone: frozenset({S.LIVE}),
        PageBack: frozenset({S.LIVE}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.HANDOVER: {
        CloseFinished: frozenset({S.HANDOVER}),
        LevelChanged: frozenset({S.HANDOVER, S.FALLING_BACK}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        SetupCompleted: frozenset({S.LIVE}),
        ConnectionLost: frozenset({S.HANDOVER, S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        TimerFired: frozenset({S.HANDOVER, S.ENDED, S.FALLING_BACK}),
        ForgetRequested: frozenset({S.HANDOVER}),
        SettingsChanged: frozenset({S.HANDOVER}),
        PageGone: frozenset({S.HANDOVER}),
        PageBack: frozenset({S.HANDOVER}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.RECONNECTING: {
        SetupCompleted: frozenset({S.LIVE}),
        LevelChanged: frozenset({S.RECONNECTING, S.FALLING_BACK}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        ConnectionLost: frozenset({S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        TimerFired: frozenset({S.RECONNECTING, S.ENDED, S.FALLING_BACK}),
        RetryRequested: frozenset({S.RECONNECTING}),
        ForgetRequested: frozenset({S.RECONNECTING}),
        SettingsChanged: frozenset({S.RECONNECTING}),
        PageGone: frozenset({S.RECONNECTING}),
        PageBack: frozenset({S.RECONNECTING}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.FALLING_BACK: {
        LevelChanged: frozenset({S.FALLING_BACK}),
        LevelKept: frozenset({S.FALLING_BACK, S.RECONNECTING}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        SetupCompleted: frozenset({S.LIVE}),
        ConnectionLost: frozenset({S.RECONNECTING, S.FALLING_BACK, S.FAILED}),
        TimerFired: frozenset({S.FALLING_BACK, S.ENDED}),
        ForgetRequested: frozenset({S.FALLING_BACK}),
        SettingsChanged: frozenset({S.FALLING_BACK}),
        PageGone: frozenset({S.FALLING_BACK}),
        PageBack: frozenset({S.FALLING_BACK}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.EXHAUSTED: {
        RetryRequested: frozenset({S.FALLING_BACK}),
        TimerFired: frozenset({S.EXHAUSTED, S.FALLING_BACK, S.ENDED}),
        LevelChanged: frozenset({S.EXHAUSTED, S.FALLING_BACK}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        ForgetRequested: frozenset({S.EXHAUSTED}),
        SettingsChanged: frozenset({S.EXHAUSTED}),
        PageGone: frozenset({S.EXHAUSTED}),
        PageBack: frozenset({S.EXHAUSTED}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.FAILED: {
        RetryRequested: frozenset({S.RECONNECTING}),
        LevelChanged: frozenset({S.FAILED, S.RECONNECTING}),
        LadderExhausted: frozenset({S.EXHAUSTED}),
        TimerFired: frozenset({S.FAILED, S.ENDED}),
        ForgetRequested: frozenset({S.FAILED}),
        SettingsChanged: frozenset({S.FAILED}),
        PageGone: frozenset({S.FAILED}),
        PageBack: frozenset({S.FAILED, S.RECONNECTING}),
        HangUpRequested: frozenset({S.ENDED}),
        OwnerLeaving: frozenset({S.ENDED}),
    },
    S.ENDED: {},
}

_LATE_PROVIDER_FACTS = (
    ProviderSilent,
    LineGone,
    SendBlocked,
    MemoryLost,
    HandleOffered,
    HandleWithdrawn,
    GoAwayReceived,
    ReplyBegan,
    ReplyProduced,
    ReplyEnded,
    BacklogReplayed,
)

_WISHES_OF_THE_USER = (RetryRequested, RefreshRequested)
"""For another connection: where one is being made already, it is the one."""

IGNORED: Mapping[State, frozenset[type[Fact]]] = {
    # Whoever waits for a place asks for the level when the place is there.
    S.IDLE: frozenset(
        {*_WISHES_OF_THE_USER, ForgetRequested, SettingsChanged, LevelChanged, LevelKept, LadderExhausted}
    ),
    S.CONNECTING: frozenset({*_LATE_PROVIDER_FACTS, *_WISHES_OF_THE_USER, LevelKept, CloseFinished}),
    S.LIVE: frozenset({RetryRequested, CloseFinished, LevelKept}),
    S.HANDOVER: frozenset({*_LATE_PROVIDER_FACTS, *_WISHES_OF_THE_USER, LevelKept}),
    S.RECONNECTING: frozenset({*_LATE_PROVIDER_FACTS, RefreshRequested, LevelKept, CloseFinished}),
    S.FALLING_BACK: frozenset({*_LATE_PROVIDER_FACTS, *_WISHES_OF_THE_USER, CloseFinished}),
    S.EXHAUSTED: frozenset({*_LATE_PROVIDER_FACTS, RefreshRequested, LevelKept, ConnectionLost, CloseFinished}),
    S.FAILED: frozenset({*_LATE_PROVIDER_FACTS, RefreshRequested, LevelKept, ConnectionLost, CloseFinished}),
    S.ENDED: frozenset(Fact.__args__),
}


class UnexpectedFact(Exception):
    """A fact came that the table does not list for this state: an internal error, and nothing was changed."""

    def __init__(self, state: State, fact: Fact) -> None:
        super().__init__(f"{type(fact).__name__} is not expected in state {state}")
        self.state = state
        self.fact = fact
