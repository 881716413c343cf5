"""Proof that a resumed session remembers: pure.

The prompt of every turn holds the whole context, so its token count grows by what was said. After a resume it must go
on where it was; one that falls back to the bare instruction shows that the provider honoured the handle and forgot.
"""

from __future__ import annotations

KEPT_AT_LEAST = 0.5
"""Of what the conversation had added to the prompt, so much must still be there. Compression keeps about half."""

CUMULATIVE_FACTOR = 1.6
"""A prompt that grows faster than this beyond what was said is a count that some models add up over the session."""


class MemoryProof:
    """Follows the token counts of one logical session, and judges the first turn after each resume."""

    def __init__(self) -> None:
        self._bare_tokens: int | None = None
        self._expected_tokens = 0
        self._is_due = False
        self._is_cumulative = False

    def resumed(self) -> None:
        """The connection resumed a session by a handle that covers all of it: its next turn is the proof."""
        self._is_due = self._bare_tokens is not None

    def is_lost(self, prompt_tokens: int, response_tokens: int, input_tokens: int) -> bool:
        """Take in the counts of a turn; True when the turn shows that what was before is forgotten.

        `input_tokens`: our estimate of what the user added with this turn.
        """
        before = prompt_tokens - input_tokens
        if self._bare_tokens is None:
            self._bare_tokens = before
        elif not self._is_due and before > CUMULATIVE_FACTOR * self._expected_tokens:
            self._is_cumulative = True
        added = self._expected_tokens - self._bare_tokens
        lost = self._is_due and not self._is_cumulative and before < self._bare_tokens + KEPT_AT_LEAST * added
        self._is_due = False
        self._expected_tokens = prompt_tokens + response_tokens
        return lost
