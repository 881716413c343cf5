"""Who has the word on a line: whether its own model is being answered by, or answers, at the moment: pure.

Moments are in seconds of any one clock.
"""

from __future__ import annotations

from sessions_app.live.providers.upstream import (
    Asking,
    Interrupted,
    ReplyAudio,
    ReplyStarted,
    ReplyWords,
    TurnComplete,
    UpstreamMessage,
    UserWords,
    VoiceBegan,
    Working,
)

STUCK_S = 10.0
"""So long after the last word of a turn that has no end, it is over: some generations do not say that it is."""

_SPEAKS = (ReplyAudio, ReplyStarted, ReplyWords)
_GOES_ON = (*_SPEAKS, Asking, UserWords, VoiceBegan, Working)


class Floor:
    """Follows what a line says."""

    def __init__(self) -> None:
        self._busy_since_s: float | None = None

    def typed(self, now_s: float) -> None:
        """The line was asked something."""
        self._busy_since_s = now_s

    def hear(self, message: UpstreamMessage, now_s: float) -> None:
        """The line said this."""
        if isinstance(message, _GOES_ON):
            self._busy_since_s = now_s
        elif isinstance(message, Interrupted) or (isinstance(message, TurnComplete) and not message.is_filler):
            self._busy_since_s = None

    def is_taken(self, now_s: float) -> bool:
        """Whether a turn of the line goes on."""
        return self._busy_since_s is not None and now_s - self._busy_since_s < STUCK_S

    @property
    def is_open(self) -> bool:
        """Whether a turn of the line has begun that has not come to its end, however long ago."""
        return self._busy_since_s is not None

    def let_go(self) -> None:
        """The turn that has no end is over."""
        self._busy_since_s = None


def speaks(message: UpstreamMessage) -> bool:
    """Whether something of the line's own answer is in it: two cannot be given at once."""
    return isinstance(message, _SPEAKS)


def is_of_the_user(message: UpstreamMessage) -> bool:
    """Whether the line has noticed that the user speaks."""
    return isinstance(message, UserWords | VoiceBegan | Interrupted | Asking)
