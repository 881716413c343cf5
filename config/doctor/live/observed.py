"""What a talk showed of a model, and where that is not what Holdline believes: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from energy.levels import ModelProfile
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    GoAway,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    Unrecognised,
    UpstreamMessage,
    UsageReported,
    UserWords,
)

HANDLE_WITH_SETUP = ("gemini-3.8-live", "gemini-3.1-flash-live")
"""Prefixes of models that issue a handle before anything was said, as the emulator plays them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something the provider said. `at_s`: since the dial."""

    at_s: float
    message: UpstreamMessage


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said to the model at `asked_at_s`, and what came of it, in order."""

    asked_at_s: float
    heard: tuple[Heard, ...]

    @property
    def reply(self) -> str:
        return "".join(each.message.text for each in self.heard if isinstance(each.message, ReplyWords)).strip()

    @property
    def user_words(self) -> tuple[str, ...]:
        """The pieces in which what was said came back as text."""
        return tuple(each.message.text for each in self.heard if isinstance(each.message, UserWords))

    @property
    def lag_s(self) -> float | None:
        """Until the first sound of the reply; None where there was none."""
        return next((each.at_s - self.asked_at_s for each in self.heard if isinstance(each.message, ReplyAudio)), None)

    @property
    def prompt_tokens(self) -> int | None:
        """As the provider counted them last."""
        counts = [each.message.prompt_tokens for each in self.heard if isinstance(each.message, UsageReported)]
        return counts[-1] if counts else None

    @property
    def is_complete(self) -> bool:
        return any(isinstance(each.message, TurnComplete) and not each.message.is_filler for each in self.heard)

    @property
    def order(self) -> str:
        """What came, each kind where it came first: for people, and to be compared."""
        names = {
            UserWords: "words of the user",
            ReplyAudio: "sound",
            ReplyWords: "words of the reply",
            GenerationComplete: "generation complete",
            TurnComplete: "turn complete",
            HandleUpdate: "handle",
        }
        kinds = [
            names[type(each.message)]
            for each in self.heard
            if type(each.message) in names and not (isinstance(each.message, HandleUpdate) and not each.message.handle)
        ]
        return ", ".join(dict.fromkeys(kinds))


def knows(reply: str) -> bool:
    """Whether a reply has the code word, written in whichever way."""
    letters = "".join(character for character in reply.lower() if character.isalnum())
    return "plum" in letters and ("42" in letters or "fortytwo" in letters)


def handle_in(heard: Sequence[Heard]) -> str | None:
    """The newest handle."""
    return next(
        (h.message.handle for h in reversed(heard) if isinstance(h.message, HandleUpdate) and h.message.handle), None
    )


def go_away_in(heard: Sequence[Heard]) -> GoAway | None:
    return next((each.message for each in heard if isinstance(each.message, GoAway)), None)


def differences(
    profile: ModelProfile, quiet: Sequence[Heard], spoken: Exchange, heard: Sequence[Heard]
) -> Iterator[str]:
    """Where a model is not as its profile in `energy/levels.py` has it, or as the emulator plays it.

    Args:
        quiet: what came before anything was said.
        spoken: what came of the question that was asked aloud.
        heard: all that came.
    """
    if profile.resumable is (handle_in(heard) is None):
        yield f"not as in energy/levels.py: resumable, {'no' if profile.resumable else 'a'} handle came"
    pieces = len(spoken.user_words)
    if profile.whole_input_transcript and pieces > 1:
        yield f"not as in energy/levels.py: whole_input_transcript, the words of the user came in {pieces} pieces"
    elif not profile.whole_input_transcript and pieces == 1 and " " in spoken.user_words[0].strip():
        yield "not as in energy/levels.py: whole_input_transcript, the words of the user came in one piece"
    with_setup = profile.prefix.startswith(HANDLE_WITH_SETUP)
    if profile.resumable and with_setup is (handle_in(quiet) is None):
        yield f"not as the emulator: {'no' if with_setup else 'a'} handle came with the set-up"
    if not _come_first(spoken, UserWords):
        yield f"not as the emulator, whose words of the user come before the reply: {spoken.order or 'nothing came'}"
    for unknown in dict.fromkeys(h.message.what for h in heard if isinstance(h.message, Unrecognised)):
        yield f"known to nobody here: {unknown}"


def _come_first(exchange: Exchange, kind: type[UpstreamMessage]) -> bool:
    before_reply = takewhile(lambda each: not isinstance(each.message, ReplyAudio | ReplyWords), exchange.heard)
    return any(isinstance(each.message, kind) for each in before_reply)
