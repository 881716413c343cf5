"""What becomes of a live session as somebody counts it who watches from outside: pure.

The machine decides; from its facts and wishes this tells when an opening, a swap, a resume or an alarm is over, and how
it ended. Every one that begins ends exactly once, with an outcome that has a name. All durations are in milliseconds.

* An *opening* is the way from the wish for a live session to the first connection that serves it.
* A *swap* is the way from one connection that served to the next one; while it lasts, input is held.
* A *resume* is one dial with a handle.
* An *alarm* is a suspicion that something is dead or was not heard. What is done about it is undone by nobody, but what
  comes next tells whether it was right: an answer that the connection before had not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sessions_app.live.machine.events import (
    Connect,
    ConnectionLost,
    Fact,
    ForgetHandle,
    LadderExhausted,
    LevelChanged,
    MemoryLost,
    ProviderSilent,
    Record,
    ReplyBegan,
    ReplyEnded,
    SendBlocked,
    SetupCompleted,
    State,
    Wish,
)
from sessions_app.live.machine.reasons import GapCause


class Outcome(StrEnum):
    """Of openings and swaps. The first three are how the session is served now."""

    NEW = "new"
    RESUMED = "resumed"
    REBUILT = "rebuilt"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    ENDED = "ended"


SERVED = (Outcome.NEW, Outcome.RESUMED, Outcome.REBUILT)


class SwapKind(StrEnum):
    """Why the connection before was left. `RETRY`: everything had been given up, and is tried again."""

    GO_AWAY = "go-away"
    LEVEL = "level"
    REFRESH = "refresh"
    SETTINGS = "settings"
    MEMORY_LOST = "memory-lost"
    CONNECTION_LOST = "connection-lost"
    SILENT = "silent"
    SEND_BLOCKED = "send-blocked"
    RETRY = "retry"


class ResumeOutcome(StrEnum):
    """`REFUSED`: the handle is given up for it. `FAILED`: the dial was. `LEFT`: something else was wanted meanwhile.
    `FORGOT` comes besides `ACCEPTED`, when the first turn shows that the provider remembers nothing."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    LEFT = "left"
    FORGOT = "forgot"


class Alarm(StrEnum):
    """`SILENT`: nothing came for too long. `EMPTY_TURNS`: turns without a word. `SEND_BLOCKED`: nothing was taken.
    `NOT_HEARD`: the user spoke, by our own ear alone. `SLOW_SETUP`: a second dial was made beside a slow one."""

    SILENT = "silent"
    EMPTY_TURNS = "empty-turns"
    SEND_BLOCKED = "send-blocked"
    NOT_HEARD = "not-heard"
    SLOW_SETUP = "slow-setup"


class AlarmOutcome(StrEnum):
    """`UNKNOWN`: the session ended before it showed."""

    RIGHT = "right"
    FALSE = "false"
    UNKNOWN = "unknown"


class ResentReason(StrEnum):
    """`SWAP`: the new connection does not know them. `NOT_HEARD`: the present one has not answered them."""

    SWAP = "swap"
    NOT_HEARD = "not-heard"


@dataclass(frozen=True, slots=True)
class OpeningEnded:
    outcome: Outcome
    ms: int


@dataclass(frozen=True, slots=True)
class Swapped:
    """`ms`: how long nothing was served; of a swap that did not come to an end, until it was given up."""

    kind: SwapKind
    outcome: Outcome
    ms: int


@dataclass(frozen=True, slots=True)
class SetUp:
    """A dial went through. `outcome`: one of `SERVED`."""

    outcome: Outcome
    ms: int


@dataclass(frozen=True, slots=True)
class ResumeTried:
    outcome: ResumeOutcome


@dataclass(frozen=True, slots=True)
class ConnectionJudged:
    """A connection, or the attempt at one, was lost: values of `failures.Phase` and `failures.Verdict`."""

    phase: str
    verdict: str


@dataclass(frozen=True, slots=True)
class AlarmJudged:
    alarm: Alarm
    outcome: AlarmOutcome


@dataclass(frozen=True, slots=True)
class WaitedInLine:
    """For a place in the budget of the project. `was_let_in`: else it left, or was ended, before it had one."""

    ms: int
    was_let_in: bool


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply is over; `ms` since it began."""

    ms: int


@dataclass(frozen=True, slots=True)
class FramesResent:
    """So many frames of the microphone go to the provider once more."""

    count: int
    reason: ResentReason


@dataclass(frozen=True, slots=True)
class InputLost:
    """`reason`: as in the `lost` message of the browser protocol."""

    ms: int
    messages: int
    reason: str


@dataclass(frozen=True, slots=True)
class LevelMoved:
    """`reason`: a value of `energy.levels.Reason`."""

    is_raised: bool
    reason: str


@dataclass(frozen=True, slots=True)
class TurnCounted:
    """What the provider reports of a turn, in tokens; thoughts were put out, too."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Left:
    """The live session is over in this process."""


Observation = (
    OpeningEnded
    | Swapped
    | SetUp
    | ResumeTried
    | ConnectionJudged
    | AlarmJudged
    | WaitedInLine
    | Replied
    | FramesResent
    | InputLost
    | LevelMoved
    | TurnCounted
    | Left
)

GIVEN_UP = {State.FAILED: Outcome.FAILED, State.EXHAUSTED: Outcome.EXHAUSTED, State.ENDED: Outcome.ENDED}
NOT_UNDER_WAY = {State.IDLE, State.LIVE, *GIVEN_UP}


_KINDS: Mapping[str, SwapKind] = {
    GapCause.GO_AWAY: SwapKind.GO_AWAY,
    GapCause.LEVEL_CHANGED: SwapKind.LEVEL,
    GapCause.REFRESH: SwapKind.REFRESH,
    GapCause.SETTINGS: SwapKind.SETTINGS,
    GapCause.MEMORY_LOST: SwapKind.MEMORY_LOST,
}
"""Of swaps that the machine made itself; what else there is, the fact tells."""


class Watch:
    """Watches one live session."""

    def __init__(self) -> None:
        self._in_line_since_ms: int | None = None
        self._opening_since_ms: int | None = None
        self._swap: tuple[SwapKind, int] | None = None
        self._dial: tuple[Connect, int] | None = None
        self._alarm: Alarm | None = None
        self._reply_since_ms: int | None = None

    def waits_in_line(self, now_ms: int) -> None:
        """There is no place in the budget of the project yet; told again and again."""
        if self._in_line_since_ms is None:
            self._in_line_since_ms = now_ms

    def said_again(self) -> Iterator[Observation]:
        """What the user said is sent once more on the same connection."""
        yield from self._raise(Alarm.NOT_HEARD)

    def decided(
        self, fact: Fact, before: State, after: State, wishes: Sequence[Wish], gap_cause: str, now_ms: int
    ) -> Iterator[Observation]:
        """The machine went from `before` to `after` on a fact, or stayed where it was. `gap_cause`: as it has it."""
        if before is State.IDLE and after is not State.IDLE:
            yield from self._leave_line(after, now_ms)
        yield from self._follow_alarm(fact)
        yield from self._follow_reply(fact, now_ms)
        yield from self._follow_dial(fact, after, wishes, now_ms)
        yield from self._follow_service(fact, before, after, wishes, gap_cause, now_ms)
        for wish in wishes:
            if isinstance(wish, Connect):
                self._dial = (wish, now_ms)
        if after is State.ENDED and before is not State.ENDED:
            yield from self._settle_alarm(AlarmOutcome.UNKNOWN)
            yield Left()

    # -- the queue -----------------------------------------------------------------------------------------------------

    def _leave_line(self, after: State, now_ms: int) -> Iterator[Observation]:
        if self._in_line_since_ms is not None:
            yield WaitedInLine(now_ms - self._in_line_since_ms, was_let_in=after is not State.ENDED)

    # -- openings and swaps --------------------------------------------------------------------------------------------

    def _follow_service(
        self, fact: Fact, before: State, after: State, wishes: Sequence[Wish], gap_cause: str, now_ms: int
    ) -> Iterator[Observation]:
        if before is State.IDLE and after is not State.ENDED:
            self._opening_since_ms = now_ms
        elif before is State.LIVE and after not in (State.LIVE, State.ENDED):
            self._swap = (_kind_of(fact, after, gap_cause), now_ms)
        elif before in GIVEN_UP and after not in NOT_UNDER_WAY:
            self._swap = (SwapKind.RETRY, now_ms)
        outcome = _served_as(wishes) if isinstance(fact, SetupCompleted) else GIVEN_UP.get(after)
        if outcome is None:
            return
        if self._opening_since_ms is not None:
            yield OpeningEnded(outcome, now_ms - self._opening_since_ms)
            self._opening_since_ms = None
        if self._swap is not None:
            kind, since_ms = self._swap
            yield Swapped(kind, outcome, now_ms - since_ms)
            self._swap = None

    # -- dials ---------------------------------------------------------------------------------------------------------

    def _follow_dial(self, fact: Fact, after: State, wishes: Sequence[Wish], now_ms: int) -> Iterator[Observation]:
        if isinstance(fact, ConnectionLost):
            yield from _judged(wishes)
        elif isinstance(fact, MemoryLost):
            yield ResumeTried(ResumeOutcome.FORGOT)
        if self._dial is None:
            return
        dial, since_ms = self._dial
        is_done = isinstance(fact, SetupCompleted)
        if not (is_done or isinstance(fact, ConnectionLost) or after in GIVEN_UP or _has(wishes, Connect)):
            return
        self._dial = None
        if is_done:
            yield SetUp(_served_as(wishes), now_ms - since_ms)
        if dial.handle is None:
            return
        if is_done:
            yield ResumeTried(ResumeOutcome.ACCEPTED)
        elif not isinstance(fact, ConnectionLost):
            yield ResumeTried(ResumeOutcome.LEFT)
        else:
            yield ResumeTried(ResumeOutcome.REFUSED if _has(wishes, ForgetHandle) else ResumeOutcome.FAILED)

    # -- alarms and replies --------------------------------------------------------------------------------------------

    def _follow_alarm(self, fact: Fact) -> Iterator[Observation]:
        if isinstance(fact, ProviderSilent):
            yield from self._raise(Alarm.EMPTY_TURNS if fact.reason == Alarm.EMPTY_TURNS else Alarm.SILENT)
        elif isinstance(fact, SendBlocked):
            yield from self._raise(Alarm.SEND_BLOCKED)
        elif isinstance(fact, ReplyBegan):
            yield from self._settle_alarm(AlarmOutcome.RIGHT)
        elif isinstance(fact, ReplyEnded):  # an exchange that ended without a reply: there was nothing to answer
            yield from self._settle_alarm(AlarmOutcome.FALSE)

    def _raise(self, alarm: Alarm) -> Iterator[Observation]:
        """Another alarm without an answer in between: what was done about the one before has changed nothing."""
        yield from self._settle_alarm(AlarmOutcome.FALSE)
        self._alarm = alarm

    def _settle_alarm(self, outcome: AlarmOutcome) -> Iterator[Observation]:
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            yield AlarmJudged(alarm, outcome)

    def _follow_reply(self, fact: Fact, now_ms: int) -> Iterator[Observation]:
        if isinstance(fact, ReplyBegan):
            self._reply_since_ms = now_ms
        elif isinstance(fact, ReplyEnded) and self._reply_since_ms is not None:
            since_ms, self._reply_since_ms = self._reply_since_ms, None
            yield Replied(now_ms - since_ms)


def _has(wishes: Sequence[Wish], kind: type[Wish]) -> bool:
    return any(isinstance(wish, kind) for wish in wishes)


def _kind_of(fact: Fact, after: State, gap_cause: str) -> SwapKind:
    if gap_cause in _KINDS:
        return _KINDS[gap_cause]
    if isinstance(fact, ProviderSilent):
        return SwapKind.SILENT
    if isinstance(fact, SendBlocked):
        return SwapKind.SEND_BLOCKED
    if isinstance(fact, LevelChanged | LadderExhausted) or after is State.FALLING_BACK:
        return SwapKind.LEVEL
    return SwapKind.CONNECTION_LOST


def _served_as(wishes: Sequence[Wish]) -> Outcome:
    """How the session is served by the connection that was set up, as it is recorded."""
    records = (wish for wish in wishes if isinstance(wish, Record) and wish.kind == "connected")
    return Outcome(next(records).data["action"])


def _judged(wishes: Sequence[Wish]) -> Iterator[Observation]:
    for wish in wishes:
        if isinstance(wish, Record) and wish.kind == "connection_lost":
            yield ConnectionJudged(wish.data["phase"], wish.data["verdict"])
