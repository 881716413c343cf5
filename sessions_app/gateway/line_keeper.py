"""The lines that this worker holds: its heartbeat, what is heard of others with it, and asking others to let go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from functools import partial

from energy.announcements import tell_workers
from energy.levels import Mode
from sessions_app import lines
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.lines import BEAT_EVERY_S, Hold, News, Owner
from sessions_app.live.task_owner import TaskOwner

logger = logging.getLogger(__name__)

WANTED_TYPE = "line.wanted"
"""Of the message that has all workers look at once which of their lines are wanted elsewhere."""

LET_GO_WITHIN_S = 4.0
"""Longer nobody waits for a worker that says it lives: the line is taken, and the worker finds itself fenced."""

ASK_EVERY_S = 0.1
ANSWER_LIMIT_S = 1.0


class LineKeeper:
    """Speaks for this worker while it serves or holds anything.

    Args:
        database: the thread for rows.
        owner: this worker.
        on_news: called with each line that is wanted elsewhere, or was taken.
    """

    def __init__(self, database: DatabaseThread, owner: Owner, on_news: Callable[[News], None]) -> None:
        self.owner = owner
        self._database = database
        self._on_news = on_news
        self._holds: set[Hold] = set()
        self._given_back: set[Hold] = set()
        self._serves = False
        self._is_heard = True
        self._soon = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._tasks = TaskOwner()

    def serve(self) -> None:
        """The server runs: others are to see this worker, whether it holds anything or not."""
        self._serves = True
        self._start()

    def check_soon(self) -> None:
        """A line may be wanted."""
        self._soon.set()

    def keep(self, hold: Hold) -> None:
        """This worker holds the line from now on."""
        self._holds.add(hold)
        self._start()

    async def is_held(self, hold: Hold) -> bool:
        """Whether the line is still ours, by its row. Where the database is away nobody can have taken it."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                held: bool = await self._database.run(partial(lines.is_held, hold))
        except Exception as error:
            logger.warning("whether a line is still held cannot be looked up: %s", type(error).__name__)
            return True
        return held

    async def ask_for(self, user_id: int, mode: Mode, page_id: uuid.UUID, *, hands_on: bool = False) -> None:
        """Have a worker that holds the line of a user let go, and wait until it has, or is dead, or took too long."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + LET_GO_WITHIN_S
        has_told = False
        while await self._database.run(partial(lines.want, user_id, mode, page_id, self.owner, hands_on)):
            if not has_told:
                self._tasks.start(tell_workers({"type": WANTED_TYPE}), "line-wanted")
                has_told = True
            if loop.time() >= until_s:
                logger.warning("a worker lives and does not let go of a line: it is taken")
                return
            await asyncio.sleep(ASK_EVERY_S)

    async def give_back(self, hold: Hold) -> None:
        """This worker holds the line no more. What cannot be written now is written with a later heartbeat."""
        self._holds.discard(hold)
        self._given_back.add(hold)
        with contextlib.suppress(Exception):
            await self._write_what_was_given_back()

    async def leave(self) -> None:
        """The worker takes no sessions any more."""
        await self._try(partial(lines.leave, self.owner))

    async def retire(self) -> None:
        """The worker holds nothing any more, and ends: its heartbeat stops."""
        self._serves = False
        if self._task is not None:
            self._task.cancel()
            self._task = None
        await self._try(partial(lines.retire, self.owner))

    async def _try(self, job: Callable[[], None]) -> None:
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await self._database.run(job)
        except Exception as error:
            logger.warning("the row of this worker cannot be written: %s", type(error).__name__)

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._beat_again_and_again(), name="heartbeat")

    async def _beat_again_and_again(self) -> None:
        while self._serves or self._holds or self._given_back:
            self._soon.clear()
            await self._beat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_EVERY_S):
                    await self._soon.wait()
        self._task = None

    async def _beat(self) -> None:
        try:
            await self._write_what_was_given_back()
            all_news: list[News] = await self._database.run(partial(lines.beat, self.owner, tuple(self._holds)))
        except Exception as error:  # the next one may find the database again
            if self._is_heard:
                logger.warning("the heartbeat is not heard: %s", type(error).__name__)
            self._is_heard = False
            return
        self._is_heard = True
        for news in all_news:
            if news.hold in self._holds:
                self._on_news(news)

    async def _write_what_was_given_back(self) -> None:
        for hold in tuple(self._given_back):
            await self._database.run(partial(lines.release, hold))
            self._given_back.discard(hold)
