"""How a live session winds up: the last words are heard, everything is stored, every task has ended."""

from __future__ import annotations

import asyncio
from typing import Any

from sessions_app.live.dialler import Dialler
from sessions_app.live.exchanges import Exchanges
from sessions_app.live.machine.events import CloseAfterTail, CloseUpstream, Finish
from sessions_app.live.task_owner import TaskOwner
from sessions_app.live.timers import Timers
from sessions_app.live.writer import StoreWriter


class Ending:
    """Carries out the last wishes of the session machine.

    Args:
        exchanges: what is interrupted for good.
        dialler: what closes the connection.
        writer: what stores.
        timers: of the session, none of which fires any more.
        tasks: of the session, which are waited for.
    """

    def __init__(
        self, exchanges: Exchanges, dialler: Dialler, writer: StoreWriter, timers: Timers[Any], tasks: TaskOwner
    ) -> None:
        self.finished = asyncio.Event()
        self.is_conversation_over = False
        self._exchanges = exchanges
        self._dialler = dialler
        self._writer = writer
        self._timers = timers
        self._tasks = tasks
        self._tail: asyncio.Task[None] | None = None

    async def stored(self) -> None:
        """Wait until everything so far is stored, what was said last before a hang-up included."""
        if self._tail is not None:
            await asyncio.wait({self._tail})
        await self._writer.flush()

    def close_after_tail(self, wish: CloseAfterTail) -> None:
        if self._exchanges.awaits_words:
            self._tail = self._tasks.start(self._hear_tail(), "live-tail")
        else:
            self._close()

    def finish(self, wish: Finish) -> None:
        self._timers.stop_all()
        if self._tail is None:
            self._wind_up(wish)
        else:
            self._tail.add_done_callback(lambda tail: self._wind_up(wish))

    async def _hear_tail(self) -> None:
        await self._exchanges.hear_tail()
        self._close()

    def _close(self) -> None:
        self._exchanges.hold()
        self._dialler.close(CloseUpstream())

    def _wind_up(self, wish: Finish) -> None:
        self.is_conversation_over = wish.conversation_over
        self._exchanges.interrupt_for_good(discard_unheard=wish.conversation_over)
        self._writer.finish(wish.reason, wish.conversation_over)
        self._tasks.start(self._wait_for_the_end(), "live-finish")

    async def _wait_for_the_end(self) -> None:
        await self._writer.flush()
        await self._tasks.wait()
        self.finished.set()
