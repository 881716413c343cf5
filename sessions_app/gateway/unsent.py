"""What all pages of this process together have not taken yet."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

UNSENT_LIMIT_BYTES = 128_000_000
"""A slow page may have some megabytes waiting, but not hundreds of them at a time."""


class SlowPage(Protocol):
    """A page with something waiting, which forgets it when it is asked to."""

    def give_up(self) -> None: ...


class Unsent:
    """Counts; beyond the limit the pages with the most waiting are given up, one by one.

    Args:
        limit_bytes: of all pages together.
    """

    def __init__(self, limit_bytes: int = UNSENT_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._all_bytes = 0
        self._by_page: Counter[SlowPage] = Counter()

    @property
    def all_bytes(self) -> int:
        return self._all_bytes

    def add(self, page: SlowPage, size_bytes: int) -> None:
        """So much more waits for a page."""
        self._by_page[page] += size_bytes
        self._all_bytes += size_bytes
        while self._all_bytes > self._limit_bytes:
            slowest, _ = self._by_page.most_common(1)[0]
            slowest.give_up()
            self.forget(slowest)

    def sent(self, page: SlowPage, size_bytes: int) -> None:
        """So much waits no longer."""
        if page in self._by_page:
            self._all_bytes -= size_bytes
            self._by_page[page] -= size_bytes
            if self._by_page[page] <= 0:
                del self._by_page[page]

    def forget(self, page: SlowPage) -> None:
        """Nothing waits for it any more."""
        self._all_bytes -= self._by_page.pop(page, 0)
