"""The way back up: asks in the background for a line that may be there again.

No sentence of a user's is tried on it: a connection is set up and closed again, by one session for all (the lease of
the ledger), and only a model that has answered so is gone up to. It goes on looking where nothing works at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from energy.levels import Level
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.failures import History, judge
from sessions_app.live.providers.upstream import CLOSE_TIMEOUT_MS, Setup, Upstream, UpstreamFailed
from sessions_app.live.task_owner import TaskOwner

WITHOUT_LINE_EVERY_S = 2.0
"""More often than a set-up that went through is trusted for, so that everybody hears of it."""

ON_A_LINE_EVERY_S = 10.0
"""There is a line, only not the best one."""

PROBE_TIMEOUT_MS = 5_000


class LineProbe:
    """Looks while the session is at a level below others.

    Args:
        upstream: the provider.
        levels: of the session.
        setup_for: the set-up of a connection to a model, with which nothing is said.
        on_back: called while a better line is there, until the session stands on it.
    """

    def __init__(
        self,
        upstream: Upstream,
        levels: LevelKeeper,
        setup_for: Callable[[str], Setup],
        on_back: Callable[[], None],
    ) -> None:
        self._upstream = upstream
        self._levels = levels
        self._setup_for = setup_for
        self._on_back = on_back
        self._tasks = TaskOwner()
        self._looking: asyncio.Task[None] | None = None

    def stand_at(self, level: Level) -> None:
        """The session has a connection at this level, or none because it is level 0."""
        self.stop()
        if level != self._levels.top_level:
            has_line = not (level.is_in_turns or level.is_exhausted)
            every_s = ON_A_LINE_EVERY_S if has_line else WITHOUT_LINE_EVERY_S
            self._looking = self._tasks.start(self._look(every_s), "live-line-probe")

    def stop(self) -> None:
        """The session is over."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            due = await self._levels.due_probe()
            if due.may_rise or (due.model and await self._is_there(due.model)):
                self._on_back()

    async def _is_there(self, model: str) -> bool:
        """Whether the model can be talked with; the ledger is told."""
        try:
            connection = await self._upstream.connect(self._setup_for(model))
        except UpstreamFailed as failed:
            is_quota = judge(failed.failure, History()).quota
            await self._levels.probe_failed(failed.failure, model, is_quota=is_quota)
            return False
        self._tasks.start(connection.close(CLOSE_TIMEOUT_MS), "live-tidy")
        await self._levels.proven(model)
        return True
