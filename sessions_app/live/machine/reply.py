"""What a reply answers, when its exchange is over, and what may be acknowledged then: a pure machine.

The provider's signals, the user's wish to stop and the end of a connection go in; steps for the driver come out, in
order. Marks are positions in the backlog, all times are in milliseconds of one clock.
"""

from __future__ import annotations

from collections.abc import Callable
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
    `proven_at_ms`: when it has consumed that, too, and would have broken a reply off for it.
    """

    certain: Answered = Answered()
    everything: Answered = Answered()
    proven_at_ms: int = 0


# -- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BeginReply:
    """`answers_voice`: it may answer speech whose words are still on their way."""

    answers_voice: bool


@dataclass(frozen=True, slots=True)
class Deliver:
    """The output that came is the user's."""


@dataclass(frozen=True, slots=True)
class MarkProduced:
    """All of the reply has arrived; so much of it is still to be played."""

    playback_left_ms: int


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Nothing of what was sent to the page so far is to be heard any more."""


@dataclass(frozen=True, slots=True)
class EndExchange:
    """The exchange is over, with or without a reply: its input is answered once that is stored.

    `is_whole`: the reply came to its own end.
    """

    is_whole: bool
    answered: Answered


@dataclass(frozen=True, slots=True)
class BreakOff:
    """The connection took the reply with it, which is going to be given again."""


@dataclass(frozen=True, slots=True)
class CloseTurn:
    """The provider's turn is over: tell it, and count it."""


Step = BeginReply | Deliver | MarkProduced | StopPlayback | EndExchange | BreakOff | CloseTurn

Ask = Callable[[], Sent]
"""What has been sent is asked for only when a reply begins or an exchange ends, for the answer takes a search."""


class ReplyMachine:
    """Follows one exchange after the other. Signals that come late or twice change nothing."""

    def __init__(self) -> None:
        self._basis: Sent | None = None
        self._is_produced = False
        self._is_over = False
        self._is_unwanted = False
        self._is_broken_off = False
        self._may_answer_voice = False
        self._audio_from_ms: int | None = None
        self._audio_ms = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a reply is being given."""
        return self._basis is not None

    # -- the user ----------------------------------------------------------------------------------------------------

    def voice_taken(self) -> None:
        """Sound of the microphone was taken in, which the next reply may answer."""
        self._may_answer_voice = True

    def stop(self, now_ms: int) -> list[Step]:
        """The user has heard enough: what is still produced of this reply is not for them."""
        if self._basis is None:
            return []
        self._is_unwanted = not self._is_produced
        return [StopPlayback(), *self._end(self._basis, is_whole=False, now_ms=now_ms)]

    # -- the provider ------------------------------------------------------------------------------------------------

    def audio(self, audio_ms: float, sent: Ask, now_ms: int) -> list[Step]:
        """So much sound of a reply came."""
        steps = self.words(sent)
        if steps:
            self._audio_from_ms = now_ms if self._audio_from_ms is None else self._audio_from_ms
            self._audio_ms += audio_ms
        return steps

    def words(self, sent: Ask) -> list[Step]:
        """Output of a reply came; the first of it begins the reply."""
        if self._is_unwanted:
            return []
        if self._basis is not None:
            return [Deliver()]
        self._basis = sent()
        self._is_produced = self._is_over = self._is_broken_off = False
        return [BeginReply(self._may_answer_voice), Deliver()]

    def generation_complete(self, now_ms: int) -> list[Step]:
        self._is_unwanted = False
        self._is_produced = True
        return [MarkProduced(self._playback_left_ms(now_ms))]

    def interrupted(self, now_ms: int) -> list[Step]:
        """The provider broke its reply off; where it had said nothing yet, the end of that turn answers nothing."""
        self._is_unwanted = False
        if self._basis is None:
            self._is_broken_off = True
            return [StopPlayback()]
        return [StopPlayback(), *self._end(self._basis, is_whole=False, now_ms=now_ms)]

    def turn_complete(self, sent: Ask, now_ms: int) -> list[Step]:
        self._is_unwanted = False
        was_broken_off, self._is_broken_off = self._is_broken_off, False
        was_over, self._is_over = self._is_over, False
        if was_over or was_broken_off:
            return [CloseTurn()]
        if self._basis is not None:
            return [*self._end(self._basis, is_whole=True, now_ms=now_ms), *self._close()]
        answered = _without_a_reply(sent())
        return [EndExchange(is_whole=True, answered=answered), CloseTurn()] if answered.typed_ids else [CloseTurn()]

    # -- the connection ----------------------------------------------------------------------------------------------

    def connection_lost(self, now_ms: int, *, produced: bool) -> list[Step]:
        """It went in the middle of a reply. One that was `produced` is whole, and is played to its end."""
        if produced:
            return self.played_to_its_end(now_ms)
        self._forget()
        self._is_over = False
        return [StopPlayback(), BreakOff()]

    def played_to_its_end(self, now_ms: int) -> list[Step]:
        """All of the reply was played, and the provider does not say that the turn is over: it is."""
        ended = [] if self._basis is None else self._end(self._basis, is_whole=True, now_ms=now_ms)
        return [*ended, *self._close()]

    def connected(self) -> None:
        """There is a new connection: what the old one was still to say about its turn is not said any more."""
        self._is_over = self._is_unwanted = self._is_broken_off = False

    # -- inside ------------------------------------------------------------------------------------------------------

    def _end(self, basis: Sent, *, is_whole: bool, now_ms: int) -> list[Step]:
        self._forget()
        self._is_over = True
        return [EndExchange(is_whole, _answered_by_reply(basis, is_whole, now_ms))]

    def _close(self) -> list[Step]:
        self._is_over = False
        return [CloseTurn()]

    def _forget(self) -> None:
        self._basis = None
        self._is_produced = False
        self._may_answer_voice = False
        self._audio_from_ms = None
        self._audio_ms = 0.0

    def _playback_left_ms(self, now_ms: int) -> int:
        if self._audio_from_ms is None:
            return 0
        return max(0, int(self._audio_from_ms + self._audio_ms - now_ms))


def _answered_by_reply(basis: Sent, is_whole: bool, now_ms: int) -> Answered:
    """What a reply answers that ends now. A typed message is not taken for a part of another one."""
    if now_ms >= basis.proven_at_ms:
        return basis.everything
    typed = basis.everything if is_whole else basis.certain
    return Answered(basis.certain.mark, typed.typed_ids)


def _without_a_reply(sent: Sent) -> Answered:
    return Answered(sent.certain.mark, sent.everything.typed_ids)
