"""Reads earlier turns for a page that scrolls up, while its conversation goes on."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable

from django.utils.translation import gettext_lazy as _

from sessions_app.gateway.page_socket import SocketPage
from sessions_app.live.task_owner import TaskOwner
from sessions_app.live.turn_window import TurnWindow

logger = logging.getLogger(__name__)

Read = Callable[[str, uuid.UUID, int], Awaitable[TurnWindow]]


class OlderTurns:
    """Answers one page, one request at a time; of those that come meanwhile the newest is answered next.

    Args:
        read: gives the turns of a conversation before a number, as they are told to a page life. It may raise.
        page: the socket that is answered.
    """

    def __init__(self, read: Read, page: SocketPage) -> None:
        self._read = read
        self._page = page
        self._wanted: tuple[str, uuid.UUID, int] | None = None
        self._tasks = TaskOwner()
        self._task: asyncio.Task[None] | None = None

    def ask(self, conversation: str, page_id: uuid.UUID, before: int) -> None:
        """Tell the page the turns before this number of a conversation, which is its own."""
        self._wanted = (conversation, page_id, before)
        if self._task is None:
            self._task = self._tasks.start(self._answer(), "older-turns")

    def forget(self) -> None:
        """The page has gone, or its conversation has: what was asked for is not told any more."""
        self._wanted = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _answer(self) -> None:
        while self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            try:
                window = await self._read(*wanted)
            except Exception:
                logger.exception("Earlier turns could not be read")
                self._page.tell_error("older.unavailable", _("Earlier messages could not be loaded."))
            else:
                self._page.tell_turns(window)
        self._task = None
