"""How much of a reply's words was played, as far as the page has said how much of its sound was: pure.

Transcripts have no fixed order to sound, and run ahead of it or behind. So the words are spread evenly over all the
sound of their reply, whenever they came: what was heard is an estimate.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field

REPLIES_LIMIT = 4
"""Replies about which a page may still say something: the one that plays, the last one, and some that were short."""

FRAMES_LIMIT = 6_000
"""Of a reply, ten minutes at a tenth of a second each: what was sent before those has been played, or never will be."""

FRAMES_FORGOTTEN = 600
"""So many at a time, when there are too many."""

ROUNDING_MS = 100
"""No word: what is missing to the end by no more was played, too."""

LAST_WORD_WITHIN_MS = 2_000
"""How far a reply was played is known so long after it was interrupted: the page says it when it stops playing."""

WORD_LIMIT = 24
"""In characters. Where there is no blank within so many, the script has none between words."""


@dataclass
class _Sound:
    """The sound of a reply: where each frame begins in it, from the frame `first` on, and how long all of it is, in
    ms. Frames are numbered without a gap."""

    turn: int
    first: int = 0
    starts: array[int] = field(default_factory=lambda: array("I"))
    total_ms: int = 0
    played_ms: int | None = None

    def start_of(self, number: int) -> int | None:
        """Where the frame begins; None for one that is not known."""
        place = number - self.first
        return self.starts[place] if 0 <= place < len(self.starts) else None


class Played:
    """Follows the sound of the last replies, and what the page says of it."""

    def __init__(self) -> None:
        self._sounds: deque[_Sound] = deque(maxlen=REPLIES_LIMIT)
        self._interrupted: int | None = None
        self._interrupted_at_ms = 0

    def began(self, turn: int) -> None:
        """The reply `turn` begins, or begins anew: what follows is its sound."""
        for sound in [sound for sound in self._sounds if sound.turn == turn]:
            self._sounds.remove(sound)
        self._sounds.append(_Sound(turn))

    def sent(self, number: int, length_ms: int) -> None:
        """Audio `number` belongs to the reply that began last. Nothing happens before the first."""
        if not self._sounds:
            return
        sound = self._sounds[-1]
        if number != sound.first + len(sound.starts):
            sound.first, sound.starts = number, array("I")
        sound.starts.append(sound.total_ms)
        sound.total_ms += length_ms
        if len(sound.starts) > FRAMES_LIMIT:
            del sound.starts[:FRAMES_FORGOTTEN]
            sound.first += FRAMES_FORGOTTEN

    def heard(self, number: int, ms: int) -> int | None:
        """The page has played audio `number` up to `ms`: the turn it belongs to, or None if that was never sent.

        What was played stays played: a report that goes backwards changes nothing.
        """
        for sound in self._sounds:
            start = sound.start_of(number)
            if start is not None:
                following = sound.start_of(number + 1)
                end = sound.total_ms if following is None else following
                sound.played_ms = max(sound.played_ms or 0, min(start + ms, end))
                return sound.turn
        return None

    def interrupted(self, turn: int, now_ms: int) -> None:
        """The reply `turn` is not played to its end."""
        self._interrupted, self._interrupted_at_ms = turn, now_ms

    def is_just_interrupted(self, turn: int, now_ms: int) -> bool:
        """Whether what the page says now may still be about where `turn` stopped."""
        return turn == self._interrupted and now_ms <= self._interrupted_at_ms + LAST_WORD_WITHIN_MS

    def heard_characters(self, turn: int, text: str) -> int | None:
        """The characters of `text`, the words of `turn`, that were played, up to the end of a whole word.

        None where all of it was played but a moment, or where no page has said anything.
        """
        sound = next((sound for sound in self._sounds if sound.turn == turn), None)
        if sound is None or sound.played_ms is None or sound.played_ms >= sound.total_ms - ROUNDING_MS:
            return None
        return _end_of_word(text, len(text) * sound.played_ms // sound.total_ms)


def _end_of_word(text: str, end: int) -> int:
    """Where the last word ends that is whole before `end`."""
    blanks = (place for place in range(end, max(-1, end - WORD_LIMIT), -1) if place == 0 or text[place].isspace())
    return next(blanks, end)
