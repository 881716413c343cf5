"""Watching a live session: who watches is told what `machine/observed.py` makes of it, and can do it no harm."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from energy.levels import Mode
from sessions_app.live.machine.events import Fact, State, Wish
from sessions_app.live.machine.observed import Alarm, AlarmJudged, AlarmOutcome, FramesResent, Observation, Watch

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Watched:
    """Which live session it is. `model`: the one that was dialled last, empty before the first dial."""

    conversation: str
    session: str
    mode: Mode
    model: str = ""


class Observer(Protocol):
    """Who watches. Called on the event loop of the session, whenever something is over, and never for a frame of
    audio: it must not wait."""

    def saw(self, watched: Watched, observation: Observation) -> None: ...


class Observers:
    """Several who watch, told one after the other."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def saw(self, watched: Watched, observation: Observation) -> None:
        for observer in self._observers:
            observer.saw(watched, observation)


class SessionWatch:
    """Between one live session and who watches it.

    Args:
        observer: who watches; nobody when None.
        watched: the session.

    Counts itself what nobody else keeps: `frames_resent`.
    """

    def __init__(self, observer: Observer | None, watched: Watched) -> None:
        self.watched = watched
        self.frames_resent = 0
        self._observer = observer
        self._watch = Watch()

    def waits_in_line(self, now_ms: int) -> None:
        """There is no room for the session yet."""
        self._watch.waits_in_line(now_ms)

    def said_again(self) -> None:
        """What the user said is sent once more on the same connection."""
        self._tell(self._watch.said_again())

    def dialled_twice(self, was_needed: bool) -> None:
        """A second dial was made beside one that was slow. `was_needed`: it was set up first."""
        self.tell(AlarmJudged(Alarm.SLOW_SETUP, AlarmOutcome.RIGHT if was_needed else AlarmOutcome.FALSE))

    def decided(
        self, fact: Fact, before: State, after: State, wishes: Sequence[Wish], gap_cause: str, now_ms: int
    ) -> None:
        """The machine has taken in a fact; before its wishes are carried out."""
        self._tell(self._watch.decided(fact, before, after, wishes, gap_cause, now_ms))

    def tell(self, observation: Observation) -> None:
        """What the machine does not hear of."""
        if isinstance(observation, FramesResent):
            self.frames_resent += observation.count
        self._tell((observation,))

    def _tell(self, observations: Iterable[Observation]) -> None:
        if self._observer is None:
            return
        try:
            for observation in observations:
                self._observer.saw(self.watched, observation)
        except Exception:
            logger.exception("Internal error while watching a live session", extra={"session": self.watched.session})
