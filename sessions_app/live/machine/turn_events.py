"""What can happen in a turn (facts), and what the machine of turns asks to be done about it (steps).

All durations are in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.live.machine.reply import Answered
from sessions_app.live.transcript import TurnCode

# -- facts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The user stopped speaking, as far as our own ear tells. `is_speech`: it was a voice, not only something loud."""

    is_speech: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """The connection has been sent all there is. `typed`: a typed message was among it."""

    typed: bool


@dataclass(frozen=True, slots=True)
class VoiceNoticed:
    """The user has begun to speak, says the provider or our own ear."""


@dataclass(frozen=True, slots=True)
class UserWordsCame:
    """The provider has transcribed `text` of the user. `goes_on`: it may belong to what they said last."""

    text: str
    goes_on: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """The model is asked about all that was said: nothing of it needs to be said again on this connection."""


@dataclass(frozen=True, slots=True)
class ReplyAnnounced:
    """The provider says that a reply begins, whether or not sound comes with it."""


@dataclass(frozen=True, slots=True)
class SoundCame:
    """Sound of the model: PCM16 mono 24 kHz that takes `ms` to be played."""

    pcm: bytes
    ms: float


@dataclass(frozen=True, slots=True)
class WordsCame:
    """The provider has transcribed `text` of the model."""

    text: str


@dataclass(frozen=True, slots=True)
class WordsWaited:
    """Words of the model have waited for its sound for long enough."""


@dataclass(frozen=True, slots=True)
class GenerationEnded:
    """All of the reply has arrived."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """The provider broke its turn off, because the user speaks."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The provider's turn is over. `reason`: why there is no answer, in the provider's word, or empty."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The user has heard enough."""


@dataclass(frozen=True, slots=True)
class WatchFired:
    """`lifeless_ms`: since anything at all came, a pong included. `idle_ms`: since the provider last said something.
    `user_speaks`: our own ear hears something that has not ended yet. `user_is_away`: the microphone is open, and
    nothing comes from it."""

    lifeless_ms: int
    idle_ms: int
    user_speaks: bool = False
    user_is_away: bool = False


@dataclass(frozen=True, slots=True)
class PlayedOut:
    """The reply was played, and the provider has had time to say that its turn is over."""


@dataclass(frozen=True, slots=True)
class LineLost:
    """The connection has gone, or is given up."""


@dataclass(frozen=True, slots=True)
class LineBack:
    """There is a new connection."""


TurnFact = (
    SpeechEnded
    | Delivered
    | VoiceNoticed
    | UserWordsCame
    | Asked
    | ReplyAnnounced
    | SoundCame
    | WordsCame
    | WordsWaited
    | GenerationEnded
    | BrokenOff
    | TurnEnded
    | StopAsked
    | WatchFired
    | PlayedOut
    | LineLost
    | LineBack
)

# -- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BeginReply:
    """`answers_voice`: it may answer speech whose words are still on their way."""

    answers_voice: bool


@dataclass(frozen=True, slots=True)
class Play:
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Say:
    """`late`: it belongs to the reply that is over."""

    text: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Hear:
    """`late`: it belongs to what the user said before the reply that is over."""

    text: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class MarkProduced:
    """All of the reply has arrived."""


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Nothing of what was sent to the page so far is to be heard any more."""


@dataclass(frozen=True, slots=True)
class EndExchange:
    """The exchange is over: its input is answered once that is stored. `is_whole`: it came to its own end.
    `words_may_follow`: it got no reply, and what was said in it may be transcribed only now."""

    is_whole: bool
    answered: Answered
    words_may_follow: bool = False


@dataclass(frozen=True, slots=True)
class BreakOff:
    """The connection took the reply with it, which is going to be given again."""


@dataclass(frozen=True, slots=True)
class CloseTurn:
    """The provider's turn is over: tell it, and count it."""


@dataclass(frozen=True, slots=True)
class Explain:
    """A line of our own: why there is no answer. `reason` is the provider's word, or empty."""

    code: TurnCode
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StartWatch:
    """Look after so long whether the answer is there."""

    ms: int


@dataclass(frozen=True, slots=True)
class StopWatch:
    pass


@dataclass(frozen=True, slots=True)
class StartPlaybackTimer:
    ms: int


@dataclass(frozen=True, slots=True)
class StopPlaybackTimer:
    pass


@dataclass(frozen=True, slots=True)
class StartWordsTimer:
    ms: int


@dataclass(frozen=True, slots=True)
class SayAgain:
    """The provider has not heard the last utterance: send it once more on the same connection."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """The connection is dead, or the session is sick. `costs_handle`: the handle leads to the same again."""

    reason: str
    costs_handle: bool = False


Step = (
    BeginReply
    | Play
    | Say
    | Hear
    | MarkProduced
    | StopPlayback
    | EndExchange
    | BreakOff
    | CloseTurn
    | Explain
    | StartWatch
    | StopWatch
    | StartPlaybackTimer
    | StopPlaybackTimer
    | StartWordsTimer
    | SayAgain
    | Suspect
)
