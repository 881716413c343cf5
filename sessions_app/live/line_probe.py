"""The way back up: asks in the background for a line that may be there again.

No sentence of a user's is tried on it: a connection is set up, asked whether somebody is there, and closed again, by
one session for all (the lease of the ledger), and only a model that has answered so is gone up to. It goes on looking
where nothing works at all. A line that is open and says nothing is doubted in the same way: by asking another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from energy.levels import Level
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.failures import Failure, History, Phase, judge
from sessions_app.live.providers.upstream import (
    CLOSE_TIMEOUT_MS,
    Connection,
    ReplyAudio,
    ReplyWords,
    Setup,
    TurnComplete,
    Upstream,
    UpstreamFailed,
)
from sessions_app.live.task_owner import TaskOwner

WITHOUT_LINE_EVERY_S = 2.0
"""More often than a set-up that went through is trusted for, so that everybody hears of it."""

ON_A_LINE_EVERY_S = 10.0
"""There is a line, only not the best one."""

PROBE_TIMEOUT_MS = 5_000

QUESTION = "Are you there?"

ANSWERS = (ReplyAudio, ReplyWords, TurnComplete)

ANSWER_LIMIT_S = 3.5
"""A model that is well begins to answer within a second or two."""

DOUBTS_AGAIN_AFTER_S = 120.0
"""A line that is quiet though another answers has its reasons: nobody spoke to it, or it thinks."""


class LineProbe:
    """Looks while the session is at a level below others.

    Args:
        upstream: the provider.
        levels: of the session.
        setup_for: the set-up of a connection to a model, with which nothing is said.
        on_back: called while a better line is there, until the session stands on it.
        on_gone: called when a line that was doubted is not there.
    """

    def __init__(
        self,
        upstream: Upstream,
        levels: LevelKeeper,
        setup_for: Callable[[str], Setup],
        on_back: Callable[[], None],
        on_gone: Callable[[], None],
    ) -> None:
        self._upstream = upstream
        self._levels = levels
        self._setup_for = setup_for
        self._on_back = on_back
        self._on_gone = on_gone
        self._tasks = TaskOwner()
        self._looking: asyncio.Task[None] | None = None
        self._doubting: asyncio.Task[None] | None = None
        self._doubts_after_s = 0.0

    def stand_at(self, level: Level) -> None:
        """The session has a connection at this level, or none because it is level 0."""
        self.stop()
        if level != self._levels.top_level:
            has_line = not (level.is_in_turns or level.is_exhausted)
            every_s = ON_A_LINE_EVERY_S if has_line else WITHOUT_LINE_EVERY_S
            self._looking = self._tasks.start(self._look(every_s), "live-line-probe")

    def doubt(self, model: str) -> None:
        """Ask another line of the model whether it is there, unless that was found out just now."""
        if self._doubting is None and asyncio.get_running_loop().time() >= self._doubts_after_s:
            self._doubting = self._tasks.start(self._find_out(model), "live-line-doubt")

    def stop(self) -> None:
        """The session is over, or stands elsewhere."""
        for task in (self._looking, self._doubting):
            if task is not None:
                task.cancel()
        self._looking = self._doubting = None

    async def _look(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            due = await self._levels.due_probe()
            if due.may_rise or (due.model and await self._is_there(due.model)):
                self._on_back()

    async def _find_out(self, model: str) -> None:
        """What is refused for its quota says nothing of the line that stands."""
        failure = await self._failure_of(model)
        self._doubting = None
        if failure is None:
            self._doubts_after_s = asyncio.get_running_loop().time() + DOUBTS_AGAIN_AFTER_S
        elif not _is_quota(failure):
            self._on_gone()

    async def _is_there(self, model: str) -> bool:
        """Whether the model can be talked with; the ledger is told."""
        failure = await self._failure_of(model)
        if failure is not None:
            await self._levels.probe_failed(failure, model, is_quota=_is_quota(failure))
            return False
        await self._levels.proven(model)
        return True

    async def _failure_of(self, model: str) -> Failure | None:
        """Why the model cannot be talked with; None when it answers."""
        connection: Connection | None = None
        try:
            connection = await self._upstream.connect(self._setup_for(model))
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await connection.send_text(QUESTION)
                async for message in connection.messages():
                    if isinstance(message, ANSWERS):
                        return None
        except UpstreamFailed as failed:
            return failed.failure
        except TimeoutError:
            return Failure(0, "no answer", Phase.LIVE)
        finally:
            if connection is not None:
                self._tasks.start(connection.close(CLOSE_TIMEOUT_MS), "live-tidy")
        return Failure(0, "no answer", Phase.LIVE)


def _is_quota(failure: Failure) -> bool:
    return judge(failure, History()).quota
