"""The ladders of models: pure.

A mode has levels from its top down to 0, as many as its ladder has models and one. They are numbered from the end:
level 1 is the fallback model; level 0 has none and refuses a session.
A handle belongs to the model that issued it, so a change of model clears it.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from energy.places import id_of, place_of


class Mode(StrEnum):
    """`call`: voice both ways. `text`: typed in, spoken out."""

    CALL = "call"
    TEXT = "text"


LADDER_LIMIT = 9
"""Models of a ladder, at most: nobody reads a meter with more steps."""

WARNED_OF_END_FOR = datetime.timedelta(days=30)
"""So long before its end the operator hears of a model that is announced to go."""


class Kind(StrEnum):
    """How one talks with a model. `live`: over a connection of the Live API, which hears and speaks. `turns`: one
    request for each turn (`generateContent`), which needs no such connection; another model speaks the answers."""

    LIVE = "live"
    TURNS = "turns"


class Word(StrEnum):
    """What a level is called, by its place on the ladder. `low`: the fallback; of a ladder of one it is the top.
    `in turns`: of a level whose model is of that kind, wherever it stands."""

    EXHAUSTED = "exhausted"
    TURNS = "in turns"
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
    content, not as realtime text. `thinking_level`: must be told one. `resumable`: issues handles. `compresses`: its
    provider cuts the context where that is asked for.
    `silence_before_end_ms`: the end of the microphone's sound ends a turn only after so much silence (openclaw 152830,
    measured 2026-09-19). `intake_margin_ms`: what it was sent may be read so long before it is taken in, so that a
    handle does not cover it yet: our own margin, nothing of it is documented.
    `whole_input_transcript`: sends the user's words sentence by sentence, not in pieces that carry their blanks.
    `context_window_tokens`: how much the model has before it, 131,072 by the pages of the models and of sessions;
    1,048,576 of models in turns. `kind`: see `Kind`. `cache_from_tokens`: the least that an explicit context cache may
    hold ("Context caching", read 2026-11); 0 where the model has none.
    `handle_hours`: how long its provider honours a handle, where that is another time than the settings have.
    `ends_on`: the day on which its provider shuts it down, where that was announced.
    """

    prefix: str
    seeding: Seeding
    history_anytime: bool = False
    typed_as_content: bool = False
    thinking_level: str = ""
    resumable: bool = True
    compresses: bool = True
    silence_before_end_ms: int = 0
    intake_margin_ms: int = 250
    whole_input_transcript: bool = False
    context_window_tokens: int = 131_072
    kind: Kind = Kind.LIVE
    cache_from_tokens: int = 0
    handle_hours: int | None = None
    ends_on: datetime.date | None = None


def _in_turns(prefix: str, cache_from_tokens: int) -> ModelProfile:
    return ModelProfile(
        prefix,
        Seeding.HISTORY,
        history_anytime=True,
        resumable=False,
        compresses=False,
        intake_margin_ms=0,
        context_window_tokens=1_048_576,
        kind=Kind.TURNS,
        cache_from_tokens=cache_from_tokens,
    )


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
    ModelProfile("gemini-live-2.5-flash", Seeding.INSTRUCTION, typed_as_content=True),
    *(_in_turns(prefix, 1_024) for prefix in ("gemini-3.8-flash", "gemini-3.6-flash", "gemini-3.5-flash")),
    *(_in_turns(prefix, 1_024) for prefix in ("gemini-3.5-flash-lite", "gemini-2.5-flash", "gemini-2.5-flash-lite")),
    *(_in_turns(prefix, 4_096) for prefix in ("gemini-3-pro", "gemini-2.5-pro")),
)

CACHE_FROM_TOKENS_THERE = 2_048
"""Of Agent Platform, for all models ("Context caching overview", read 2026-11)."""

HANDLE_HOURS_THERE = 24
"""Of Agent Platform, by its documentation ("Start and manage a live session", read 2026-11)."""

SILENCE_BEFORE_END_THERE_MS = 1_000
"""The end of a microphone's sound is not told there (google-genai 3.6): it has to be heard."""

OTHER_WORK = frozenset({"tts", "live", "image", "audio", "transcribe", "translate", "embedding", "computer"})
"""Words in the ids of models that are named like one in turns and do something else."""


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

    @property
    def is_in_turns(self) -> bool:
        """Whether the level needs no Live connection."""
        return is_in_turns(self.model)


class Reason(StrEnum):
    """Why a level changed. `outage`: there was no Live connection to be had. `manual`: none of the others; an operator,
    or a model that cannot be used."""

    RATE_LIMIT_EXCEEDED = "rate-limit-exceeded"
    SESSION_RESET = "session-reset"
    QUOTA_RESET = "quota-reset"
    OUTAGE = "outage"
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
        super().__init__(f"{model!r} is not a model that Holdline knows how to talk with")
        self.model = model


def profile_of(model: str) -> ModelProfile:
    """The most particular profile of a model, as it is at its place. Raises `UnknownModel`."""
    fitting = [profile for profile in PROFILES if _fits(profile, id_of(model))]
    if not fitting:
        raise UnknownModel(model)
    profile = max(fitting, key=lambda profile: len(profile.prefix))
    return _on_agent_platform(profile) if place_of(model).is_agent_platform else profile


def _on_agent_platform(profile: ModelProfile) -> ModelProfile:
    """There `historyConfig` is refused, by some reports (pipecat 4179 of March 2026; adk-python 6218 of June takes it):
    the instruction is taken by all."""
    if profile.kind is Kind.TURNS:
        return replace(profile, cache_from_tokens=max(profile.cache_from_tokens, CACHE_FROM_TOKENS_THERE))
    silence_ms = max(profile.silence_before_end_ms, SILENCE_BEFORE_END_THERE_MS)
    return replace(
        profile, seeding=Seeding.INSTRUCTION, silence_before_end_ms=silence_ms, handle_hours=HANDLE_HOURS_THERE
    )


def _fits(profile: ModelProfile, model: str) -> bool:
    if model != profile.prefix and not model.startswith(f"{profile.prefix}-"):
        return False
    return profile.kind is Kind.LIVE or OTHER_WORK.isdisjoint(model.removeprefix(profile.prefix).split("-"))


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
        models: best first, one for each level above 0; 1 to `LADDER_LIMIT`, those in turns after all others, else
            raises ValueError.
    """

    def __init__(self, mode: Mode, models: Sequence[str]) -> None:
        top = len(models)
        if not 1 <= top <= LADDER_LIMIT:
            raise ValueError(f"The {mode} ladder has {top} models; it needs 1 to {LADDER_LIMIT}, best first")
        in_turns = [is_in_turns(model) for model in models]
        if in_turns != sorted(in_turns):
            raise ValueError(f"The {mode} ladder has a Live model below one in turns, which is there for want of them")
        self.mode = mode
        self._levels = (
            Level(mode, 0, Word.EXHAUSTED.value, ""),
            *(
                Level(mode, number, _word(number, top, in_turns[top - number]).value, models[top - number])
                for number in range(1, top + 1)
            ),
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

    def refuges_below(self, level: Level) -> tuple[Level, ...]:
        """Where a conversation may go when there is no Live connection to be had: the levels in turns below a Live one,
        the best first."""
        if level.is_exhausted or level.is_in_turns:
            return ()
        return tuple(lower for lower in self.all_below(level) if lower.is_in_turns)

    def is_served_elsewhere_below(self, level: Level) -> bool:
        """Whether a level below has a model at another place, where another account asks."""
        return any(place_of(lower.model) != place_of(level.model) for lower in self.all_below(level))

    @property
    def live_models(self) -> tuple[str, ...]:
        """Those that are talked with over Live connections, the best first."""
        return tuple(level.model for level in self.all_above(self._levels[0]) if not level.is_in_turns)

    @property
    def models(self) -> tuple[str, ...]:
        """Of all levels, the best first."""
        return tuple(level.model for level in self.all_above(self._levels[0]))


def is_in_turns(model: str) -> bool:
    """Whether a model is talked with in turns; not one that no profile describes, which a check reports."""
    try:
        return profile_of(model).kind is Kind.TURNS
    except UnknownModel:
        return False


def _word(number: int, top: int, in_turns: bool) -> Word:
    if in_turns:
        return Word.TURNS
    if number == top:
        return Word.FULL
    return Word.LOW if number == 1 else Word.REDUCED


def models_of(ladders: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The models of ladders by mode, as the settings have them: each once, in the order in which they stand there."""
    return tuple(dict.fromkeys(model for ladder in ladders.values() for model in ladder))


def are_voices_wanted(models: Iterable[str]) -> bool:
    """Whether the answers of one of these models, which is talked with in turns, are to be spoken by others."""
    return any(is_in_turns(model) for model in models)


def is_model_resumable(level: Level) -> bool:
    """Whether the level's model issues handles that a later connection may use."""
    return not level.is_exhausted and profile_of(level.model).resumable


def is_context_compressed(level: Level) -> bool:
    """Whether the context of the level's model is cut by its provider where that is asked for."""
    return not level.is_exhausted and profile_of(level.model).compresses


def should_clear_resumption_handle(previous: Level, new: Level) -> bool:
    """A handle of another model is refused, so it goes with the model; a change that keeps the model keeps it."""
    return previous.model != new.model or not is_model_resumable(new)
