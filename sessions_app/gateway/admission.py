"""Admission of this worker's live sessions to the project's budget: who may begin, and who waits at which position."""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass, replace
from functools import partial

from django.conf import settings
from django.utils import timezone

from energy import budget
from energy.queue import SEEN_EVERY_S, Granted, Waiting
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.live.manager import BaseSessionManager

logger = logging.getLogger(__name__)

ASK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Place:
    holder: uuid.UUID
    user_id: int
    manager: BaseSessionManager


class Admission:
    """Lets live sessions begin when it is their turn, and says for them that they are still there.

    Args:
        database: the thread for rows.
        worker: the name of this worker.
    """

    def __init__(self, database: DatabaseThread, worker: str) -> None:
        self._database = database
        self._worker = worker
        self._talking: dict[uuid.UUID, _Place] = {}
        self._waiting: dict[uuid.UUID, _Place] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def enter(self, holder: uuid.UUID, user_id: int, manager: BaseSessionManager) -> None:
        """Begin the live session, now or when there is a place for it."""
        if not settings.LIVE_SESSIONS_MAX:
            manager.init_session()
            return
        self._waiting[holder] = place = _Place(holder, user_id, manager)
        if self._task is None:
            self._task = asyncio.create_task(self._keep_asking(), name="live-admission")
        await self._try_to_ask(place)

    async def leave(self, holder: uuid.UUID) -> None:
        """The live session is over, or does not wait any longer."""
        if self._waiting.pop(holder, None) or self._talking.pop(holder, None):
            try:
                await self._database.run(partial(budget.leave, holder, self._worker))
            except Exception:
                logger.exception("A place is given up only when nobody speaks for it any more")
            self._news.set()

    def hand_on(self, holder: uuid.UUID) -> None:
        """The live session goes on in another worker, which speaks for its place from now on."""
        self._waiting.pop(holder, None)
        self._talking.pop(holder, None)

    def move(self, holder: uuid.UUID, to: uuid.UUID) -> None:
        """The live session goes on for another page life, which has its place now."""
        for places in (self._waiting, self._talking):
            if place := places.pop(holder, None):
                places[to] = replace(place, holder=to)

    async def _try_to_ask(self, place: _Place) -> None:
        """Who cannot be asked for now is asked for again in a second, and keeps nobody else from being asked for."""
        try:
            await self._ask(place)
        except Exception:
            logger.exception("A place could not be asked for")

    async def _ask(self, place: _Place) -> None:
        mode = place.manager.mode
        job = partial(budget.ask, place.holder, place.user_id, mode, self._worker, timezone.now())
        answer: Granted | Waiting = await self._database.run(job)
        if place.holder not in self._waiting:
            return
        if isinstance(answer, Waiting):
            place.manager.wait_in_line(answer.place)
            return
        self._talking[place.holder] = self._waiting.pop(place.holder)
        place.manager.init_session()

    async def _keep_asking(self) -> None:
        """As long as there is anybody to speak for."""
        loop = asyncio.get_running_loop()
        seen_at_s = loop.time()
        while self._waiting or self._talking:
            self._news.clear()
            try:
                if loop.time() - seen_at_s >= SEEN_EVERY_S:
                    seen_at_s = loop.time()
                    await self._say_who_is_there()
            except Exception:
                logger.exception("What this process holds of the budget could not be confirmed")
            for place in tuple(self._waiting.values()):
                await self._try_to_ask(place)
            try:
                async with asyncio.timeout(ASK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                pass
        self._task = None

    async def _say_who_is_there(self) -> None:
        holders = [*self._waiting, *self._talking]
        known: int = await self._database.run(partial(budget.seen, holders, timezone.now()))
        if known < len(holders):  # this worker was away for so long that others took it for dead
            for place in tuple(self._talking.values()):
                job = partial(budget.ask, place.holder, place.user_id, place.manager.mode, self._worker, timezone.now())
                await self._database.run(job)
