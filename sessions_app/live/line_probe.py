"""The way back up: asks in the background for a line that may be there again.

No sentence of a user's is tried on it: a connection is set up and closed again, by one session for all (the lease of
the ledger), and only a model that has answered so is gone up to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from energy.levels import Level
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.failures import History, judge
from sessions_app.live.providers.upstream import CLOSE_TIMEOUT_MS, Setup, Upstream, UpstreamFailed
from sessions_app.live.task_owner import TaskOwner

IN_TURNS_EVERY_S = 2.0
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
        is_quiet: whether nobody speaks and nothing is owed, so that the session may go up.
    """

    def __init__(
        self,
        upstream: Upstream,
        levels: LevelKeeper,
        setup_for: Callable[[str], Setup],
        is_quiet: Callable[[], bool],
    ) -> None:
        self._upstream = upstream
        self._levels = levels
        self._setup_for = setup_for
        self._is_quiet = is_quiet
        self._tasks = TaskOwner()
        self._looking: asyncio.Task[None] | None = None

    def stand_at(self, level: Level) -> None:
        """The session has a connection at this level."""
        self.stop()
        if level != self._levels.top_level:
            every_s = IN_TURNS_EVERY_S if level.is_in_turns else ON_A_LINE_EVERY_S
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
            is_back = due.may_rise or (bool(due.model) and await self._is_there(due.model))
            if is_back and self._is_quiet():
                self._levels.ask_for_more()

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
