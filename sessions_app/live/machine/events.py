"""What can happen to a live session (facts), and what the state machine asks to be done about it (wishes).

Facts are plain statements from the driver; wishes are carried out by the driver without a decision of its own.
All durations are in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sessions_app.live.machine.failures import Failure
from sessions_app.live.machine.reasons import StateReason


class State(StrEnum):
    """Where the live session stands. The names after IDLE are those of the `state` message of the browser protocol."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    HANDOVER = "handover"
    RECONNECTING = "reconnecting"
    FALLING_BACK = "falling_back"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    ENDED = "ended"


class Action(StrEnum):
    """What a page is told about the live session it got, see `ready` in the browser protocol."""

    NEW = "new"
    ATTACHED = "attached"
    RESUMED = "resumed"
    REBUILT = "rebuilt"


class Timer(StrEnum):
    REDIAL = "redial"
    SWAP = "swap"
    STABLE = "stable"
    PARK = "park"
    FIRST_HANDLE = "first_handle"
    LATE_WORDS = "late_words"
    PATIENCE = "patience"


# -- facts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoModel:
    """Why no model may be dialled, in a word, and when one may again, if that is known."""

    reason: str = StateReason.QUOTA
    retry_in_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A page wants a live session.

    `handle`: of the same page life, if one is held. `handle_is_behind`: turns came after it was issued.
    `was_cut`: the connection of its session may still stand, for nobody closed it.
    `has_context`: turns are stored that a fresh session should be given. `refused`: there is no model for it.
    `away_ms`: how long the page was cut off from us before it came back for this; 0 when it was not.
    """

    handle: str | None = None
    handle_is_behind: bool = False
    was_cut: bool = False
    has_context: bool = False
    refused: NoModel | None = None
    away_ms: int = 0


@dataclass(frozen=True, slots=True)
class SetupCompleted:
    """The provider is ready for input. `replays_audio`: it will be sent audio of the time before."""

    replays_audio: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection ended, or the attempt at one did, and not because we closed it. `on_trial`: as in `History`."""

    failure: Failure
    on_trial: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseFinished:
    """The connection that we closed is gone."""


@dataclass(frozen=True, slots=True)
class HandleOffered:
    """`covers_context`: what the session was given of the past was consumed before this handle was issued."""

    handle: str
    covers_context: bool = True


@dataclass(frozen=True, slots=True)
class HandleWithdrawn:
    """`resumable: false`: resuming now would lose what came after the last handle. It does not make that one bad."""


@dataclass(frozen=True, slots=True)
class GoAwayReceived:
    time_left_ms: int


@dataclass(frozen=True, slots=True)
class ProviderSilent:
    """An answer is owed, and the connection is dead or the session sick. `costs_handle`: the handle is no way out."""

    reason: str = "silent"
    costs_handle: bool = False


@dataclass(frozen=True, slots=True)
class LineGone:
    """The connection is open and says nothing to what was said, and another one is not to be had, or as silent."""


@dataclass(frozen=True, slots=True)
class SendBlocked:
    """The provider takes nothing any more."""


@dataclass(frozen=True, slots=True)
class MemoryLost:
    """The first turn after a resume shows that the provider forgot what was before."""


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The model began to answer."""


@dataclass(frozen=True, slots=True)
class ReplyProduced:
    """All of the reply has arrived."""


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The turn is over, or the user interrupted it. `has_words`: something was said in it, by whomever."""

    has_words: bool = True


@dataclass(frozen=True, slots=True)
class BacklogReplayed:
    """Everything that was held back has been sent to the new connection. `anything`: there was something."""

    anything: bool = True


@dataclass(frozen=True, slots=True)
class TimerFired:
    timer: Timer


@dataclass(frozen=True, slots=True)
class RetryRequested:
    """The user, or a page that came back into view, asks to try now."""


@dataclass(frozen=True, slots=True)
class RefreshRequested:
    """The user wants another connection in place of this one, at the next safe point."""


@dataclass(frozen=True, slots=True)
class ForgetRequested:
    """The user wants the handle dropped. What is live goes on, and may bring another handle."""


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The session is to be another one than it was made as. `keeps_handle`: a resume takes what has changed.
    `tried_again`: fields that were left out, and say something else now. `is_news`: nobody has changed anything, but
    there is something that the model has to know and cannot be told in the middle."""

    keeps_handle: bool
    tried_again: frozenset[str] = frozenset()
    is_news: bool = False


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """The conversation is to go on with `model`, an id.

    `keeps_handle`: it honours the handle. `is_raised`: it is a step up. `toast`: what is said of it, if not the usual.
    """

    model: str
    keeps_handle: bool = False
    is_raised: bool = False
    toast: str = ""


@dataclass(frozen=True, slots=True)
class LevelKept:
    """The refusal was one of the moment, such as one session too many, or there is nowhere to go: the same model may be
    dialled again then. `reason`: why, for the page."""

    retry_in_ms: int
    reason: str = StateReason.BUSY


@dataclass(frozen=True, slots=True)
class LadderExhausted:
    """There is no model to go on with."""

    why: NoModel = NoModel()


@dataclass(frozen=True, slots=True)
class PageGone:
    """The page's socket closed without a word."""


@dataclass(frozen=True, slots=True)
class PageBack:
    """The page is there again, after `away_ms` in which it did not hear of us; 0 when it did not say."""

    away_ms: int = 0


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """The user ends the conversation."""


@dataclass(frozen=True, slots=True)
class OwnerLeaving:
    """This worker, or this page, gives the session up; another may take it over, unless the conversation is over.

    `reason` goes into the record.
    """

    reason: str
    conversation_over: bool = False


Fact = (
    Opened
    | SetupCompleted
    | ConnectionLost
    | CloseFinished
    | HandleOffered
    | HandleWithdrawn
    | GoAwayReceived
    | ProviderSilent
    | LineGone
    | SendBlocked
    | MemoryLost
    | ReplyBegan
    | ReplyProduced
    | ReplyEnded
    | BacklogReplayed
    | TimerFired
    | RetryRequested
    | RefreshRequested
    | ForgetRequested
    | SettingsChanged
    | LevelChanged
    | LevelKept
    | LadderExhausted
    | PageGone
    | PageBack
    | HangUpRequested
    | OwnerLeaving
)


# -- wishes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connect:
    """Dial. With a `handle` the provider remembers; with `seed` it is given the context; with `catch_up` it remembers,
    and is given the turns that came after the handle."""

    handle: str | None = None
    seed: bool = False
    catch_up: bool = False


@dataclass(frozen=True, slots=True)
class HoldInput:
    """The line is lost or given up: input waits in the backlog, and a reply that was being given is cut off."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Send what the new connection does not know, older first, then go on with what comes in."""


@dataclass(frozen=True, slots=True)
class CloseUpstream:
    """Close the connection in good order; CloseFinished is to follow.

    `when_replaced`: only once the next one is set up, or has failed; nothing follows.
    """

    when_replaced: bool = False


@dataclass(frozen=True, slots=True)
class CloseAfterTail:
    """The user has hung up: close once the words that were spoken last have come, or soon; nothing follows."""


@dataclass(frozen=True, slots=True)
class LeaveUpstream:
    """Leave the connection, which is dead, to be closed by and by; nothing follows."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    timer: Timer
    ms: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    timer: Timer


@dataclass(frozen=True, slots=True)
class TellState:
    state: State
    attempt: int = 0
    retry_in_ms: int | None = None
    reason: str = ""
    place: int | None = None
    """In the queue for a live session, 1 for the next."""


@dataclass(frozen=True, slots=True)
class TellReady:
    action: Action


@dataclass(frozen=True, slots=True)
class TellGoAway:
    time_left_ms: int


@dataclass(frozen=True, slots=True)
class Toast:
    """`code` without the mode; `outage_ms` is how long the conversation was off, for the wording."""

    code: str
    outage_ms: int = 0


@dataclass(frozen=True, slots=True)
class KeepHandle:
    """Store the handle; what it covers is safe from then on. `covers_reply`: also the reply that is being played, all
    of which was there when it came."""

    handle: str
    covers_reply: bool = False


@dataclass(frozen=True, slots=True)
class ForgetHandle:
    """Drop the stored handle for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class DropAudio:
    """The audio backlog is the cause of a refusal: give it up, and say so."""


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Do without this field of the set-up from now on."""

    field: str


@dataclass(frozen=True, slots=True)
class LowerLevel:
    """Ask for the next model; LevelChanged, LevelKept or LadderExhausted follows. `quota`: a confirmed verdict."""

    reason: str
    quota: bool


@dataclass(frozen=True, slots=True)
class SeekRefuge:
    """No line is to be had: ask for a level that needs none. LevelChanged, LevelKept or LadderExhausted follows."""


@dataclass(frozen=True, slots=True)
class RestoreLevel:
    """Ask for the best model there is: all were used up. LevelChanged or LadderExhausted follows."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row for the timeline of the conversation."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finish:
    """The live session is over in this process. `conversation_over`: the user hung up, so the conversation is, too."""

    reason: str
    conversation_over: bool


Wish = (
    Connect
    | HoldInput
    | Replay
    | CloseUpstream
    | CloseAfterTail
    | LeaveUpstream
    | StartTimer
    | StopTimer
    | TellState
    | TellReady
    | TellGoAway
    | Toast
    | KeepHandle
    | ForgetHandle
    | DropAudio
    | LeaveOut
    | LowerLevel
    | SeekRefuge
    | RestoreLevel
    | Record
    | Finish
)
