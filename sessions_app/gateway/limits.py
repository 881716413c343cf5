"""How much a page may send: token buckets, and when too much becomes far too much. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.live.voice import BYTES_PER_MS

AUDIO_SPEED = 3
AUDIO_BURST_BYTES = 5_000 * BYTES_PER_MS
AUDIO_RESENT_MS = 60_000
AUDIO_RESENT_BYTES = AUDIO_RESENT_MS * BYTES_PER_MS
"""A page that comes back may send again at once what was not acknowledged."""

MESSAGES_PER_S = 20
MESSAGES_BURST = 40


class Bucket:
    """Fills at a steady rate up to its size."""

    def __init__(self, per_s: float, size: float, now_s: float) -> None:
        self._per_s = per_s
        self._size = size
        self._level = size
        self._at_s = now_s

    def take(self, amount: float, now_s: float) -> bool:
        """Take `amount` out if it is there."""
        self._level = min(self._size, self._level + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if amount > self._level:
            return False
        self._level -= amount
        return True

    def add(self, amount: float) -> None:
        """Allow so much more, once, beyond the size."""
        self._size = max(self._size, self._level + amount)
        self._level += amount


@dataclass(slots=True)
class Strikes:
    """Counts offences of one kind. `spoken`: the first of each second is answered; `limit`: then it is enough.

    A flood is closed by its volume, a slow drip by its seconds.
    """

    seconds_limit: int = 3
    volume_limit: int = 200
    _seconds: int = 0
    _volume: int = 0
    _last_s: float = float("-inf")

    def note(self, now_s: float) -> bool:
        """Note an offence; True when it should be answered, because none was within the last second."""
        self._volume += 1
        if now_s - self._last_s < 1:
            return False
        self._last_s = now_s
        self._seconds += 1
        return True

    @property
    def is_enough(self) -> bool:
        return self._seconds >= self.seconds_limit or self._volume >= self.volume_limit
