"""What the driver needs from a provider, in our words.

`gemini.py` has it over Live connections, `turns/` over a request for each turn. Tests have a fake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar

from sessions_app.live.machine.failures import Failure
from sessions_app.live.questions import Question, QuestionMoved
from sessions_app.live.transcript import Turn, TurnCode

OUTPUT_RATE_HZ = 24_000


class UpstreamFailed(Exception):
    """The connection ended, or did not come about."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code} {failure.text} ({failure.phase})")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """When the provider takes a turn of the user for begun and for over.

    The sensitivities are `high`, `low`, or empty for the model's own; `silence_ms` ends a turn, 0 for the model's own.
    `interruptions`: a reply ends when the user speaks into it.
    """

    start_sensitivity: str = ""
    end_sensitivity: str = ""
    silence_ms: int = 0
    interruptions: bool = True


@dataclass(frozen=True, slots=True)
class Compression:
    """The context is cut to `target_tokens` when it has come to `trigger_tokens`; 0 for the provider's own figures."""

    trigger_tokens: int = 0
    target_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """How a connection is to be set up.

    `history`: turns given as initial history (never together with `handle`). `expects_history`: the provider is told to
    wait for them. `left_out`: names of set-up fields that this provider refused before. `typed_as_content`: the model
    takes typed turns as content, not as realtime text. `thinking_level`: for the models that must be told one.
    `silence_before_end_ms`: of sound, before the model is told that the microphone was muted. `intake_margin_ms`:
    between reading what it is sent and taking it in.
    `whole_input_transcript`: each piece of the user's words is a sentence, which does not say that a blank goes before
    it; other models send pieces that are to be joined as they are.
    `language`: a BCP-47 code that helps to transcribe the user, empty for none. `compression`: None for none.
    `resumes`: the session is to be one that can be resumed. `is_on_agent_platform`: the model is served there, where a
    handle says which message it covers last, the end of the microphone is silence alone, and a call has a turn of its
    own. `on_trial`: as in `machine.failures.History`.
    """

    model: str
    instruction: str
    voice: str
    handle: str | None = None
    history: tuple[Turn, ...] = ()
    expects_history: bool = False
    left_out: frozenset[str] = frozenset()
    typed_as_content: bool = False
    thinking_level: str = ""
    silence_before_end_ms: int = 0
    intake_margin_ms: int = 0
    whole_input_transcript: bool = False
    language: str = ""
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    compression: Compression | None = field(default_factory=Compression)
    resumes: bool = True
    is_on_agent_platform: bool = False
    on_trial: tuple[str, ...] = ()
    timeout_ms: int = 10_000


# -- what the provider says --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """PCM16 mono at 24 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Asking:
    """The model is asked about what was said, with nothing left out: nobody needs to say that again."""


@dataclass(frozen=True, slots=True)
class UserWords:
    text: str


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The answer begins; its words do not wait for sound, which may never come. `question`: the one that it answers, if
    it is about recordings."""

    question: str = ""


@dataclass(frozen=True, slots=True)
class ReplyBroken:
    """What was said of an answer to a question about recordings has no end, and is said again from its beginning."""


@dataclass(frozen=True, slots=True)
class QuestionFailed:
    """A question about recordings gets no answer. `text`: why, for people; empty for the usual words of `code`.
    `reason`: the provider's word for a refusal. `usages`: what the tries took, by model."""

    id: str
    code: TurnCode
    text: str = ""
    reason: str = ""
    usages: tuple[UsageReported, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyWords:
    text: str


@dataclass(frozen=True, slots=True)
class VoiceBegan:
    """The provider noticed that the user began to speak."""


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    pass


@dataclass(frozen=True, slots=True)
class Interrupted:
    pass


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """`is_filler`: the model announced that more of the same interaction follows. `reason`: why there was no answer."""

    is_filler: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UsageReported:
    """Token counts as the provider gave them; None where it gave none. Keys of the details are modalities.

    What was cached is part of the prompt; the results of tools are not. `model`: whose counts these are, where that is
    another one than the connection's, or the turn is one that nobody hears, beside the one that is answered.
    """

    prompt_tokens: int | None = None
    response_tokens: int | None = None
    thoughts_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_by_modality: dict[str, int] = field(default_factory=dict)
    response_tokens_by_modality: dict[str, int] = field(default_factory=dict)
    tool_use_tokens: int | None = None
    cached_tokens: int | None = None
    cache_made_tokens: int | None = None
    cache_token_seconds: int | None = None
    """Of explicit context caches, by our own count and in no other: what making one took in, and what one holds, times
    the seconds for which it was kept."""
    tool_use_tokens_by_modality: dict[str, int] = field(default_factory=dict)
    cached_tokens_by_modality: dict[str, int] = field(default_factory=dict)
    model: str = ""

    def as_data(self) -> dict[str, Any]:
        """The counts for a page, or a row: without what was not given."""
        return {name: value for name, value in asdict(self).items() if value and name != "model"}


@dataclass(frozen=True, slots=True)
class VoiceMissing:
    """The answer is only written, for nobody can speak it. `reason`: for the operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandleUpdate:
    """`handle` is None when the session cannot be resumed at this point.

    `consumed_index`: the last of our messages that the handle covers, where the provider says so (transparent
    resumption), as `Connection.messages_sent` counts them: the first after the set-up is 1.
    """

    handle: str | None
    consumed_index: int | None = None


@dataclass(frozen=True, slots=True)
class GoAway:
    time_left_ms: int


@dataclass(frozen=True, slots=True)
class Working:
    """The model is at work, and has nothing to say yet."""


@dataclass(frozen=True, slots=True)
class UndeclaredCall:
    """The model called functions, and we declare none: the connection has told it so. `names`: of the functions."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """A frame that this version of ours, or of the SDK, does not know; `what` names it for the log."""

    what: str


UpstreamMessage = (
    ReplyAudio
    | Asking
    | UserWords
    | ReplyStarted
    | ReplyBroken
    | QuestionMoved
    | QuestionFailed
    | ReplyWords
    | VoiceBegan
    | GenerationComplete
    | Interrupted
    | TurnComplete
    | UsageReported
    | VoiceMissing
    | HandleUpdate
    | GoAway
    | Working
    | UndeclaredCall
    | Unrecognised
)


class Connection(Protocol):
    """One open connection, used on one event loop. Every send raises `UpstreamFailed` when the connection has gone.

    One task sends at a time, and what it sends arrives in that order; one task reads. Sound is PCM16 mono 16 kHz on the
    way up. All durations are in milliseconds.
    """

    @property
    def unread_ms(self) -> float:
        """How long ago something must have been sent to be certainly taken in, as far as this connection shows."""

    @property
    def round_trip_ms(self) -> float | None:
        """To the provider and back, as it was measured last; None where nothing tells."""

    @property
    def loop_lag_ms(self) -> float:
        """How late the event loop was just now."""

    @property
    def lifeless_ms(self) -> float:
        """Since anything at all came of the other side, the answer to a ping included."""

    @property
    def messages_sent(self) -> int:
        """How many messages this connection was sent after the set-up."""

    @property
    def counts_messages(self) -> bool:
        """Whether its provider was asked to say with each handle which of them it covers last."""

    def begin_burst(self) -> None:
        """A lot is going to be sent at once: it counts as on its way until the provider shows otherwise."""

    def end_burst(self) -> None:
        """It was sent: ask the provider to show how far it has read."""

    def messages(self) -> AsyncIterator[UpstreamMessage]:
        """What the provider says, until the connection ends with `UpstreamFailed`."""

    def try_send_audio(self, pcm: bytes) -> bool:
        """Send at once if that needs no waiting; False, and nothing sent, if it does. Never raises."""

    async def send_audio(self, pcm: bytes) -> None: ...

    async def send_audio_end(self) -> None: ...

    async def send_text(self, text: str) -> None: ...

    async def send_question(self, question: Question) -> None:
        """A typed message about recordings, which is answered beside the line: see `providers/questions`."""

    async def send_past_turns(self, turns: tuple[Turn, ...]) -> None:
        """Turns of the past in the middle of a session; nothing is generated."""

    def want_sound(self, on: bool) -> None:
        """Whether answers are heard, or only read. A connection whose answers are sound itself goes on as it was."""

    def stop_reply(self) -> None:
        """The user has heard enough of this answer: where that can be said, no more of it is made, and `TurnComplete`
        follows."""

    async def close(self, timeout_ms: int) -> None:
        """Close with 1000 and wait for the provider's close frame; never raises."""


C = TypeVar("C", bound=Connection)


class Upstream(Protocol):
    """A provider of live sessions."""

    def expect(self, model: str) -> None:
        """A dial of this model is likely to come within seconds: what it needs can be got ready. Never raises."""

    async def connect(self, setup: Setup) -> Connection:
        """Dial and set up; initial history has been sent when this returns. Raises `UpstreamFailed`."""


CLOSE_TIMEOUT_MS = 5_000
"""The provider answers a close frame after 1.4 to 3 s."""


async def close_what_comes_of(dial: asyncio.Task[C]) -> None:
    """Close the connection of a dial that was given up, if there is one after all; never raises."""
    await asyncio.wait({dial})
    if not dial.cancelled() and dial.exception() is None:
        await dial.result().close(CLOSE_TIMEOUT_MS)
