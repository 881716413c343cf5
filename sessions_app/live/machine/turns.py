"""Who has the word: a second small machine beside the one of the connection, so that neither multiplies the other."""

from __future__ import annotations

from enum import StrEnum


class TurnState(StrEnum):
    """`generating`: the model produces a reply. `speaking`: all of it is produced, and it is still being played."""

    LISTENING = "listening"
    GENERATING = "generating"
    SPEAKING = "speaking"


class TurnMachine:
    """Follows the signals of one reply. Signals that come late or twice change nothing."""

    def __init__(self) -> None:
        self.state = TurnState.LISTENING

    def reply_began(self) -> bool:
        """Output arrived; True when it is the first of a reply."""
        began = self.state is TurnState.LISTENING
        if began:
            self.state = TurnState.GENERATING
        return began

    def generation_completed(self) -> bool:
        """All of the reply is produced; True when there was one being produced."""
        completed = self.state is TurnState.GENERATING
        if completed:
            self.state = TurnState.SPEAKING
        return completed

    def ended(self) -> TurnState:
        """The turn is over, or was cut off; gives the state it was in."""
        before = self.state
        self.state = TurnState.LISTENING
        return before
