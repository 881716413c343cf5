"""What a reply answers, and so what may be acknowledged when it is over: pure.

Marks are positions in the backlog, all times are in milliseconds of one clock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """Input that has its reply: audio before `mark`, and these typed messages."""

    mark: int = 0
    typed_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sent:
    """What the provider had been sent at a moment.

    `certain`: what it had consumed by then. `everything`: also what was on its way, as after a replay.
    `proven_at_ms`: when it has consumed that, too, and would have broken a reply off for it. `said`, `said_until`: the
    positions after what our own ear heard first and last in this exchange, 0 if nothing; whoever has transcribed it has
    consumed the first.
    """

    certain: Answered = Answered()
    everything: Answered = Answered()
    proven_at_ms: int = 0
    said: int = 0
    said_until: int = 0


class ReplyAccount:
    """One reply: what it was given to answer, and how long it takes to be played.

    Args:
        basis: what had been sent when its first output came.
    """

    def __init__(self, basis: Sent) -> None:
        self._basis = basis
        self._audio_from_ms: int | None = None
        self._audio_ms = 0.0

    def add_audio(self, audio_ms: float, now_ms: int) -> None:
        """So much more of it is to be played, from the arrival of its first sound on."""
        if self._audio_from_ms is None:
            self._audio_from_ms = now_ms
        self._audio_ms += audio_ms

    def playback_left_ms(self, now_ms: int) -> int:
        """How much of what has come is still to be played."""
        if self._audio_from_ms is None:
            return 0
        return max(0, int(self._audio_from_ms + self._audio_ms - now_ms))

    def answered(self, now_ms: int, *, is_whole: bool, is_heard: bool) -> Answered:
        """What it answers if it ends now. A typed message is not taken for a part of another one.

        `is_heard`: its provider has transcribed what was said, however soon after that was sent.
        """
        said = self._basis.said if is_heard else 0
        if now_ms >= self._basis.proven_at_ms:
            return Answered(max(self._basis.everything.mark, said), self._basis.everything.typed_ids)
        typed = self._basis.everything if is_whole else self._basis.certain
        return Answered(max(self._basis.certain.mark, said), typed.typed_ids)


def answered_without_a_reply(sent: Sent, *, is_heard: bool) -> Answered:
    """What a turn of the provider answers that ends without a word: what it had consumed, and what was typed.

    `is_heard`: it has transcribed what was said.
    """
    said = sent.said if is_heard else 0
    return Answered(max(sent.certain.mark, said), sent.everything.typed_ids)


def given_up(sent: Sent, *, is_heard: bool) -> Answered:
    """What is over though nobody answered it: what our own ear knows of, and what was typed. The quiet sent since is
    not: it may be the beginning of something.

    `is_heard`: it was transcribed, and so consumed, also where our own ear knows nothing of it.
    """
    mark = sent.certain.mark if is_heard and not sent.said_until else sent.said_until
    return Answered(mark, sent.everything.typed_ids)
