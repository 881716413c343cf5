"""A growing answer cut into pieces that are spoken one after the other: pure.

The first sentence is a piece as soon as it is there, so that its sound comes early; later ones are put together, for
each piece costs a request. No piece is longer than `PIECE_LIMIT`: models that speak were reported to pause for 15 s in
texts of more than 260 characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PIECE_LIMIT = 250
"""In characters, of what is spoken."""

PIECE_ENOUGH = 120
"""A piece of whole sentences that has so many characters waits for no more."""

CODE_SPOKEN = "Code."
"""Said in the place of a block of code."""

_FENCE = "```"
_CLOSERS = "\"'”’»)]*_"
_END = re.compile(
    rf"(?:[.!?…؟۔।]+[{re.escape(_CLOSERS)}]*(?=\s)\s+|[。！？]+[”’」』）]*|[.!?…؟۔।:]?\n+\s*)",
)
_CLAUSE_ENDS = re.compile(r"[,;:–—،؛](?=\s)\s+|[、，；：]")
_BLANKS = re.compile(r"\s+")

# fmt: off
_ABBREVIATIONS = frozenset(
    (
        "dr", "mr", "mrs", "ms", "prof", "st", "sr", "jr", "vs", "etc", "approx", "dept", "est", "fig", "no",
        "nos", "vol", "inc", "ltd", "e.g", "i.e", "a.m", "p.m", "u.s", "u.k", "nr", "bzw", "ca", "usw", "vgl",
        "str", "tel", "abs", "z.b", "d.h", "u.a", "o.ä", "evtl", "ggf", "inkl", "max", "min", "mio", "mrd",
        "m", "mme", "mlle", "p.ex", "av", "sra", "srta", "ud", "uds", "pág", "sig", "dott", "sig.ra", "ecc",
    )
)
# fmt: on
"""In small letters without their last dot: English, German, French, Spanish, Italian."""

_MARKS = (
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)"), r"\1"),
    (re.compile(r"(?m)^[ \t]*\|?[ \t]*:?-{3,}:?[-| :\t]*$"), ""),
    (re.compile(r"(?m)^[ \t]*(?:[*_-][ \t]*){3,}$"), ""),
    (re.compile(r"(?m)^[ \t]{0,3}#{1,6}[ \t]+"), ""),
    (re.compile(r"(?m)^[ \t]*>[ \t]?"), ""),
    (re.compile(r"(?m)^[ \t]*[*+-][ \t]+"), ""),
    (re.compile(r"(?m)^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$"), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),
    (re.compile(r"(?<!\w)[*_~`]+(?=\S)|(?<=\S)[*_~`]+(?!\w)"), ""),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """`text`: as it was written, blanks included: all pieces in a row are the answer. `spoken`: what is read aloud of
    it, up to `PIECE_LIMIT` characters; empty where there is nothing to be said."""

    text: str
    spoken: str


class Sentences:
    """Cuts one answer."""

    def __init__(self) -> None:
        self._open = ""
        self._ready = ""
        self._has_begun = False
        self._is_code = False

    def take(self, text: str) -> list[Piece]:
        """More of the answer; the pieces that are whole now."""
        self._open += text
        return self._cut(is_over=False)

    def end(self) -> list[Piece]:
        """Nothing more comes."""
        return self._cut(is_over=True)

    def _cut(self, *, is_over: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while True:
            found = self._code(is_over) if self._is_code or self._open.startswith(_FENCE) else self._words(is_over)
            if found is None:
                break
            pieces += found
        if is_over:
            pieces += self._flush()
        return pieces

    def _code(self, is_over: bool) -> list[Piece] | None:
        """A block of code is one piece, however long it is."""
        if not self._open:
            return None
        end = self._open.find(_FENCE, len(_FENCE))
        if end < 0 and not is_over:
            self._is_code = True
            return None
        block = self._open if end < 0 else self._open[: end + len(_FENCE)]
        self._open = self._open[len(block) :]
        self._is_code = False
        return [*self._flush(), Piece(block, CODE_SPOKEN)]

    def _words(self, is_over: bool) -> list[Piece] | None:
        if not self._open:
            return None
        fence = self._open.find(_FENCE)
        prose = self._open if fence < 0 else self._open[:fence]
        end = _end_of_sentence(prose, is_whole=is_over or fence >= 0)
        if end is None:
            return self._too_long(prose)
        sentence, self._open = self._open[:end], self._open[end:]
        return self._put(sentence)

    def _put(self, sentence: str) -> list[Piece]:
        """Another sentence, which may go into one piece with those before it."""
        pieces = self._flush() if len(self._ready) + len(sentence) > PIECE_LIMIT else []
        self._ready += sentence
        if not self._has_begun or len(self._ready) >= PIECE_ENOUGH:
            pieces += self._flush()
        return pieces

    def _too_long(self, prose: str) -> list[Piece] | None:
        """A sentence that has no end for so long is cut where one may pause."""
        if len(prose) <= PIECE_LIMIT:
            return None
        part, self._open = self._open[: (end := _pause_in(prose))], self._open[end:]
        return [*self._flush(), *self._as_pieces(part)]

    def _flush(self) -> list[Piece]:
        ready, self._ready = self._ready, ""
        return self._as_pieces(ready)

    def _as_pieces(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        while text:
            end = len(text) if len(text) <= PIECE_LIMIT else _pause_in(text)
            piece = Piece(text[:end], speakable(text[:end]))
            self._has_begun = self._has_begun or bool(piece.spoken)
            pieces.append(piece)
            text = text[end:]
        return pieces


def speakable(text: str) -> str:
    """A text without the marks of Markdown, which nobody wants to hear."""
    for mark, instead in _MARKS:
        text = mark.sub(instead, text)
    spoken = _BLANKS.sub(" ", text).strip()
    return spoken if any(character.isalnum() for character in spoken) else ""


def _end_of_sentence(text: str, *, is_whole: bool) -> int | None:
    """Where the first sentence ends, its blanks included; None where it may go on. `is_whole`: no more of it comes."""
    for match in _END.finditer(text):
        if match.end() == len(text) and not is_whole and not _is_certain(match.group()):
            return None
        if not _goes_on(text, match):
            return match.end()
    return len(text) if is_whole else None


def _is_certain(end: str) -> bool:
    return "\n" not in end and not end.isspace() and end.strip()[:1] in "!?。！？؟।"


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Whether this is no end: the dot of an abbreviation, an initial or a number, or before a small letter."""
    if not match.group().startswith(".") or match.group().startswith("..") or "\n" in match.group():
        return False
    word = _BLANKS.split(text[: match.start()])[-1].lstrip("(\"'„“*_")
    is_short = word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha())
    following = text[match.end() : match.end() + 1]
    return is_short or word.isdecimal() or following.islower()


def _pause_in(text: str) -> int:
    """Where to cut a text that is too long: at the last clause, else at the last blank, else where it must be."""
    head = text[:PIECE_LIMIT]
    clauses = [match.end() for match in _CLAUSE_ENDS.finditer(head)]
    blanks = [match.end() for match in _BLANKS.finditer(head)]
    half = PIECE_LIMIT // 2
    return next((ends[-1] for ends in (clauses, blanks) if ends and ends[-1] >= half), PIECE_LIMIT)
