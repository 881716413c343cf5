"""The energy bar of one live session, for the event loop: the service, asked through the database thread."""

from __future__ import annotations

import asyncio
import datetime
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from django.conf import settings

from energy import announcements
from energy.fair_use import FairUseRefusal
from energy.ladders import ladder_of
from energy.levels import Level, LevelChange, Mode, Reason
from energy.quota import Refusal
from energy.services import EnergyBarService, OutageSurvived, notice_for
from sessions_app.gateway.database_thread import DatabaseThread
from sessions_app.live.energy import LevelNews, Probe
from sessions_app.live.machine.failures import Failure
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.task_owner import TaskOwner
from sessions_app.user_settings.service import settings_for

logger = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_LIMIT_S = 1.0
"""A conversation that needs another model does not wait longer for the ledger: the level then changes in memory."""

PATIENCE_S = 2.0
ASK_AGAIN_S = 0.25
"""While another session finds out whether a model answers, a new one waits a moment for the result."""


class SessionEnergy:
    """See `live.energy.Energy`. A user who has had their share is at level 0, whatever the quota.

    Args:
        database: the thread for rows.
        bar: the service of this live session.
        user_id: whose pages hear of changes.
        fair_use: asks in the database thread whether the user has had their share.
    """

    def __init__(
        self,
        database: DatabaseThread,
        bar: EnergyBarService,
        user_id: int,
        fair_use: Callable[[Mode, uuid.UUID | None], FairUseRefusal | None],
    ) -> None:
        self.session: uuid.UUID | None = None
        """The live session, once it is open: it does not count against itself."""
        self._database = database
        self._bar = bar
        self._user_id = user_id
        self._fair_use = fair_use
        self._refusal: FairUseRefusal | None = None
        self._notice = ""
        self._persona = ""
        self._announcing = TaskOwner()

    async def load(self, mode: Mode) -> None:
        """Find the level that a new session gets: the best whose quota is not used up."""
        for _ in range(int(PATIENCE_S / ASK_AGAIN_S)):
            if await self._database.run(partial(self._load, mode, True)):
                return
            await asyncio.sleep(ASK_AGAIN_S)
        await self._database.run(partial(self._load, mode, False))

    # -- in memory -----------------------------------------------------------------------------------------------------

    def get_level(self, mode: Mode) -> Level:
        return self._bar.get_level(mode) if self._refusal is None else _nothing(mode)

    def get_top_level(self, mode: Mode) -> Level:
        return self._bar.get_top_level(mode)

    def has_refuge(self, mode: Mode) -> bool:
        return self._refusal is None and self._bar.has_refuge(mode)

    def has_other_place(self, mode: Mode) -> bool:
        return self._refusal is None and self._bar.has_other_place(mode)

    def get_resets_at(self, mode: Mode) -> datetime.datetime | None:
        return self._bar.get_resets_at(mode) if self._refusal is None else self._refusal.ends_at

    @property
    def reason_for_nothing(self) -> str:
        return StateReason.QUOTA if self._refusal is None else StateReason.FAIR_USE

    @property
    def notice(self) -> str:
        return self._notice

    # -- with the ledger -----------------------------------------------------------------------------------------------

    async def handle_rate_limit_error(self, mode: Mode, failure: Failure, model: str) -> LevelNews:
        return await self._move(partial(self._bar.lower, mode, _refusal_of(failure), model), mode)

    async def next_model(self, mode: Mode, model: str, reason: str) -> LevelNews:
        return await self._move(partial(self._bar.next_model, mode, model, reason), mode)

    async def leave_outage(self, mode: Mode, failure: Failure, model: str) -> LevelNews:
        news = await self._news_of(partial(self._bar.leave_outage, mode, model, failure.text))
        if news is not None:
            return news
        level = self._bar.get_level(mode)
        return LevelNews(LevelChange(level, level, Reason.OUTAGE, _now()))

    async def due_probe(self, mode: Mode) -> Probe:
        if self._refusal is not None:
            return Probe()
        due = await self._answer_of(partial(self._bar.due_probe, mode))
        return Probe() if due is None else Probe(*due)

    async def probe_failed(self, failure: Failure, model: str, *, is_quota: bool) -> None:
        await self._answer_of(partial(self._bar.probe_failed, model, _refusal_of(failure), is_quota=is_quota))

    async def avoid_spent(self, mode: Mode) -> LevelNews | None:
        return await self._news_of(partial(self._bar.avoid_spent, mode))

    async def raise_if_possible(self, mode: Mode) -> LevelNews | None:
        return await self._news_of(partial(self._bar.raise_if_possible, mode))

    async def reset_energy_level(self, mode: Mode, reason: Reason) -> LevelNews:
        news = await self._news_of(partial(self._restore, mode, reason))
        level = self.get_level(mode)
        return news if news is not None else LevelNews(LevelChange(level, level, reason, _now()))

    async def check_fair_use(self, mode: Mode) -> LevelNews | None:
        """To level 0 if the user has had their share by now."""
        if self._refusal is not None:
            return None
        return await self._news_of(partial(self._refuse, mode))

    async def succeeded(self, model: str) -> None:
        await self._news_of(partial(self._bar.succeeded, model))

    async def _move(self, job: Callable[[], LevelChange], mode: Mode) -> LevelNews:
        """A step that must be taken, if need be without the ledger."""
        news = await self._news_of(job)
        if news is not None:
            return news
        previous = self._bar.get_level(mode)
        level = self._bar.handle_rate_limit_error(mode)
        return LevelNews(LevelChange(previous, level, Reason.RATE_LIMIT_EXCEEDED, _now()))

    async def _news_of(self, job: Callable[[], LevelChange | None]) -> LevelNews | None:
        """What a job of the service says; None also when the database takes too long or fails."""
        news = await self._answer_of(partial(self._run, job))
        if news is not None and news.change.is_change:
            self._announce(news.change)
        return news

    async def _answer_of(self, job: Callable[[], T | None]) -> T | None:
        """What a job says in the database thread; None also when that takes too long or fails."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return await self._database.run(job)
        except TimeoutError:
            logger.warning("the ledger takes too long")
        except Exception:
            logger.exception("The ledger could not be asked")
        return None

    def _announce(self, change: LevelChange) -> None:
        self._announcing.start(announcements.announce(self._user_id, change), "energy-announce")

    # -- in the database thread ----------------------------------------------------------------------------------------

    def _load(self, mode: Mode, patient: bool) -> bool:
        change = self._refuse(mode)
        if change is None:
            level = self._bar.load(mode, patient=patient)
            if level is None:
                return False
            if level.is_exhausted:
                top, resets_at = self._bar.get_top_level(mode), self._bar.get_resets_at(mode)
                change = LevelChange(top, level, Reason.RATE_LIMIT_EXCEEDED, _now(), resets_at)
                self._notice = self._words_for(change)
        return True

    def _restore(self, mode: Mode, reason: Reason) -> LevelChange:
        refused = self._refusal is not None
        self._refusal = None
        change = self._refuse(mode)
        if change is not None:
            return LevelChange(change.level, change.level, reason, _now(), change.resets_at)
        change = self._bar.restore(mode, reason)
        return replace(change, previous=_nothing(mode)) if refused else change

    def _refuse(self, mode: Mode) -> LevelChange | None:
        refusal = self._fair_use(mode, self.session)
        if refusal is None:
            return None
        previous, self._refusal = self._bar.get_level(mode), refusal
        self._notice = refusal.in_words(_now(), settings.TIME_ZONE)
        return LevelChange(previous, _nothing(mode), Reason.MANUAL, _now(), refusal.ends_at)

    def _words_for(self, change: LevelChange) -> str:
        """What is said about a change, by the persona that the user has chosen."""
        with OutageSurvived():
            self._persona = settings_for(self._user_id).persona
        return notice_for(change, self._persona)

    def _run(self, job: Callable[[], LevelChange | None]) -> LevelNews | None:
        change = job()
        if change is None:
            return None
        if self._refusal is None and change.is_change:
            self._notice = self._words_for(change)
        return LevelNews(change, self._notice if change.is_change else "")


def _refusal_of(failure: Failure) -> Refusal:
    return Refusal(failure.text, retry_after_ms=failure.retry_after_ms, quotas=failure.quotas)


def _nothing(mode: Mode) -> Level:
    """Level 0."""
    return ladder_of(mode).level(0)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
