"""The line of those who open a live session, one at a time for each user and mode: of the pages that wait only the
newest counts, and only while it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from energy.levels import Mode
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.live.close_codes import OPENED_ELSEWHERE

Key = tuple[int, Mode]


class Overtaken(Exception):
    """The page has gone while it waited, or a newer one of the same user has taken its place in the line."""


@dataclass(slots=True)
class _Line:
    """`users`: whose turn it is and who waits. `next`: the page that waits; it is at most one."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    next: SocketPage | None = None


class StartLine:
    """Keeps nothing of a user and mode of which nobody is here."""

    def __init__(self) -> None:
        self._lines: dict[Key, _Line] = {}

    def __len__(self) -> int:
        """Of how many users and modes somebody is here."""
        return len(self._lines)

    @asynccontextmanager
    async def turn(self, user_id: int, mode: Mode) -> AsyncIterator[None]:
        """Wait for one's turn."""
        async with self._place(user_id, mode) as line, line.lock:
            yield

    @asynccontextmanager
    async def turn_to_start(self, user_id: int, mode: Mode, page: SocketPage) -> AsyncIterator[None]:
        """Wait for one's turn with a page, in the place of any other that waits, which is closed.

        Raises `Overtaken`.
        """
        async with self._place(user_id, mode) as line:
            if line.next is not None:
                line.next.tell_toast("takeover")
                line.next.close(OPENED_ELSEWHERE)
            line.next = page
            try:
                await _acquire(line.lock, page)
            finally:
                if line.next is page:
                    line.next = None
            try:
                if page.is_closing:
                    raise Overtaken
                yield
            finally:
                line.lock.release()

    @asynccontextmanager
    async def _place(self, user_id: int, mode: Mode) -> AsyncIterator[_Line]:
        line = self._lines.setdefault((user_id, mode), _Line())
        line.users += 1
        try:
            yield line
        finally:
            line.users -= 1
            if not line.users:
                del self._lines[user_id, mode]


async def _acquire(lock: asyncio.Lock, page: SocketPage) -> None:
    """Acquire the lock for a page, unless its socket goes before. Raises `Overtaken`."""
    acquiring = asyncio.create_task(lock.acquire())
    going = asyncio.create_task(page.closed.wait())
    try:
        await asyncio.wait({acquiring, going}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        _give_up(acquiring, lock)
        raise
    finally:
        going.cancel()
    if not acquiring.done():
        _give_up(acquiring, lock)
        raise Overtaken


def _give_up(acquiring: asyncio.Task[Any], lock: asyncio.Lock) -> None:
    """Do not hold the lock, whether it was acquired in this very moment or not."""
    if acquiring.done():
        lock.release()
    else:
        acquiring.cancel()
