"""Audio on its way to the page: numbered across reconnections, and kept for a page that is away for a moment."""

from __future__ import annotations

from collections import deque

from sessions_app.live.page import Page
from sessions_app.live.upstream import OUTPUT_RATE_HZ

BYTES_PER_MS = OUTPUT_RATE_HZ * 2 // 1000
TAIL_KEPT_BYTES = 2_000 * BYTES_PER_MS
AWAY_KEPT_BYTES = 60_000 * BYTES_PER_MS


class Downlink:
    """Sends to the page that is there; what was in flight when it vanished, and what came since, can be sent again.

    Args:
        next_number: the number of the first frame to be sent.
    """

    def __init__(self, next_number: int = 0) -> None:
        self.next_number = next_number
        self._kept: deque[tuple[int, bytes]] = deque()
        self._kept_bytes = 0
        self._page: Page | None = None

    def attach(self, page: Page, last_heard: int) -> None:
        """Send `page` everything after the number it heard last, then what comes."""
        self._page = page
        self.next_number = max(self.next_number, last_heard + 1)
        for number, pcm in self._kept:
            if number > last_heard:
                page.play(number, pcm)
        self._trim(TAIL_KEPT_BYTES)

    def detach(self) -> None:
        self._page = None

    def play(self, pcm: bytes) -> None:
        number = self.next_number
        self.next_number += 1
        self._kept.append((number, pcm))
        self._kept_bytes += len(pcm)
        if self._page is not None:
            self._page.play(number, pcm)
            self._trim(TAIL_KEPT_BYTES)
        else:
            self._trim(AWAY_KEPT_BYTES)

    def flush(self) -> None:
        """Nothing of what was sent so far is to be heard any more."""
        self._kept.clear()
        self._kept_bytes = 0
        if self._page is not None:
            self._page.tell_flush()

    def _trim(self, limit_bytes: int) -> None:
        while self._kept_bytes > limit_bytes:
            _, pcm = self._kept.popleft()
            self._kept_bytes -= len(pcm)
