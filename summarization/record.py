"""One conversation as it is shown and exported: pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sessions_app.live.transcript import Role, TurnCode, TurnStatus, heard_part, unheard_part
from summarization.timeline import Moment, verdict


class _Fate(Enum):
    CUT = auto()
    GIVEN_AGAIN = auto()
    INTERRUPTED = auto()


_MARKS = {
    _Fate.CUT: (gettext_lazy("Cut by the line"), gettext_lazy("cut by the line")),
    _Fate.GIVEN_AGAIN: (gettext_lazy("Cut by the line, given again"), gettext_lazy("cut by the line, given again")),
    _Fate.INTERRUPTED: (gettext_lazy("Interrupted"), gettext_lazy("interrupted")),
}
"""By itself, and within a sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """A turn. `role`, `status`, `code`, `heard`, `recordings`, `replaces` and `withdrawn` are those of the browser
    protocol. `until`: the moment that a line of our own names.
    """

    number: int
    role: str
    text: str
    status: str
    at: datetime
    code: str = ""
    heard: int | None = None
    recordings: tuple[str, ...] = ()
    until: datetime | None = None
    replaces: int | None = None
    withdrawn: bool = False

    @property
    def can_be_found(self) -> bool:
        """Whether a search finds its words: those of a notice are nobody's, and what was withdrawn does not count."""
        return self.role != Role.SYSTEM and not self.withdrawn

    @property
    def heard_text(self) -> str:
        return heard_part(self.text, self.heard)

    @property
    def unheard_text(self) -> str:
        return unheard_part(self.text, self.heard)

    def names_of_recordings(self, names: Mapping[str, str]) -> list[str]:
        """Of those that it is about. `names`: of the recordings that are still there, by id."""
        return [names.get(id, _("a recording that is gone")) for id in self.recordings]

    @property
    def mark(self) -> str:
        """What became of it, if it was not simply said: in words."""
        return str(_MARKS[fate][0]) if (fate := self._fate) else ""

    @property
    def mark_within(self) -> str:
        """The same where it stands within a sentence."""
        return str(_MARKS[fate][1]) if (fate := self._fate) else ""

    @property
    def _fate(self) -> _Fate | None:
        if self.code == TurnCode.GIVEN_AGAIN and self.status == TurnStatus.COMPLETE:
            return _Fate.GIVEN_AGAIN
        if self.status != TurnStatus.INTERRUPTED:
            return None
        return _Fate.CUT if self.code == TurnCode.CUT else _Fate.INTERRUPTED


@dataclass(frozen=True, slots=True)
class Span:
    """Lines that are shown together: an earlier version, which is folded, or what counts."""

    withdrawn: bool
    lines: tuple[Line, ...]


def spans_of(lines: tuple[Line, ...]) -> tuple[Span, ...]:
    """Lines in order. Each question that was withdrawn begins an earlier version of its own."""
    spans: list[Span] = []
    for line in lines:
        begins = not spans or spans[-1].withdrawn != line.withdrawn or (line.withdrawn and line.role == Role.USER)
        before = () if begins else spans.pop().lines
        spans.append(Span(line.withdrawn, (*before, line)))
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class WrittenSummary:
    """The summary as it stands. `state`: pending, ready or failed; `reason`: why it failed, in plain words."""

    state: str
    text: str = ""
    open_points: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    reason: str = ""
    model: str = ""

    @property
    def is_transcript(self) -> bool:
        """Whether it is the transcript itself, which was too short for a model to be asked."""
        return self.state == "ready" and not self.model


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider counted. Every turn sends its whole context again, and is counted with it.

    `cost_micro_usd`: millionths of a dollar; 0 where no price is known.
    """

    input: int = 0
    output: int = 0
    cost_micro_usd: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.input + other.input, self.output + other.output, self.cost_micro_usd + other.cost_micro_usd)

    def __bool__(self) -> bool:
        return bool(self.input or self.output)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A conversation that this one continues or goes on from, or the other way round."""

    id: uuid.UUID
    title: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Attached:
    """A recording that is part of a conversation. `peaks`: the loudest of equal slots, 0 to 255."""

    id: str
    name: str
    duration_ms: int
    peaks: bytes = b""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything about one conversation.

    `until`: when it ended, or when something was said last while it goes on. `is_live`: a page has it open now.
    `tokens`: of this conversation; `chain_tokens`: with those before it that it continues.
    `summary` is None until the conversation is in the history. `earlier`, `later`: what it continues, and what
    continues it. `goes_on_from`, `went_on_in`: calls that began with the summary of another.
    `pinned_at`: since when its user has it at the top of the list of chats.
    """

    id: uuid.UUID
    title: str
    mode: str
    is_over: bool
    is_live: bool
    started_at: datetime
    until: datetime
    models: tuple[str, ...]
    tokens: Tokens
    chain_tokens: Tokens
    summary: WrittenSummary | None
    lines: tuple[Line, ...]
    moments: tuple[Moment, ...]
    earlier: Neighbour | None = None
    later: tuple[Neighbour, ...] = ()
    goes_on_from: Neighbour | None = None
    went_on_in: tuple[Neighbour, ...] = ()
    recordings: tuple[Attached, ...] = ()
    pinned_at: datetime | None = None

    @property
    def duration_ms(self) -> int:
        return milliseconds_between(self.started_at, self.until)

    @property
    def recording_names(self) -> dict[str, str]:
        """By id; of those that are still there."""
        return {recording.id: recording.name for recording in self.recordings}

    @property
    def spans(self) -> tuple[Span, ...]:
        return spans_of(self.lines)

    @property
    def verdict(self) -> str:
        """What became of the line, in a sentence or two."""
        return verdict(self.moments)


def milliseconds_between(start: datetime, end: datetime) -> int:
    """Never negative: clocks of two workers may differ."""
    return max(0, round((end - start).total_seconds() * 1000))
