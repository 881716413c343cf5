"""A state machine with a clock beside it, so that tests read as what happened and what was wished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sessions_app.live.machine.events import BacklogReplayed as Replayed
from sessions_app.live.machine.events import (
    ConnectionLost,
    Fact,
    GoAwayReceived,
    HandleOffered,
    HangUpRequested,
    LadderExhausted,
    Opened,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    SetupCompleted,
    State,
    TellState,
    Timer,
    TimerFired,
    Wish,
)
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.machine.states import Features, SessionMachine
from sessions_app.live.machine.turns import LATE_WORDS_MS

W = TypeVar("W")

NETWORK = Failure(1006, "abnormal closure [internal]", Phase.LIVE)
ABORTED = Failure(1008, "The operation was aborted.", Phase.LIVE)
INTERNAL = Failure(1011, "Internal error encountered.", Phase.LIVE)
INVALID = Failure(1007, "Request contains an invalid argument.", Phase.LIVE)
DEAD_HANDLE = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)
REFUSED = Failure(0, "[Errno 111] Connect call failed", Phase.HANDSHAKE)
QUOTA = Failure(1011, "You exceeded your current quota, please check your plan and billing details.", Phase.LIVE)
BAD_KEY = Failure(1007, "API key not valid. Please pass a valid API key.", Phase.SETUP)
RATE_LIMIT = Failure(429, "", Phase.HANDSHAKE, retry_after_ms=12_000)
UNKNOWN_FIELD = Failure(1007, "Unknown name \"proactivity\" at 'setup': Cannot find field.", Phase.SETUP)

LIVED_MS = 60_000
"""A life long enough to prove anything."""


class Play:
    """Feeds a machine and remembers its wishes. `random` is 0.5 unless told otherwise."""

    def __init__(self, *, history_anytime: bool = True, random: Callable[[], float] = lambda: 0.5) -> None:
        self.machine = SessionMachine(Features(history_anytime), random)
        self.now_ms = 1_000
        self.wishes: list[Wish] = []

    @property
    def state(self) -> State:
        return self.machine.state

    def is_in(self, state: State) -> bool:
        return self.machine.state is state

    def tell(self, fact: Fact, after_ms: int = 0) -> list[Wish]:
        """Let time pass, tell one fact, and give what is wished for it."""
        self.now_ms += after_ms
        wishes = self.machine.handle_fact(fact, self.now_ms)
        self.wishes += wishes
        return wishes

    def lose(self, failure: Failure = NETWORK, after_ms: int = LIVED_MS) -> list[Wish]:
        return self.tell(ConnectionLost(failure), after_ms)

    # -- ways to the states ------------------------------------------------------------------------------------------

    def open(self, **opened: Any) -> Play:
        self.tell(Opened(**opened))
        return self

    def go_live(self, **opened: Any) -> Play:
        self.open(**opened)
        return self.complete_setup()

    def complete_setup(self, after_ms: int = 100) -> Play:
        self.tell(SetupCompleted(), after_ms)
        self.tell(Replayed(anything=False))
        return self

    def offer_handle(self, handle: str = "handle-1") -> Play:
        self.tell(HandleOffered(handle), 10)
        return self

    def have_a_turn(self, handle: str | None = None) -> Play:
        """A whole reply, and the handle that comes after it."""
        self.tell(ReplyBegan(), 500)
        self.tell(ReplyProduced(), 800)
        self.tell(ReplyEnded(), 1_500)
        return self.offer_handle(handle) if handle else self

    def wait_for_late_words(self) -> list[Wish]:
        """Time passes in which words of the last reply may still come."""
        return self.tell(TimerFired(Timer.LATE_WORDS), LATE_WORDS_MS)

    def hand_over(self) -> Play:
        self.offer_handle().tell(GoAwayReceived(50_000))
        assert self.state is State.HANDOVER
        return self


def of(wishes: Sequence[object], kind: type[W]) -> list[W]:
    """The wishes, or steps, of one kind."""
    return [wish for wish in wishes if isinstance(wish, kind)]


def only(wishes: list[Wish], kind: type[W]) -> W:
    """The one wish of its kind."""
    (found,) = of(wishes, kind)
    return found


def told(wishes: list[Wish]) -> list[State]:
    """The states that the page is told."""
    return [wish.state for wish in of(wishes, TellState)]


def play_to(state: State, **options: Any) -> Play:
    """A machine that has come to this state in the shortest way."""
    play = Play(**options)
    if state is State.CONNECTING:
        play.open()
    elif state is State.LIVE:
        play.go_live()
    elif state is State.HANDOVER:
        play.go_live().hand_over()
    elif state is State.RECONNECTING:
        play.go_live().lose()
    elif state is State.FALLING_BACK:
        play.go_live().lose(QUOTA)
    elif state is State.EXHAUSTED:
        play.go_live().lose(QUOTA)
        play.tell(LadderExhausted())
    elif state is State.FAILED:
        play.open().lose(BAD_KEY)
    elif state is State.ENDED:
        play.go_live().tell(HangUpRequested())
    assert play.state is state
    return play
