"""Where the gaps of a day stand in a picture: pure.

Places are in percent of the picture, so that it can be as wide as there is room while its words keep their size. Gaps
are drawn on a logarithmic scale: one of 40 ms and one of ten minutes are on the same day.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10
from zoneinfo import ZoneInfo

from summarization.lengths import duration_words

TOP, BOTTOM = 4.0, 88.0
"""Of the scale, from above, in percent; below it are the hours."""

STEPS: Sequence[tuple[int, str]] = (
    (1, "1 ms"),
    (10, "10 ms"),
    (100, "100 ms"),
    (1_000, "1 s"),
    (10_000, "10 s"),
    (60_000, "1 min"),
    (600_000, "10 min"),
    (3_600_000, "1 h"),
    (36_000_000, "10 h"),
    (360_000_000, "100 h"),
)
"""What a scale is divided by: milliseconds, and their name."""

USUAL = (100, 10_000)
"""What every scale shows, so that a quiet day looks quiet."""

HOURS = range(0, 25, 3)


@dataclass(frozen=True, slots=True)
class Gap:
    """A conversation had no line for `gap_ms`, until `at`. `event`: the row that says so."""

    event: int
    at: datetime.datetime
    gap_ms: int
    cause: str
    is_planned: bool

    @property
    def length(self) -> str:
        return length_words(self.gap_ms)


@dataclass(frozen=True, slots=True)
class Mark:
    """A gap in the picture."""

    x: str
    y: str
    is_planned: bool
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """A line across the picture, and what it stands for."""

    place: str
    name: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`now`: where the day has come to."""

    marks: tuple[Mark, ...]
    hours: tuple[Step, ...]
    lengths: tuple[Step, ...]
    now: str


def plot(
    gaps: Iterable[Gap], begins: datetime.datetime, ends: datetime.datetime, now: datetime.datetime, zone: str
) -> Plot:
    """The picture of a day.

    Args:
        gaps: of the day, in any order.
        begins: the beginning of the day; `ends`: that of the next one, after 23 or 25 hours where clocks are changed.
        zone: whose hours are written below.
    """
    drawn = tuple(gaps)
    here = ZoneInfo(zone)
    lengths = [max(gap.gap_ms, STEPS[0][0]) for gap in drawn]
    steps = _steps_around(min([USUAL[0], *lengths]), max([USUAL[1], *lengths]))
    lowest, highest = steps[0][0], steps[-1][0]

    def across(at: datetime.datetime) -> str:
        return _percent(100 * min(1.0, max(0.0, (at - begins) / (ends - begins))))

    def up(gap_ms: int) -> str:
        share = log10(max(gap_ms, lowest) / lowest) / log10(highest / lowest)
        return _percent(BOTTOM - min(1.0, share) * (BOTTOM - TOP))

    def words(gap: Gap) -> str:
        return f"{gap.at.astimezone(here):%H:%M:%S}, {gap.length}, {gap.cause}"

    return Plot(
        tuple(Mark(across(gap.at), up(gap.gap_ms), gap.is_planned, words(gap)) for gap in drawn),
        tuple(Step(across(_o_clock(begins, hour, here)), f"{hour:02}") for hour in HOURS),
        tuple(Step(up(length_ms), name) for length_ms, name in steps),
        across(now),
    )


def length_words(milliseconds: int) -> str:
    """Such as "340 ms", "4.2 seconds" or "3 minutes 7 seconds"."""
    return f"{milliseconds} ms" if milliseconds < 1_000 else duration_words(milliseconds)


def _steps_around(shortest_ms: int, longest_ms: int) -> Sequence[tuple[int, str]]:
    below = max(index for index, (length_ms, _) in enumerate(STEPS) if length_ms <= shortest_ms)
    above = next((index for index, (length_ms, _) in enumerate(STEPS) if length_ms >= longest_ms), len(STEPS) - 1)
    return STEPS[below : above + 1]


def _o_clock(begins: datetime.datetime, hour: int, here: ZoneInfo) -> datetime.datetime:
    """This hour by the clocks of the place; 24 is the next midnight. Not every day begins at midnight: where clocks are
    put forward then, it begins at one."""
    midnight = datetime.datetime.combine(begins.astimezone(here), datetime.time.min)
    return (midnight + datetime.timedelta(hours=hour)).replace(tzinfo=here).astimezone(datetime.UTC)


def _percent(number: float) -> str:
    return f"{number:.2f}%"
