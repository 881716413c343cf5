"""How long to wait before dialling again: doubling, full jitter, a cap, and a limit to it all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

FIRST_CEILING_MS = 250
"""The first redial comes within a quarter of a second: most cuts are over by then."""

CAP_MS = 8_000
OUTAGE_LIMIT_MS = 60_000
REDIALS_PER_HOUR = 50
_HOUR_MS = 3_600_000


class Backoff:
    """Delays between the attempts of one outage, and the budget of attempts an hour.

    Args:
        random: gives a number in [0, 1); handed in because this module has no randomness of its own.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._outage_started_ms: int | None = None
        self._dialled_at_ms: deque[int] = deque()
        self.attempt = 0

    def next_delay_ms(self, now_ms: int) -> int | None:
        """The wait before the next attempt in ms; None when the outage has used up its time, or the hour its budget."""
        if self._outage_started_ms is None:
            self._outage_started_ms = now_ms
        self._forget_dials_before(now_ms - _HOUR_MS)
        ceiling_ms = min(FIRST_CEILING_MS * 2**self.attempt, CAP_MS)
        delay_ms = int(self._random() * ceiling_ms)
        over_time = now_ms + delay_ms - self._outage_started_ms > OUTAGE_LIMIT_MS
        if over_time or len(self._dialled_at_ms) >= REDIALS_PER_HOUR:
            return None
        self.attempt += 1
        self._dialled_at_ms.append(now_ms + delay_ms)
        return delay_ms

    def outage_ms(self, now_ms: int) -> int:
        """How long the present outage has lasted; 0 when there is none."""
        return 0 if self._outage_started_ms is None else now_ms - self._outage_started_ms

    def forget_outage(self) -> None:
        """The connection proved stable, or the user asked to try again: start counting afresh."""
        self.attempt = 0
        self._outage_started_ms = None

    def _forget_dials_before(self, limit_ms: int) -> None:
        while self._dialled_at_ms and self._dialled_at_ms[0] < limit_ms:
            self._dialled_at_ms.popleft()
