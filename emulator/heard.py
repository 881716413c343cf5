"""Which audio a session has taken in: the beginning of each chunk, so that stamped chunks can be told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MARK_BYTES = 8
#: Chunks a session tells of, the newest ones: more than an hour of 40 ms.
LIMIT = 100_000
_PAGE_MARKS = 1_000


@dataclass(frozen=True, slots=True)
class Heard:
    """What was taken in by some moment: pages of marks, shared with later moments, after `dropped` older marks."""

    pages: tuple[bytes, ...] = ()
    dropped: int = 0

    def __len__(self) -> int:
        """Chunks taken in, those included whose marks were dropped."""
        return self.dropped + sum(map(len, self.pages)) // MARK_BYTES


class HeardAudio:
    """The marks of one session's audio. A checkpoint costs a reference for each page, and going back to one as little.

    A mark is the first `MARK_BYTES` of the chunk as it came, filled up with zeros when the chunk is shorter.
    """

    def __init__(self) -> None:
        self._settled = Heard()
        self._fresh = bytearray()
        self._forgotten = bytearray()

    def __len__(self) -> int:
        return len(self._settled) + len(self._fresh) // MARK_BYTES

    @property
    def dropped(self) -> int:
        """How many of the oldest chunks have no mark any more."""
        return self._settled.dropped

    def add(self, chunk: bytes) -> None:
        """Take in one chunk."""
        self._fresh += chunk[:MARK_BYTES].ljust(MARK_BYTES, b"\0")
        if len(self._fresh) >= _PAGE_MARKS * MARK_BYTES:
            self.checkpoint()

    def checkpoint(self) -> Heard:
        """What was taken in by now, to go back to."""
        if self._fresh:
            pages, dropped = (*self._settled.pages, bytes(self._fresh)), self._settled.dropped
            self._fresh.clear()
            while (sum(map(len, pages)) - len(pages[0])) // MARK_BYTES >= LIMIT:
                dropped += len(pages[0]) // MARK_BYTES
                pages = pages[1:]
            self._settled = Heard(pages, dropped)
        return self._settled

    def go_back(self, then: Heard) -> None:
        """Know what was known at a checkpoint and nothing else; the rest is forgotten."""
        now = self.checkpoint()
        kept = {id(page) for page in then.pages}
        for page in now.pages:
            if id(page) not in kept:
                self._forgotten += page
        del self._forgotten[: -LIMIT * MARK_BYTES]
        self._settled = then

    def marks(self) -> list[str]:
        """The marks as hexadecimal digits, oldest first."""
        return _as_hex((*self._settled.pages, bytes(self._fresh)))

    def forgotten_marks(self) -> list[str]:
        """The same of chunks that were taken in once and not known any more after going back."""
        return _as_hex((bytes(self._forgotten),))


def _as_hex(pages: Iterable[bytes]) -> list[str]:
    return [mark for page in pages for mark in page.hex(" ", MARK_BYTES).split()]
