"""What is shown of a text in which something was found: the sentence of the first hit, with hits marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from summarization.folding import fold, fold_with_places

PASSAGE_CHARACTERS = 220
_BEFORE_CHARACTERS = 60
_LONGEST_WORD_CHARACTERS = 24

_WINDOW_CHARACTERS = 2_000
_OVERLAP_CHARACTERS = 400
"""Finding places takes time: of a long text only the part is looked at that has a hit."""

_SENTENCE_END = re.compile(r"(?<=[.!?…।؟])[\"'”’»)\]]*\s+|(?<=[。！？｡])[」』）]*|\n+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a passage; `is_hit`: it is what was searched for."""

    text: str
    is_hit: bool = False


def passage(text: str, words: Iterable[str]) -> tuple[Piece, ...]:
    """The sentence of the first hit of folded words, or its part around the hit where it is long; the beginning of the
    text when there is none. Blanks are one each. " …" stands where a sentence is cut."""
    words = tuple(words)
    window = _window_with_hit(text, words)
    spans = _spans(window, words)
    if not spans:
        cut = " ".join(text.split())
        is_whole = len(cut) <= PASSAGE_CHARACTERS
        return (Piece(cut if is_whole else cut[:PASSAGE_CHARACTERS] + " …"),) if cut else ()
    start, end = _sentence(window, spans[0])
    is_begun = end - start > PASSAGE_CHARACTERS and spans[0][0] - start > _BEFORE_CHARACTERS
    if is_begun:
        start = _word_start(window, spans[0][0] - _BEFORE_CHARACTERS, spans[0][0])
    is_ended = end - start > PASSAGE_CHARACTERS
    if is_ended:
        end = max(start + PASSAGE_CHARACTERS, spans[0][1])
    pieces = [Piece(re.sub(r"\s+", " ", piece.text), piece.is_hit) for piece in _pieces(window, spans, start, end)]
    before, after = [Piece("… ")] * is_begun, [Piece(" …")] * is_ended
    return (*before, *pieces, *after)


def marked(text: str, words: Iterable[str]) -> tuple[Piece, ...]:
    """The whole of a text as it is, in pieces."""
    return tuple(_pieces(text, _spans(text, tuple(words)), 0, len(text)))


def has_hit(text: str, words: Iterable[str]) -> bool:
    folded = fold(text)
    return any(word in folded for word in words)


def _window_with_hit(text: str, words: tuple[str, ...]) -> str:
    for start in range(0, len(text), _WINDOW_CHARACTERS):
        window = text[max(0, start - _OVERLAP_CHARACTERS) : start + _WINDOW_CHARACTERS + _OVERLAP_CHARACTERS]
        if has_hit(window, words):
            return window
    return ""


def _spans(text: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Start and end of what was found, in order; what touches is one."""
    if not has_hit(text, words):
        return []
    folded = fold_with_places(text)
    spans: list[tuple[int, int]] = []
    for start, end in sorted(span for word in words for span in folded.where(word)):
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def _sentence(text: str, hit: tuple[int, int]) -> tuple[int, int]:
    """Start and end of the sentence of a hit, or of the sentences that it goes over."""
    start, end = 0, len(text.rstrip())
    for border in _SENTENCE_END.finditer(text):
        if border.end() <= hit[0]:
            start = border.end()
        elif border.start() >= hit[1]:
            return start, border.start()
    return start, max(end, hit[1])


def _pieces(text: str, spans: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[Piece]:
    """The text from `start` to `end`; a hit that reaches beyond is cut."""
    done = start
    for first, last in spans:
        first, last = max(first, start), min(last, end)
        if first >= last:
            continue
        if first > done:
            yield Piece(text[done:first])
        yield Piece(text[first:last], is_hit=True)
        done = last
    if done < end:
        yield Piece(text[done:end])


def _word_start(text: str, position: int, latest: int) -> int:
    """The beginning of a word soon after a position; the position where words have no blanks between them."""
    blank = re.compile(r"\s").search(text, position, min(latest, position + _LONGEST_WORD_CHARACTERS))
    return blank.end() if blank else position
