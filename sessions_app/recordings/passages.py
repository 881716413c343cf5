"""A transcript in pages: one of three hours has up to ten thousand passages. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class Passage:
    """What somebody said. `speaker`: empty where it is that of the passage before, on the same page."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class PassagePage:
    """`number`: from 1 to `count`, which is at least 1."""

    number: int
    count: int
    passages: tuple[Passage, ...]


def passage_page(segments: Sequence[Mapping[str, Any]], number: int) -> PassagePage:
    """A page of a transcript; the first or the last one where there is none of this number."""
    count = max(1, -(-len(segments) // PER_PAGE))
    number = min(max(1, number), count)
    passages, before = [], ""
    for said in segments[(number - 1) * PER_PAGE : number * PER_PAGE]:
        speaker = said["speaker"]
        passages.append(Passage(said["start_ms"], said["end_ms"], speaker if speaker != before else "", said["text"]))
        before = speaker
    return PassagePage(number, count, tuple(passages))


def page_at(segments: Sequence[Mapping[str, Any]], at_ms: int) -> int:
    """The number of the page on which what is said at this time stands."""
    place = bisect_right(segments, at_ms, key=lambda said: int(said["start_ms"]))
    return max(0, place - 1) // PER_PAGE + 1
