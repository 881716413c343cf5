"""The form of a text in which it is stored to be found, and in which it is asked for: pure.

Whoever looks for "hotel" finds "Hôtel", HOTEL and ｈｏｔｅｌ. A fold is not for the eye: hits are shown in the text
itself, by `Folded.where`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LETTERS = {
    **{"ı": "i", "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"},
    **{"ى": "ي", "ی": "ي", "ک": "ك", "ـ": ""},
}
"""Letters that no normalisation takes apart, and that people write in more than one way. The last lengthens a word."""

_SIGNS = {
    **dict.fromkeys("‘’‚‛′ʹʻʼʽ＇׳", "'"),
    **dict.fromkeys("“”„‟″«»״＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹣－־", "-"),
}
"""Signs that a keyboard has one of, and a typesetter many."""

_BEFORE = str.maketrans({"´": "'", "\x00": " "})
"""What has to go before normalisation, which makes of an accent without a letter a blank and an accent."""

_CHANGES = {ord(char): new for char, new in (_LETTERS | _SIGNS).items()}

_IGNORED = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)),
)
"""Characters that nobody sees and that are no controls: fillers, and choices between shapes of the one before."""

_FIRST_ACCENT = 0x0300
_HANGUL_PARTS = ((0x1160, 0x11FF), (0x3131, 0x318E), (0xD7B0, 0xD7FF), (0xFFA0, 0xFFDC))


_LAST_REMEMBERED = 0xFFFF


class _Changes(dict[int, str | int]):
    """What becomes of each character. Of the 65,536 that texts are written with it is worked out once."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        new: str | int = code
        if _is_dropped(char):
            new = ""
        elif unicodedata.category(char) == "Nd":
            new = str(unicodedata.decimal(char))
        if code <= _LAST_REMEMBERED:
            self[code] = new
        return new


_TABLE = _Changes(_CHANGES)


@dataclass(frozen=True, slots=True)
class Folded:
    """A fold, and where in the text it was made of each of its characters comes from: `starts[i]` to `ends[i]`."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def where(self, word: str) -> Iterator[tuple[int, int]]:
        """Start and end in the text, not in the fold, of each hit of a folded word; hits do not overlap."""
        at = self.text.find(word) if word else -1
        while at >= 0:
            yield self.starts[at], self.ends[at + len(word) - 1]
            at = self.text.find(word, at + len(word))


def fold(text: str) -> str:
    """The fold: without case, accents, marks of Hebrew and Arabic, and shapes (NFKC); blanks are one blank each.

    Folding twice changes nothing. A text in composed and in decomposed form has one fold. Marks stay that make another
    sound of a letter in Indic, Thai and Japanese scripts. `fold(f"{a} {b}")` contains `fold(a)`.
    """
    if text.isascii():
        return " ".join(text.lower().replace("\x00", " ").split())
    return " ".join(_fold_characters(text).split())


def fold_with_places(text: str) -> Folded:
    """The fold as `fold` makes it, with where it comes from. Takes longer, but for English: for what is shown."""
    folded = fold(text)
    if text.isascii() and len(folded) == len(text):
        return Folded(folded, range(len(text)), range(1, len(text) + 1))
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    blank: tuple[int, int] | None = None
    for start, end in _clusters(text):
        cluster = text[start:end]
        for char in cluster.lower() if cluster.isascii() and cluster != "\x00" else _fold_characters(cluster):
            if char.isspace():
                blank = (start, end)
                continue
            if blank is not None and chars:
                chars.append(" ")
                starts.append(blank[0])
                ends.append(blank[1])
            blank = None
            chars.append(char)
            starts.append(start)
            ends.append(end)
    return Folded("".join(chars), tuple(starts), tuple(ends))


def _fold_characters(text: str) -> str:
    """Without a look at blanks. What casefold makes may have to be taken apart once more: İ becomes i and a dot."""
    text = unicodedata.normalize("NFKD", text.translate(_BEFORE)).translate(_TABLE)
    text = unicodedata.normalize("NFKD", text.casefold()).translate(_TABLE)
    return unicodedata.normalize("NFC", text)


def _is_dropped(char: str) -> bool:
    """Accents, points of Hebrew, vowels of Arabic and Syriac, and what nobody sees.

    By their combining classes (https://www.unicode.org/reports/tr44/#Canonical_Combining_Class_Values): 10 to 36 are
    those of Hebrew, Arabic and Syriac, from 200 on accents of all scripts. Those between are parts of letters.
    """
    kind = unicodedata.combining(char)
    code = ord(char)
    return (
        10 <= kind <= 36
        or kind >= 200
        or unicodedata.category(char) == "Cf"
        or any(first <= code <= last for first, last in _IGNORED)
    )


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each character with what belongs to it, so that each can be folded without the others."""
    start = 0
    for at in range(1, len(text)):
        if not _goes_on(text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)


def _goes_on(char: str) -> bool:
    """Whether it may join with the character before it: marks, parts of Korean syllables, what nobody sees."""
    code = ord(char)
    if code < _FIRST_ACCENT:
        return code == 0xAD
    if any(first <= code <= last for first, last in _HANGUL_PARTS) or code in (0xFF9E, 0xFF9F):
        return True
    return unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}
