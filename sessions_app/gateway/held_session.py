"""A live session that this worker holds, with everything that belongs to it."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

from energy.levels import Mode
from energy.queue import holder_of
from sessions_app.gateway.authority import Credentials
from sessions_app.gateway.store import DatabaseStore
from sessions_app.lines import Hold
from sessions_app.live.manager import BaseSessionManager
from sessions_app.live.page import Page

Key = tuple[int, Mode, uuid.UUID]
"""Whose page life it is for: user, mode, page."""


@dataclass(slots=True, eq=False)
class HeldSession:
    """`let_in`: by what its last page was let in. `goes_on_for`: the page life that goes on with it elsewhere.
    `given_back`: set when nothing of it is left here. `revision`: which of the user's settings it goes by.
    `recordings`: what its page was told last of those that are attached, and after which `ready` of which page."""

    key: Key
    manager: BaseSessionManager
    store: DatabaseStore
    hold: Hold
    revision: int = 0
    let_in: Credentials | None = None
    goes_on_for: uuid.UUID | None = None
    recordings: tuple[Page | None, int, list[dict[str, Any]]] = (None, 0, [])
    given_back: asyncio.Event = field(default_factory=asyncio.Event)

    def send_page_away(self, code: int, toast: str = "") -> None:
        """The page that has the session, if one does, has it no more: its socket is closed with `code`."""
        page = self.manager.release()
        if page is None:
            return
        if toast:
            page.tell_toast(toast)
        page.close(code)

    @property
    def place(self) -> uuid.UUID:
        """What holds its place in the budget of the project."""
        return holder_of(*self.key)
