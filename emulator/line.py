"""An open connection as the parts below it know it; only `connection` knows how it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from emulator.faults import Phase
from emulator.texts import CloseText
from emulator.wire import Json


class Line(Protocol):
    """What carries a dialogue: it takes frames to the client, and is told what happens in the session."""

    @property
    def id(self) -> str:
        """The connection's name in the log."""

    @property
    def model(self) -> str:
        """The id of the model, empty before the set-up was read."""

    @property
    def closing(self) -> bool:
        """True once nothing is sent any more."""

    def log(self, kind: str, **facts: Any) -> None:
        """Add an entry about this connection to the log."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the connection does; a `RefusedError` it raises closes the connection."""

    async def send(self, message: Json) -> None:
        """Send one server message; silently nothing once the connection closes or is muted."""

    async def go_away(self, time_left_s: float, *, then_close: bool, end: CloseText | None = None) -> None:
        """Announce the end, and bring it when the time is up."""

    async def enter(self, phase: Phase) -> None:
        """The session enters a phase; returns when the faults that waited for it have happened."""

    async def turn_completed(self) -> None:
        """A turn is complete; returns when the faults that waited for so many turns have happened."""


class OpenConnection(Line, Protocol):
    """What can be done to a connection from outside: by faults, by a resume elsewhere, by the control API."""

    @property
    def session_id(self) -> str:
        """The id of the session, empty before there is one."""

    def describe(self) -> Json:
        """The connection as the control API shows it."""

    def close_soon(self, code: int, reason: str) -> None:
        """Close without waiting for the client's half of the handshake; nothing is sent any more."""

    async def cut(self) -> None:
        """End the TCP connection with a reset and no close frame."""

    def stall(self, seconds: float) -> None:
        """Neither send nor read for a while; the TCP connection stays up."""

    def black_hole(self) -> None:
        """Neither send nor read ever again; ends when the client hangs up."""

    def mute(self) -> None:
        """Take everything in and answer nothing; pings and closes are still answered."""
