"""What is looked at again while live sessions go on, for all of a worker together: fair use, and what users chose.

Whoever saves settings has all workers told at once, through the channel layer. That may be away; the rows are the
truth, and are found within ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings

from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.gateway.held_session import HeldSession
from sessions_app.live.task_owner import TaskOwner
from sessions_app.usage import is_limited
from sessions_app.user_settings.assistants import assistant_of
from sessions_app.user_settings.service import Kept, kept_without_persona, revisions_of

logger = logging.getLogger(__name__)

ROUND_EVERY_S = 10


class Rounds:
    """Goes round the live sessions of this worker.

    Args:
        sessions: gives those that it holds.
        database: the thread for rows.
    """

    def __init__(self, sessions: Callable[[], Iterable[HeldSession]], database: DatabaseThread) -> None:
        self._sessions = sessions
        self._database = database
        self._tasks = TaskOwner()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Go round from now on, if that has not begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._go_round_and_round(), name="rounds")

    def stop(self) -> None:
        """There is nothing to look at."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def settings_changed(self, user_id: int) -> None:
        """A user has saved settings."""
        if any(held.key[0] == user_id for held in self._sessions()):
            self._tasks.start(self._follow(user_id), "settings")

    async def _go_round_and_round(self) -> None:
        while True:
            await asyncio.sleep(ROUND_EVERY_S)
            await self._look_for_settings()
            if is_limited():
                await self._check_fair_use()

    async def _check_fair_use(self) -> None:
        """A share may be used up while its user talks: the conversation then ends between two turns."""
        for held in tuple(self._sessions()):
            await held.manager.check_fair_use()

    async def _look_for_settings(self) -> None:
        known: dict[int, int] = {}
        for held in self._sessions():
            known[held.key[0]] = min(held.revision, known.get(held.key[0], held.revision))
        try:
            saved: dict[int, int] = await self._database.run(partial(revisions_of, tuple(known)))
        except Exception as error:  # the next round may find the database again
            logger.warning("what users have chosen cannot be looked up: %s", type(error).__name__)
            return
        for user_id, revision in saved.items():
            if revision != known[user_id]:
                await self._follow(user_id)

    async def _follow(self, user_id: int) -> None:
        try:
            kept: Kept = await self._database.run(partial(kept_without_persona, user_id))
        except Exception as error:
            logger.warning("what a user has chosen cannot be looked up: %s", type(error).__name__)
            return
        for held in tuple(self._sessions()):
            if held.key[0] == user_id and held.revision < kept.revision:
                held.revision = kept.revision
                held.manager.use(assistant_of(kept.settings, settings.ASSISTANT_INSTRUCTION, held.key[1]))
