"""Which of our messages a handle covers, as a provider says that counts them: pure.

`lastConsumedClientMessageIndex` comes with transparent resumption (Agent Platform). Where counting begins is not
documented. Google's samples have the set-up at 0 and the first message after it at 1, anew on each connection
(GoogleCloudPlatform/vertex-ai-samples pull request 4511, read 2026-11), and so it is read here. Of a provider that
counts the first message as 0 this takes one too few for covered, which comes twice; one that counts the set-up as 1
gives itself away by a number above what it was sent.
"""

from __future__ import annotations


class Counting:
    """What was learned of how a provider counts; for all of its connections."""

    def __init__(self) -> None:
        self.setup_index = 0


class Consumed:
    """The numbers of one connection."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._is_trusted = True

    def read(self, index: int | None, sent: int) -> int | None:
        """How many messages after the set-up were consumed; None where nothing is said that could be so.

        A number that no message has may belong to the connection before, and the next ones as well, when they have
        become possible: none of this connection is believed from then on.

        Args:
            index: as the provider says.
            sent: how many messages this connection was sent after the set-up, those on their way included.
        """
        if index is None or index < 0 or not self._is_trusted:
            return None
        if index == sent + 1:
            self._counting.setup_index = 1
        consumed = max(0, index - self._counting.setup_index)
        self._is_trusted = consumed <= sent
        return consumed if self._is_trusted else None
