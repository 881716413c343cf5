"""What the user says after a pause stands in a line of its own: pure.

A provider's pieces of a transcript say nothing of pauses: what was said before and after one, or by two people, runs
into each other, as in "how are you what's the time". Our own ear hears the pauses.
"""

from __future__ import annotations

from collections import deque

SENTENCE_ENDS = (".", "?", "!", "。", "？", "！", "؟", "।")

WORDS_LAG_MS = 800
"""So long after a pause was noticed (720 ms after the last sound) there may still come words of before it."""

WORDS_GAP_MS = 500
"""Words that come sooner after others are of one utterance: some models give all at once, whenever it was said."""

_PAUSES_KEPT = 8
"""More pauses than that, of which no words have come, are no lines."""

_OPENING_MARKS = "¿¡\"'«»“„‘(「『"
"""What may stand before the first word of a sentence."""


class SpokenLines:
    """Follows the pauses of one exchange, in ms of any clock."""

    def __init__(self) -> None:
        self._paused_at_ms: int | None = None
        self._piece_at_ms: int | None = None
        self._breaks: deque[int] = deque(maxlen=_PAUSES_KEPT)

    def voice_paused(self, at_ms: int) -> None:
        """Our own ear has heard that an utterance is over."""
        self._paused_at_ms = at_ms

    def voice_resumed(self) -> None:
        """Something is said. After a pause its words begin a line."""
        if self._paused_at_ms is not None:
            self._breaks.append(self._paused_at_ms + WORDS_LAG_MS)
            self._paused_at_ms = None

    def place(self, text: str, piece: str, at_ms: int) -> str:
        """A piece that follows `text`, with a line break before it if it is the first of what was said after a pause.

        It is where it begins a sentence; and else where it begins a word, the pieces have paused as the voice did, and
        none of before the pause can come any more.
        """
        gap_ms = WORDS_GAP_MS if self._piece_at_ms is None else at_ms - self._piece_at_ms
        if not piece.strip():
            return piece
        self._piece_at_ms = at_ms
        if not self._breaks or not text:
            return piece
        is_due = at_ms > self._breaks[0] and gap_ms >= WORDS_GAP_MS
        begins = _may_begin_sentence(text, piece) or (is_due and _begins_word(piece))
        if begins or is_due:
            self._breaks.popleft()
        return f"\n{piece.lstrip()}" if begins else piece


def begins_sentence(text: str, piece: str) -> bool:
    """Whether `piece` is the next sentence after `text`, which ends with one, by its capital."""
    return text.endswith(SENTENCE_ENDS) and piece[:1].isupper()


def _may_begin_sentence(text: str, piece: str) -> bool:
    """The same where the voice has paused, in scripts that know no capitals, too."""
    first = _first_letter(piece)
    return text.rstrip().endswith(SENTENCE_ENDS) and first.isalnum() and not first.islower()


def _begins_word(piece: str) -> bool:
    """Not the rest of a word, or a comma: only scripts that know no capitals begin words without a blank."""
    first = _first_letter(piece)
    return first.isalnum() and (piece[0].isspace() or piece[0] in _OPENING_MARKS or not first.islower())


def _first_letter(piece: str) -> str:
    """What a piece begins with, but for blanks and marks that open a sentence; empty if there is nothing else."""
    return piece.lstrip().lstrip(_OPENING_MARKS)[:1]
