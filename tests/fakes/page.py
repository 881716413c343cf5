"""A page in the test's process: what it was told stands in lists."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy.levels import Level, LevelChange
from sessions_app.live.backlog import Loss
from sessions_app.live.machine.events import State, TellState
from sessions_app.live.page import Ready
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import QuestionMoved
from sessions_app.live.transcript import Turn
from sessions_app.live.turn_window import TurnWindow


@dataclass(frozen=True, slots=True)
class Told:
    """One thing the page was told: when, by which name of the protocol, and what."""

    at_s: float
    name: str
    facts: Any


class FakePage:
    """See `live.page.Page`. `told` holds everything in order; the properties pick out of it."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.close_codes: list[int] = []

    # -- what was told -----------------------------------------------------------------------------------------------

    def all_of(self, name: str) -> list[Any]:
        return [told.facts for told in self.told if told.name == name]

    @property
    def states(self) -> list[State]:
        return [facts[0] for facts in self.all_of("state")]

    def shows(self, state: State) -> bool:
        """Whether this is the state it was told last."""
        return self.states[-1:] == [state]

    @property
    def readies(self) -> list[Ready]:
        return self.all_of("ready")

    @property
    def toasts(self) -> list[str]:
        return [code for code, _ in self.all_of("toast")]

    @property
    def acks(self) -> list[tuple[int, tuple[str, ...]]]:
        return self.all_of("ack")

    @property
    def losses(self) -> list[tuple[Loss, str]]:
        return self.all_of("lost")

    @property
    def played(self) -> list[tuple[int, bytes]]:
        """Audio frames with their numbers."""
        return self.all_of("audio")

    @property
    def heard(self) -> bytes:
        """What came out of the speaker, if it plays slowly enough: a flush takes back what was not played."""
        sound = b""
        for told in self.told:
            sound = b"" if told.name == "flush" else sound + (told.facts[1] if told.name == "audio" else b"")
        return sound

    @property
    def transcript(self) -> list[Turn]:
        """The lines the page shows, in order."""
        turns: dict[int, Turn] = {}
        for told in self.told:
            if told.name == "ready":
                turns = {turn.number: turn for turn in told.facts.turns}
            elif told.name == "turn":
                turns[told.facts.number] = told.facts
        return [turns[number] for number in sorted(turns)]

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """The transcript as (role, text, status)."""
        return [(str(turn.role), turn.text, str(turn.status)) for turn in self.transcript]

    def names_after(self, name: str) -> list[str]:
        """What was told after the last of that name."""
        last = max(index for index, told in enumerate(self.told) if told.name == name)
        return [told.name for told in self.told[last + 1 :]]

    # -- the interface -----------------------------------------------------------------------------------------------

    def tell_ready(self, ready: Ready) -> None:
        self._note("ready", ready)

    def tell_state(self, told: TellState) -> None:
        self._note("state", (told.state, told.attempt, told.retry_in_ms, told.reason))
        self.place = told.place

    def tell_turn(self, turn: Turn) -> None:
        self._note("turn", turn)

    def tell_turns(self, window: TurnWindow) -> None:
        self._note("turns", window)

    def tell_flush(self) -> None:
        self._note("flush", None)

    def tell_generation_complete(self, turn: int) -> None:
        self._note("generation_complete", turn)

    def tell_turn_complete(self, turn: int, usage: UsageReported | None) -> None:
        self._note("turn_complete", (turn, usage))

    def tell_go_away(self, time_left_ms: int) -> None:
        self._note("go_away", time_left_ms)

    def tell_ack(self, audio: int, ids: tuple[str, ...]) -> None:
        self._note("ack", (audio, ids))

    def tell_lost(self, loss: Loss, reason: str) -> None:
        self._note("lost", (loss, reason))

    def tell_question(self, moved: QuestionMoved) -> None:
        self._note("question", moved)

    def tell_energy(self, change: LevelChange, top_level: Level) -> None:
        self._note("energy", (change.level, change.previous, top_level, change.reason))

    def tell_toast(self, code: str, outage_ms: int = 0, text: str = "", until: datetime | None = None) -> None:
        self._note("toast", (code, outage_ms))

    def play(self, number: int, pcm: bytes) -> None:
        self._note("audio", (number, pcm))

    def close(self, code: int) -> None:
        self.close_codes.append(code)

    def _note(self, name: str, facts: Any) -> None:
        self.told.append(Told(asyncio.get_running_loop().time(), name, facts))
