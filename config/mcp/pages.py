"""Cutting what is long into pages that fit into an answer: pure."""

from __future__ import annotations

from collections.abc import Sequence

from summarization.record import Line

LINES_AT_MOST = 50
CHARACTERS_AT_MOST = 20_000
"""Of a page, about 5,000 tokens for whoever reads it."""


def pages_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Pages of whole lines, in order; at least one page. A line that is longer than a page has one for itself."""
    pages: list[list[Line]] = [[]]
    room = CHARACTERS_AT_MOST
    for line in lines:
        if pages[-1] and (len(pages[-1]) == LINES_AT_MOST or len(line.text) > room):
            pages.append([])
            room = CHARACTERS_AT_MOST
        pages[-1].append(line)
        room -= len(line.text)
    return pages
