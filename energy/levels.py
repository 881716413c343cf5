"""The ladders of models: pure.

A mode has levels from its top down to 0, as many as its ladder has models and one. They are numbered from the end:
level 1 is the fallback model; level 0 has none and refuses a session.
A handle belongs to the model that issued it, so a change of model clears it.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """`call`: voice both ways. `text`: typed in, spoken out."""

    CALL = "call"
    TEXT = "text"


LADDER_LIMIT = 9
"""Models of a ladder, at most: nobody reads a meter with more steps."""

WARNED_OF_END_FOR = datetime.timedelta(days=30)
"""So long before its end the operator hears of a model that is announced to go."""


class Word(StrEnum):
    """What a level is called, by its place on the ladder. `low`: the fallback; of a ladder of one it is the top."""

    EXHAUSTED = "exhausted"
    LOW = "low"
    REDUCED = "reduced"
    FULL = "full"


class Seeding(StrEnum):
    """How a model is given the context of a session that it does not remember."""

    HISTORY = "history"
    INSTRUCTION = "instruction"


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What is particular about the models whose ids begin with `prefix`; sources are in `docs/architecture.md`.

    `history_anytime`: takes turns of the past in the middle of a session. `typed_as_content`: takes typed turns as
    content, not as realtime text. `thinking_level`: must be told one. `resumable`: issues handles.
    `silence_before_end_ms`: the end of the microphone's sound ends a turn only after so much silence (openclaw 152830,
    measured 2026-09-19). `intake_margin_ms`: what it was sent may be read so long before it is taken in, so that a
    handle does not cover it yet: our own margin, nothing of it is documented.
    `whole_input_transcript`: sends the user's words sentence by sentence, not in pieces that carry their blanks.
    `context_window_tokens`: how much the model has before it, 131,072 by the pages of the models and of sessions.
    `ends_on`: the day on which its provider shuts it down, where that was announced.
    """

    prefix: str
    seeding: Seeding
    history_anytime: bool = False
    typed_as_content: bool = False
    thinking_level: str = ""
    resumable: bool = True
    silence_before_end_ms: int = 0
    intake_margin_ms: int = 250
    whole_input_transcript: bool = False
    context_window_tokens: int = 131_072
    ends_on: datetime.date | None = None


PROFILES: tuple[ModelProfile, ...] = (
    ModelProfile(
        "gemini-3.8-live-extended-thinking",
        Seeding.HISTORY,
        history_anytime=True,
        thinking_level="LOW",
        silence_before_end_ms=1_000,
        whole_input_transcript=True,
    ),
    ModelProfile(
        "gemini-3.8-live",
        Seeding.HISTORY,
        history_anytime=True,
        silence_before_end_ms=1_000,
        whole_input_transcript=True,
    ),
    # Announced in October 2026.
    ModelProfile("gemini-3.1-flash-live", Seeding.HISTORY, ends_on=datetime.date(2026, 11, 17)),
    ModelProfile("gemini-2.5-flash-native-audio", Seeding.INSTRUCTION, typed_as_content=True),
)


@dataclass(frozen=True, slots=True)
class Level:
    """A step of service. `word`: the value of a `Word`. `model` is empty at level 0."""

    mode: Mode
    number: int
    word: str
    model: str

    @property
    def is_exhausted(self) -> bool:
        return self.number == 0


class Reason(StrEnum):
    """Why a level changed. `manual`: neither quota nor a new session; an operator, or a model that cannot be used."""

    RATE_LIMIT_EXCEEDED = "rate-limit-exceeded"
    SESSION_RESET = "session-reset"
    QUOTA_RESET = "quota-reset"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class LevelChange:
    """The move of one user's mode from a level to another; with both the same, nothing changed.

    `resets_at`: when a model above the new level is expected back; None when none is known to be spent. When a refusal
    changed nothing, it is when to dial the same model again. `at`: when it happened. `detail`: a word or the
    provider's text, for the operator.
    """

    previous: Level
    level: Level
    reason: Reason
    at: datetime.datetime
    resets_at: datetime.datetime | None = None
    detail: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def is_change(self) -> bool:
        return self.previous != self.level

    @property
    def mode(self) -> Mode:
        return self.level.mode


class UnknownModel(ValueError):
    """A model that no profile describes; how to talk to it is not known."""

    def __init__(self, model: str) -> None:
        super().__init__(f"{model!r} is not a Live model that Holdline knows")
        self.model = model


def profile_of(model: str) -> ModelProfile:
    """The profile of a model, the most particular first. Raises `UnknownModel`."""
    for profile in PROFILES:
        if model == profile.prefix or model.startswith(f"{profile.prefix}-"):
            return profile
    raise UnknownModel(model)


def announced_end(model: str) -> datetime.date | None:
    """The day on which the provider shuts a model down; None where none is announced, or the model is unknown."""
    try:
        return profile_of(model).ends_on
    except UnknownModel:
        return None


def has_ended(model: str, today: datetime.date) -> bool:
    """Whether the day has come on which the provider shuts the model down, for which no hour is announced."""
    end = announced_end(model)
    return end is not None and end <= today


@dataclass(frozen=True, slots=True)
class End:
    """A model of a ladder goes on that day, or has gone."""

    model: str
    on: datetime.date

    def in_words(self, today: datetime.date) -> str:
        """A sentence without its full stop."""
        if self.on <= today:
            return f"{self.model} has ended on {self.on} and is left out"
        return f"{self.model} is announced to end on {self.on}"


def ends_ahead(models: Iterable[str], today: datetime.date) -> list[End]:
    """The ends of these models that the operator has to hear of today, past ones too."""
    ends = [End(model, end) for model in models if (end := announced_end(model)) is not None]
    return [end for end in ends if end.on - WARNED_OF_END_FOR <= today]


def in_service(models: Sequence[str], today: datetime.date) -> tuple[str, ...]:
    """Those of a ladder that have not ended. Where all have, the ladder as it is: such days have been put off."""
    return tuple(model for model in models if not has_ended(model, today)) or tuple(models)


class Ladder:
    """The levels of one mode, from the top down to 0.

    Args:
        mode: of the ladder.
        models: best first, one for each level above 0; 1 to `LADDER_LIMIT`, else raises ValueError.
    """

    def __init__(self, mode: Mode, models: Sequence[str]) -> None:
        top = len(models)
        if not 1 <= top <= LADDER_LIMIT:
            raise ValueError(f"The {mode} ladder has {top} models; it needs 1 to {LADDER_LIMIT}, best first")
        self.mode = mode
        self._levels = (
            Level(mode, 0, Word.EXHAUSTED.value, ""),
            *(Level(mode, number, _word(number, top).value, models[top - number]) for number in range(1, top + 1)),
        )

    @property
    def top(self) -> Level:
        return self._levels[-1]

    def level(self, number: int) -> Level:
        """The level of that number; beyond the ends, the nearest."""
        return self._levels[max(0, min(number, self.top.number))]

    def below(self, level: Level) -> Level:
        """One step down; level 0 stays."""
        return self.level(level.number - 1)

    def all_above(self, level: Level) -> tuple[Level, ...]:
        """The levels above this one, the best first."""
        return tuple(reversed(self._levels[level.number + 1 :]))

    def all_below(self, level: Level) -> tuple[Level, ...]:
        """The levels below this one that have a model, the best first."""
        return tuple(reversed(self._levels[1 : level.number]))

    @property
    def models(self) -> tuple[str, ...]:
        """Of all levels, the best first."""
        return tuple(level.model for level in self.all_above(self._levels[0]))


def _word(number: int, top: int) -> Word:
    if number == top:
        return Word.FULL
    return Word.LOW if number == 1 else Word.REDUCED


def models_of(ladders: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The models of ladders by mode, as the settings have them: each once, in the order in which they stand there."""
    return tuple(dict.fromkeys(model for ladder in ladders.values() for model in ladder))


def is_model_resumable(level: Level) -> bool:
    """Whether the level's model issues handles that a later connection may use."""
    return not level.is_exhausted and profile_of(level.model).resumable


def should_clear_resumption_handle(previous: Level, new: Level) -> bool:
    """A handle of another model is refused, so it goes with the model; a change that keeps the model keeps it."""
    return previous.model != new.model or not is_model_resumable(new)
