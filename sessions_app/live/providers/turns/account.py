"""What was said so far, what waits for an answer, and what a request about it is made of: pure.

A request is asked, and then answered, or withdrawn because the user goes on: then its input goes into the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.live.context import CUT_MARK
from sessions_app.live.tokens import estimate_tokens
from sessions_app.live.transcript import NOT_TRANSCRIBED, Role, Turn, TurnStatus
from sessions_app.live.voice import BYTES_PER_MS

SOUND_LIMIT_BYTES = 300_000 * BYTES_PER_MS
"""Of sound in a request: five minutes. All of a request may be 20 MB, and base64 takes a third more of that ("Audio
understanding", read 2026-11). What was said first goes first."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Speech of the user: PCM16 mono 16 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Words:
    """Of the user, typed or transcribed before."""

    text: str


Part = Sound | Words


@dataclass(frozen=True, slots=True)
class Line:
    """A turn that is over, as later requests tell it."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """The conversation before, and what is to be answered."""

    before: tuple[Line, ...]
    parts: tuple[Part, ...]

    @property
    def is_spoken(self) -> bool:
        """Whether there is sound in it, whose words are wanted as well."""
        return any(isinstance(part, Sound) for part in self.parts)


class Account:
    """Keeps one conversation.

    Args:
        past: what was said before.
    """

    def __init__(self, past: tuple[Turn, ...] = ()) -> None:
        self._lines: list[Line] = []
        self._asked: list[Part] = []
        self._waiting: list[Part] = []
        self._tokens = 0
        self.remember(past)

    @property
    def tokens(self) -> int:
        """About how many the conversation takes, without what waits for an answer."""
        return self._tokens

    @property
    def waits(self) -> bool:
        """Whether something is there that nobody was asked about."""
        return bool(self._waiting)

    def remember(self, past: tuple[Turn, ...]) -> None:
        """Take in turns of the past."""
        for turn in past:
            self._add(turn.role, turn.text + (CUT_MARK if turn.status is TurnStatus.INTERRUPTED else ""))

    def add(self, part: Part) -> None:
        """The user has said this."""
        self._waiting.append(part)

    def ask(self) -> Question:
        """What is to be answered now: all that waits, and what was withdrawn."""
        self._asked, self._waiting = _bounded([*self._asked, *self._waiting]), []
        return Question(tuple(self._lines), tuple(self._asked))

    def transcribed(self, words: str) -> None:
        """These are the words of all sound that was asked about: they stand for it from now on."""
        places = [place for place, part in enumerate(self._asked) if isinstance(part, Sound)]
        if places and words.strip():
            rest = [part for part in self._asked if isinstance(part, Words)]
            before = sum(isinstance(part, Words) for part in self._asked[: places[0]])
            self._asked = [*rest[:before], Words(words.strip()), *rest[before:]]

    def answered(self, answer: str, *, is_cut: bool = False) -> None:
        """What was asked has this answer, or this much of it was heard."""
        said = [part.text if isinstance(part, Words) else NOT_TRANSCRIBED for part in self._asked]
        self._asked = []
        self._add(Role.USER, "\n".join(said))
        if answer.strip():
            self._add(Role.MODEL, answer.strip() + (CUT_MARK if is_cut else ""))

    def passed_over(self) -> None:
        """Nothing was said to what was asked: of words it is known that they were said, of noise nothing is kept."""
        if any(isinstance(part, Words) for part in self._asked):
            self.answered("")
        self._asked = []

    def dropped(self) -> None:
        """What was asked may not be asked."""
        self._asked = []

    def _add(self, role: Role, text: str) -> None:
        if text:
            self._lines.append(Line(role, text))
            self._tokens += estimate_tokens(text) + 1


def _bounded(parts: list[Part]) -> list[Part]:
    kept: list[Part] = []
    size_bytes = 0
    for part in reversed(parts):
        size_bytes += len(part.pcm) if isinstance(part, Sound) else 0
        if isinstance(part, Words) or size_bytes <= SOUND_LIMIT_BYTES:
            kept.append(part)
    return kept[::-1]
