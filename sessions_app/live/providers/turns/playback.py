"""How far the sound of an answer is heard, by the clock: pure.

It is taken to be played as it comes, and to stand still where the next sound is late.
"""

from __future__ import annotations

from sessions_app.live.providers.turns.sentences import Piece
from sessions_app.live.providers.upstream import OUTPUT_RATE_HZ

_BYTES_PER_S = OUTPUT_RATE_HZ * 2


class Playback:
    """Follows one answer. Moments are in seconds of any one clock."""

    def __init__(self) -> None:
        self.over_at_s = 0.0
        """When all that came so far will have been played."""
        self._written: list[Piece] = []
        self._began_at_s: dict[int, float] = {}

    def written(self, piece: Piece) -> None:
        """The next piece of the answer, which may be spoken later."""
        self._written.append(piece)

    def sounded(self, piece: Piece, pcm: bytes, now_s: float) -> None:
        """Sound of a piece: PCM16 mono 24 kHz."""
        begins_at_s = max(now_s, self.over_at_s)
        self._began_at_s.setdefault(id(piece), begins_at_s)
        self.over_at_s = begins_at_s + len(pcm) / _BYTES_PER_S

    def heard(self, now_s: float) -> str:
        """The answer up to the last piece whose sound has begun by then."""
        begun = [
            place for place, piece in enumerate(self._written) if self._began_at_s.get(id(piece), now_s + 1) <= now_s
        ]
        return "".join(piece.text for piece in self._written[: begun[-1] + 1]) if begun else ""
