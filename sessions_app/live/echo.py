"""How late the provider takes in what it is sent, as far as its first echo of the user's speech tells: pure.

Round trips tell when something was read, not when it was listened to. Whoever transcribes or answers a sentence has
taken in all of it, so from the end of speech to its first echo it took no longer than this.
"""

from __future__ import annotations

LIMIT_MS = 500
"""A delay counts for no more than this, twice the margin of the models. It holds the provider's thinking, too, which
may take a minute, and what is doubted is said twice at a swap: a word at most. A provider that listens later than this
loses words still; none has been reported."""


class EchoDelay:
    """Follows one utterance after the other, in ms of any clock.

    `longest_ms`: the longest delay so far, at most `LIMIT_MS`; 0 when none was measured.
    """

    def __init__(self) -> None:
        self.longest_ms = 0
        self._is_awaited = False
        self._ended_at_ms: int | None = None

    def speech_began(self) -> None:
        """What comes from now on may be an echo of it."""
        self._is_awaited, self._ended_at_ms = True, None

    def speech_ended(self, now_ms: int) -> None:
        """By our own ear, which waits for as much quiet as a provider's: that is no part of the delay."""
        if self._is_awaited:
            self._ended_at_ms = now_ms

    def echoed(self, now_ms: int) -> None:
        """The provider transcribed or answered something."""
        if self._ended_at_ms is not None:
            self.longest_ms = max(self.longest_ms, min(now_ms - self._ended_at_ms, LIMIT_MS))
        self.forget()

    def forget(self) -> None:
        """What comes now may be due to something else."""
        self._is_awaited, self._ended_at_ms = False, None
