"""What is looked for, and the pieces of words by which a database finds the texts that may have it: pure.

A word is found anywhere in a text, within longer words, too: "bahn" in "Autobahn", 날씨 in 날씨가, 天気 in a sentence
without a blank. No database has an index for that in every language: `pg_trgm` knows no words of two characters and, in
a database without a locale, none of most scripts; the trigrams of SQLite know none of two either. So pieces are made
here, the same for both, and what an index of pieces finds is then looked for in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from summarization.folding import fold

MOST_WORDS = 10
MOST_PIECES = 12
"""Of one word, which an index is asked for: more of them hardly leave out another text."""

_QUOTED_OR_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_AROUND_WORDS = re.compile(r"^[(\[{'¿¡「『【《〈、。,;:!?…]+|[)\]}',;:.!?…、。」』】》〉]+$")

_RUNS = re.compile("[a-z0-9\x80-\u2e7f]+|[\u2e80-\U0010ffff]+")
"""Of a fold: what has letters, and what has characters that are syllables, words or pictures by themselves."""

_FIRST_WIDE = "\u2e80"
_SIZES_WIDE = (1, 2)
_SIZES = (1, 2, 3, 5)
"""Three letters in a row are in every third conversation, five in few."""


def words_of(text: str) -> tuple[str, ...]:
    """What to look for, folded: every one must occur. What stands in quotes is one, with its blanks.

    Signs alone are none: empty when there is nothing else. Signs around a word that come from a sentence are left out;
    those that are part of names stay, as in ".example", "snake_case" and "C++".
    """
    return _all_words_of(text)[:MOST_WORDS]


def has_too_many_words(text: str) -> bool:
    """Whether `words_of` leaves out what could be looked for."""
    return len(_all_words_of(text)) > MOST_WORDS


def pieces_of_text(folded: str) -> set[str]:
    """Every piece that a word in a folded text may be asked for by. At most five characters each."""
    return {piece for run in set(_RUNS.findall(folded)) for size in _sizes(run) for piece in _cut(run, size)}


def pieces_of_word(word: str) -> tuple[str, ...]:
    """Pieces that every text has in which a folded word occurs, few but telling ones."""
    found = dict.fromkeys(piece for run in _RUNS.findall(word) for piece in _cut(run, _best_size(run)))
    return tuple(sorted(found, key=len, reverse=True))[:MOST_PIECES]


def occurs(words: Iterable[str], folded: str) -> bool:
    """Whether every word occurs in a folded text."""
    return all(word in folded for word in words)


def _all_words_of(text: str) -> tuple[str, ...]:
    found = (phrase or _AROUND_WORDS.sub("", word) for phrase, word in _QUOTED_OR_WORD.findall(fold(text)))
    return tuple(dict.fromkeys(word for word in map(fold, found) if _can_be_found(word)))


def _can_be_found(word: str) -> bool:
    return bool(_RUNS.search(word)) and any(_is_no_sign(char) for char in word)


def _is_no_sign(char: str) -> bool:
    """Letters, digits, emoji and currencies."""
    kind = unicodedata.category(char)
    return kind[0] in "LN" or kind in {"So", "Sc", "Co"}


def _sizes(run: str) -> tuple[int, ...]:
    return _SIZES_WIDE if run[0] >= _FIRST_WIDE else _SIZES


def _best_size(run: str) -> int:
    """The longest that the run has."""
    return max(size for size in _sizes(run) if size <= len(run))


def _cut(run: str, size: int) -> Iterator[str]:
    return (run[at : at + size] for at in range(len(run) - size + 1))
