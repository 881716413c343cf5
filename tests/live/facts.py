"""Facts of every kind, and which cannot come in which state, and why: written beside the table, not read from it."""

from __future__ import annotations

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
    Timer,
    TimerFired,
)
from tests.live.play import (
    ABORTED,
    BAD_KEY,
    DEAD_HANDLE,
    INTERNAL,
    INVALID,
    NETWORK,
    QUOTA,
    RATE_LIMIT,
    REFUSED,
    UNKNOWN_FIELD,
)

FACTS: list[Fact] = [
    Opened(),
    Opened("handle-0", handle_is_behind=True, has_context=True),
    Opened("handle-0", was_cut=True),
    SetupCompleted(),
    *(
        ConnectionLost(failure)
        for failure in (
            NETWORK,
            ABORTED,
            INTERNAL,
            INVALID,
            DEAD_HANDLE,
            REFUSED,
            QUOTA,
            BAD_KEY,
            RATE_LIMIT,
            UNKNOWN_FIELD,
        )
    ),
    CloseFinished(),
    HandleOffered("handle-2"),
    HandleOffered("handle-2", covers_context=False),
    HandleWithdrawn(),
    GoAwayReceived(50_000),
    GoAwayReceived(0),
    ProviderSilent(),
    LineGone(),
    ProviderSilent("silent", costs_handle=True),
    SendBlocked(),
    MemoryLost(),
    ReplyBegan(),
    ReplyProduced(),
    ReplyEnded(),
    BacklogReplayed(),
    *(TimerFired(timer) for timer in Timer),
    RetryRequested(),
    RefreshRequested(),
    ForgetRequested(),
    SettingsChanged(keeps_handle=True),
    SettingsChanged(keeps_handle=False),
    LevelChanged("gemini-3.8-live-extended-thinking"),
    LevelKept(20_000),
    LadderExhausted(),
    PageGone(),
    PageBack(),
    HangUpRequested(),
    OwnerLeaving("draining"),
    OwnerLeaving("reset", conversation_over=True),
]


IMPOSSIBLE: dict[str, set[tuple[State, type[Fact]]]] = {
    "a session is opened once": {(state, Opened) for state in State if state not in (State.IDLE, State.ENDED)},
    "nobody has dialled": {
        (state, SetupCompleted) for state in (State.IDLE, State.LIVE, State.EXHAUSTED, State.FAILED)
    },
    "there never was a connection": {
        (State.IDLE, fact)
        for fact in (
            *(ConnectionLost, CloseFinished, HandleOffered, HandleWithdrawn, GoAwayReceived, ProviderSilent, LineGone),
            *(SendBlocked, MemoryLost, ReplyBegan, ReplyProduced, ReplyEnded, BacklogReplayed),
        )
    },
}
"""What cannot come, and why. Everything else has to have an answer in every state."""


def can_come(state: State, fact: type[Fact]) -> bool:
    """Whether a fact of this kind may come in this state."""
    return not any((state, fact) in pairs for pairs in IMPOSSIBLE.values())
