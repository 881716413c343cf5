"""Which token to dial with, and when to have another made: pure.

A token begins one connection, so one that lies ready is what keeps a dial from waiting for the provider to make it. How
many lie ready follows what may need them: the connections that are open, a few of which may be lost together, and those
that are known to end. Times are ms of a clock that only goes forward.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

OPENS_FOR_MS = 600_000
"""A token begins connections for so long after it was asked for, as the provider is told."""

COUNTED_FOR_MS = 300_000
"""So long we reckon with it: the clocks of both may be apart by the rest."""

RENEW_BEFORE_MS = 60_000
"""With so little left of that another is made in its place."""

COUNTS_FOR_MS = 7_200_000
"""A connection ends with its token; none was seen to last for an hour."""

KEPT_MAX = 4
"""Spare tokens of one model that lie ready without a sign that they will be needed."""

EXPECTED_MAX = 32
"""Dials of one model that tokens are made for before they come."""

AT_ONCE = 8
"""Tokens that are being made at the same time."""

FIRST_PAUSE_MS = 1_000
LONGEST_PAUSE_MS = 60_000
"""After one that could not be made, before another is made that nobody waits for."""


@dataclass(frozen=True, slots=True)
class _Spare:
    token: str = field(repr=False)
    until_ms: int

    def is_good(self, now_ms: int) -> bool:
        return now_ms < self.until_ms - RENEW_BEFORE_MS


@dataclass(slots=True)
class _Shelf:
    """Of one model. `dialling`: dials that have come and are not over. `expected`: until when each of those may come
    that were announced."""

    spares: deque[_Spare] = field(default_factory=deque)
    expected: list[int] = field(default_factory=list)
    open: int = 0
    dialling: int = 0
    waiting: int = 0
    being_made: int = 0


class TokenStock:
    """Counts; whoever has it makes the tokens, and tells it what became of that."""

    def __init__(self) -> None:
        self._shelves: defaultdict[str, _Shelf] = defaultdict(_Shelf)
        self._failures = 0
        self._paused_until_ms = 0
        self._limited_until_ms = 0

    # -- what happens to connections -----------------------------------------------------------------------------------

    def opened(self, model: str) -> None:
        self._shelves[model].open += 1

    def closed(self, model: str) -> None:
        self._shelves[model].open -= 1

    def expect(self, model: str, until_ms: int) -> None:
        """A dial is likely to come by then."""
        shelf = self._shelves[model]
        if len(shelf.expected) < EXPECTED_MAX:
            insort(shelf.expected, until_ms)

    # -- dialling ------------------------------------------------------------------------------------------------------

    def take(self, model: str, now_ms: int) -> str | None:
        """A token for a dial that comes now, which is nobody else's; None when there is none, and it has to wait.

        `dialled` follows.
        """
        self._tidy(now_ms)
        shelf = self._shelves[model]
        shelf.dialling += 1
        del shelf.expected[:1]
        return self.hand_out(model, now_ms)

    def dialled(self, model: str) -> None:
        """A dial is over, whatever came of it."""
        self._shelves[model].dialling -= 1

    def hand_out(self, model: str, now_ms: int) -> str | None:
        """As `take`, for a dial that has waited."""
        self._tidy(now_ms)
        spares = self._shelves[model].spares
        return spares.popleft().token if spares else None

    def refused(self, model: str) -> None:
        """The provider did not take a token: those that were made before may be no better."""
        self._shelves[model].spares.clear()

    def begin_to_wait(self, model: str) -> None:
        """A dial waits for a token that is to be made."""
        self._shelves[model].waiting += 1

    def end_to_wait(self, model: str) -> None:
        """It has one, or waits no longer."""
        self._shelves[model].waiting -= 1

    def starves(self, model: str) -> bool:
        """Whether more dials wait than tokens are being made."""
        shelf = self._shelves[model]
        return shelf.waiting > shelf.being_made

    def limited_ms(self, now_ms: int) -> int:
        """For how long the provider asks not to be asked for tokens; 0 when it does not."""
        return max(0, self._limited_until_ms - now_ms)

    # -- making --------------------------------------------------------------------------------------------------------

    def due(self, now_ms: int) -> Iterator[str]:
        """The models of which a token is to be made now, each as often as that; it counts as being made from here on.

        Those that a dial waits for come first, and do not wait for a pause to be over.
        """
        self._tidy(now_ms)
        for model, shelf in self._shelves.items():
            while shelf.being_made < shelf.waiting and self._may_begin():
                shelf.being_made += 1
                yield model
        if now_ms < max(self._paused_until_ms, self._limited_until_ms):
            return
        for model, shelf in self._shelves.items():
            while self._lacks(shelf, now_ms) and self._may_begin():
                shelf.being_made += 1
                yield model

    def made(self, model: str, token: str, asked_ms: int) -> None:
        """A token was made that was asked for at `asked_ms`; it lies ready."""
        shelf = self._shelves[model]
        shelf.being_made -= 1
        shelf.spares.append(_Spare(token, asked_ms + COUNTED_FOR_MS))
        self._failures = 0
        self._paused_until_ms = 0

    def not_made(self, model: str, now_ms: int, limited_ms: int = 0) -> None:
        """It could not be made. `limited_ms`: for how long the provider asks not to be asked."""
        self._shelves[model].being_made -= 1
        pause_ms = min(FIRST_PAUSE_MS << min(self._failures, 10), LONGEST_PAUSE_MS)
        self._failures += 1
        self._paused_until_ms = now_ms + pause_ms
        self._limited_until_ms = max(self._limited_until_ms, now_ms + limited_ms)

    def look_again_ms(self, now_ms: int) -> int | None:
        """When `due` may have something new though nothing happens; None when it never will."""
        moments = [
            spare.until_ms - RENEW_BEFORE_MS
            for shelf in self._shelves.values()
            if self._wanted(shelf)
            for spare in shelf.spares
        ]
        if any(self._lacks(shelf, now_ms) for shelf in self._shelves.values()):
            moments.append(max(self._paused_until_ms, self._limited_until_ms))
        later = [moment for moment in moments if moment > now_ms]
        return min(later, default=None)

    def ready(self, model: str) -> int:
        """How many lie ready."""
        return len(self._shelves[model].spares)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _wanted(self, shelf: _Shelf) -> int:
        """How many are to lie ready. One more than there are calls: the next dial may fail, or be lost at once."""
        calls = shelf.open + shelf.dialling
        return max(min(calls + 1, KEPT_MAX) if calls else 0, len(shelf.expected))

    def _lacks(self, shelf: _Shelf, now_ms: int) -> bool:
        wanted = self._wanted(shelf)
        good = sum(spare.is_good(now_ms) for spare in shelf.spares)
        return good + shelf.being_made < wanted + shelf.waiting

    def _may_begin(self) -> bool:
        return sum(shelf.being_made for shelf in self._shelves.values()) < AT_ONCE

    def _tidy(self, now_ms: int) -> None:
        for shelf in self._shelves.values():
            while shelf.spares and shelf.spares[0].until_ms <= now_ms:
                shelf.spares.popleft()
            while shelf.expected and shelf.expected[0] <= now_ms:
                del shelf.expected[0]
