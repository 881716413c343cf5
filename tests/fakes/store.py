"""A store in the test's process: what is kept stands in its attributes, and it can be slow or broken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sessions_app.live.context import Recap
from sessions_app.live.page import StoreRefused
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.transcript import Turn


@dataclass(frozen=True, slots=True)
class KeptHandle:
    handle: str
    model: str
    made_with: str
    acknowledged_number: int
    covered_turn: int


class FakeStore:
    """See `live.page.Store`. Hooks: `takes_s` is how long every write needs, `is_broken` makes all of them raise,
    `refused` holds the names of the methods that refuse for good. Turns with a text in `unstorable` make their write
    raise.
    """

    def __init__(self) -> None:
        self.takes_s = 0.0
        self.is_broken = False
        self.unstorable: tuple[str, ...] = ()
        self.refused: frozenset[str] = frozenset()
        self.turns: dict[int, Turn] = {}
        self.handle: KeptHandle | None = None
        self.handles: list[KeptHandle] = []
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.usages: list[tuple[int, int, str, UsageReported]] = []
        self.recap: Recap | None = None
        self.finished: tuple[str, bool] | None = None
        self.tries = 0

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.records if name == kind]

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """The stored transcript as (role, text, status)."""
        turns = [self.turns[number] for number in sorted(self.turns)]
        return [(str(turn.role), turn.text, str(turn.status)) for turn in turns]

    async def save_turns(self, turns: tuple[Turn, ...]) -> None:
        await self._write("save_turns")
        if any(turn.text in self.unstorable for turn in turns):
            raise ValueError("a row that the database does not take")
        self.turns |= {turn.number: turn for turn in turns}

    async def save_handle(
        self, handle: str, model: str, made_with: str, acknowledged_number: int, covered_turn: int
    ) -> None:
        await self._write("save_handle")
        self.handle = KeptHandle(handle, model, made_with, acknowledged_number, covered_turn)
        self.handles.append(self.handle)

    async def forget_handle(self) -> None:
        await self._write("forget_handle")
        self.handle = None

    async def record(self, kind: str, data: dict[str, Any]) -> None:
        await self._write("record")
        self.records.append((kind, data))

    async def save_usage(self, connection: int, turn: int, model: str, usage: UsageReported) -> None:
        await self._write("save_usage")
        self.usages.append((connection, turn, model, usage))

    async def load_recap(self) -> Recap | None:
        await self._write("load_recap")
        return self.recap

    async def finish(self, reason: str, conversation_over: bool) -> None:
        await self._write("finish")
        self.finished = (reason, conversation_over)

    async def _write(self, name: str) -> None:
        self.tries += 1
        await asyncio.sleep(self.takes_s)
        if self.is_broken:
            raise OSError("the database is not there")
        if name in self.refused:
            raise StoreRefused("IntegrityError")
