"""One owner for the tasks of one thing: none is forgotten, and none fails without a word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

logger = logging.getLogger(__name__)


T = TypeVar("T")


class TaskOwner:
    """Starts tasks, keeps them from being collected, logs what they raise, and ends them with their owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run `work` beside everything else, under a name for the log and the debugger."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def wait(self) -> None:
        """Until all tasks have ended, those that are started meanwhile and the caller's own not counted."""
        others = self._tasks - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    async def cancel(self) -> None:
        """End all tasks but the caller's own, and wait until they have."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        await self.wait()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("Internal error in the task %s", task.get_name(), exc_info=task.exception())
