"""Audio on its way to the page: numbered across reconnections, and kept for a page that is away for a moment."""

from __future__ import annotations

from collections import deque

from sessions_app.live.page import Page
from sessions_app.live.parcel import Frames
from sessions_app.live.providers.upstream import OUTPUT_RATE_HZ

BYTES_PER_MS = OUTPUT_RATE_HZ * 2 // 1000
KEPT_LIMIT_BYTES = 60_000 * BYTES_PER_MS

ARRIVED_AFTER_MS = 2_000
"""What was sent this long before a page said something has arrived there. A network that carries nothing for a while
and is torn then takes with it all that was sent since the page was last heard of."""


class Downlink:
    """Sends to the page that is there; what was in flight when it vanished, and what came since, can be sent again.

    Args:
        next_number: the number of the first frame to be sent.
        kept: frames before that one that the page may not have heard.
        owes_flush: the page is to be told to drop what it has.
    """

    def __init__(self, next_number: int = 0, kept: Frames = (), *, owes_flush: bool = False) -> None:
        self.next_number = next_number
        self._kept: deque[tuple[int, bytes, int]] = deque((number, pcm, 0) for number, pcm in kept)
        self._kept_bytes = sum(len(pcm) for _, pcm in kept)
        self._page: Page | None = None
        self._owes_flush = owes_flush

    @property
    def kept(self) -> Frames:
        """What no page may have heard, with its numbers."""
        return tuple((number, pcm) for number, pcm, _ in self._kept)

    @property
    def owes_flush(self) -> bool:
        """Whether the next page is to drop what it has."""
        return self._owes_flush

    def attach(self, page: Page, last_heard: int, now_ms: int) -> None:
        """Send `page` everything after the number it heard last, then what comes."""
        self._page = page
        self.next_number = max(self.next_number, last_heard + 1)
        if self._owes_flush:
            page.tell_flush()
            self._owes_flush = False
        unheard = [(number, pcm, now_ms) for number, pcm, _ in self._kept if number > last_heard]
        self._kept = deque(unheard)
        self._kept_bytes = sum(len(pcm) for _, pcm, _ in unheard)
        for number, pcm, _ in unheard:
            page.play(number, pcm)

    def detach(self) -> None:
        self._page = None

    def play(self, pcm: bytes, now_ms: int) -> None:
        number = self.next_number
        self.next_number += 1
        self._kept.append((number, pcm, now_ms))
        self._kept_bytes += len(pcm)
        while self._kept_bytes > KEPT_LIMIT_BYTES:
            self._let_go_of_oldest()
        if self._page is not None:
            self._page.play(number, pcm)

    def heard_of_page(self, now_ms: int) -> None:
        """The page that is there said something."""
        while self._kept and self._kept[0][2] <= now_ms - ARRIVED_AFTER_MS:
            self._let_go_of_oldest()

    def flush(self) -> None:
        """Nothing of what was sent so far is to be heard any more."""
        self.discard()
        if self._page is not None:
            self._page.tell_flush()
        else:
            self._owes_flush = True

    def discard(self) -> None:
        """Nobody is going to ask for what is kept."""
        self._kept.clear()
        self._kept_bytes = 0

    def _let_go_of_oldest(self) -> None:
        _, pcm, _ = self._kept.popleft()
        self._kept_bytes -= len(pcm)
