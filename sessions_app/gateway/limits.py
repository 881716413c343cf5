"""How much a page may send: token buckets, and when too much becomes far too much. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sessions_app.live.voice import BYTES_PER_MS

AUDIO_SPEED = 3
AUDIO_BURST_BYTES = 5_000 * BYTES_PER_MS
AUDIO_RESENT_MS = 60_000
AUDIO_RESENT_BYTES = AUDIO_RESENT_MS * BYTES_PER_MS
"""A page that comes back may send again at once what was not acknowledged."""

GO_BACK_WITHIN_S = 3
"""So long a page has to go back to a frame that was refused; then the frames after it are taken, and it is lost."""

MESSAGES_PER_S = 20
MESSAGES_BURST = 40


class Bucket:
    """Fills at a steady rate up to its size; `level` is in it to begin with, else it is full."""

    def __init__(self, per_s: float, size: float, now_s: float, level: float | None = None) -> None:
        self._per_s = per_s
        self._size = size
        self._level = size if level is None else level
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


class AudioVerdict(Enum):
    """What becomes of an audio frame. `IGNORED`: the page is about to send it again, after one that was refused."""

    TAKEN = auto()
    REFUSED = auto()
    IGNORED = auto()


class AudioGate:
    """Which frames of one connection are taken: a frame that is refused is sent again, and those after it, too.

    What is sent again has an allowance of its own, so that it never takes anything from what is said meanwhile. What
    was held up on the way comes at once when it goes on: as much as the time that has passed.
    """

    def __init__(self, now_s: float) -> None:
        per_s = 1_000 * BYTES_PER_MS
        self._fresh = Bucket(AUDIO_SPEED * per_s, AUDIO_BURST_BYTES, now_s)
        self._held_up = Bucket(per_s, AUDIO_RESENT_BYTES, now_s, level=0)
        self._again = Bucket(AUDIO_SPEED * per_s, AUDIO_RESENT_BYTES + AUDIO_BURST_BYTES, now_s)
        self._missing: int | None = None
        self._missing_since_s = 0.0
        self._in_flight_bytes = 0

    def page_came_back(self) -> None:
        """The page kept what it said without a connection, and may send it at once."""
        self._fresh.add(AUDIO_RESENT_BYTES)

    @property
    def is_waiting(self) -> bool:
        """Whether a frame was refused that has not come again."""
        return self._missing is not None

    def judge(self, number: int, size_bytes: int, next_number: int, now_s: float) -> AudioVerdict:
        """What becomes of the frame `number`; `next_number` is the first that was not taken in yet."""
        if number < next_number:
            return AudioVerdict.TAKEN if self._again.take(size_bytes, now_s) else AudioVerdict.REFUSED
        if self._follows_a_refused_one(number, now_s):
            self._in_flight_bytes += size_bytes
            is_too_much = self._in_flight_bytes > AUDIO_BURST_BYTES
            return AudioVerdict.REFUSED if is_too_much else AudioVerdict.IGNORED
        if self._fresh.take(size_bytes, now_s) or self._held_up.take(size_bytes, now_s):
            self._missing = None
            return AudioVerdict.TAKEN
        self._missing, self._missing_since_s, self._in_flight_bytes = number, now_s, 0
        return AudioVerdict.REFUSED

    def _follows_a_refused_one(self, number: int, now_s: float) -> bool:
        if self._missing is None or number <= self._missing:
            return False
        return now_s - self._missing_since_s <= GO_BACK_WITHIN_S


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
