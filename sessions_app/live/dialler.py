"""One connection at a time: dials, reads until it ends, and closes what was there before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sessions_app.live.hedge import connect_hedged
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.events import CloseFinished, CloseUpstream, Connect, ConnectionLost, Fact, LeaveUpstream
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import (
    CLOSE_TIMEOUT_MS,
    Connection,
    Setup,
    Upstream,
    UpstreamFailed,
    UpstreamMessage,
)
from sessions_app.live.task_owner import TaskOwner
from sessions_app.live.watch import SessionWatch

logger = logging.getLogger(__name__)


class Dialler:
    """Carries out what the session machine wishes of the connection, and tells it what became of that.

    Args:
        upstream: the provider.
        levels: says whether the model may be dialled.
        tasks: owns what is closed in the background.
        setup_for: how a connection is to be set up.
        begin: called with a new connection before it is read, to bring the model up to date.
        take: called with each message of the present connection.
        feed: tells the machine.
        watch: is told what the machine does not hear of.
    """

    def __init__(
        self,
        upstream: Upstream,
        levels: LevelKeeper,
        tasks: TaskOwner,
        setup_for: Callable[[Connect], Setup],
        begin: Callable[[Connection, Connect], Awaitable[None]],
        take: Callable[[UpstreamMessage], None],
        feed: Callable[[Fact], None],
        watch: SessionWatch,
    ) -> None:
        self.connection: Connection | None = None
        self.failure = Failure(0, "", Phase.LIVE)
        self._upstream = upstream
        self._levels = levels
        self._tasks = tasks
        self._setup_for = setup_for
        self._begin = begin
        self._take = take
        self._feed = feed
        self._watch = watch
        self._task: asyncio.Task[None] | None = None
        self._replaced: Connection | None = None
        self._on_trial: tuple[str, ...] = ()

    def connect(self, wish: Connect) -> None:
        self._task = self._tasks.start(self._hold_connection(wish), "live-connection")

    def expect(self, model: str) -> None:
        """Another model is to be dialled, at the next safe point."""
        self._upstream.expect(model)

    def close(self, wish: CloseUpstream) -> None:
        task, connection = self._let_go()
        if wish.when_replaced:
            self._replaced = connection
        else:
            self._tasks.start(self._close(task, connection), "live-close")

    def leave(self, wish: LeaveUpstream) -> None:
        _, connection = self._let_go()
        self._close_in_background(connection)

    def give_up(self, text: str) -> None:
        """The connection is of no use any more, for a reason of our own that the log tells."""
        task = self._task
        self._lose(Failure(0, text, Phase.LIVE))
        if task is not None:
            task.cancel()

    async def _hold_connection(self, wish: Connect) -> None:
        """Dial, and read until the connection ends. Cancelled when the machine wishes it closed."""
        try:
            connection = await self._dial(wish)
            if connection is None:
                return
            self.connection = connection
            await self._begin(connection, wish)
            async for message in connection.messages():
                if connection is not self.connection:
                    break  # given up on the last message: what came together with that one is answered again
                self._take(message)
        except UpstreamFailed as failed:
            self._lose(failed.failure)
        except Exception:
            logger.exception("Internal error, which ended the connection")
            self._lose(Failure(0, "internal error", Phase.LIVE))

    async def _dial(self, wish: Connect) -> Connection | None:
        """A new connection, or None when another level takes over.

        One that was kept until now is closed, whatever came of the dialling.
        """
        try:
            if not await self._may_dial():
                return None
            setup = self._setup_for(wish)
            self._on_trial = setup.on_trial
            return await connect_hedged(self._upstream, setup, self._tasks, self._watch.dialled_twice)
        finally:
            self._close_replaced()

    async def _may_dial(self) -> bool:
        """Whether the model is not known to be spent; else another level takes over. A new session has just asked."""
        task, may_dial = self._task, await self._levels.may_dial()
        if not may_dial and self._task is task:
            self._task = None
        return may_dial

    def _lose(self, failure: Failure) -> None:
        connection, self.connection = self.connection, None
        self._task = None
        self.failure = failure
        self._close_in_background(connection)
        self._feed(ConnectionLost(failure, self._on_trial))

    def _let_go(self) -> tuple[asyncio.Task[None] | None, Connection | None]:
        """Nothing that the connection still says is listened to."""
        task, self._task = self._task, None
        connection, self.connection = self.connection, None
        if task is not None:
            task.cancel()
        self._close_replaced()  # a dial that is cancelled before its first step would not
        return task, connection

    def _close_replaced(self) -> None:
        replaced, self._replaced = self._replaced, None
        self._close_in_background(replaced)

    def _close_in_background(self, connection: Connection | None) -> None:
        if connection is not None:
            self._tasks.start(connection.close(CLOSE_TIMEOUT_MS), "live-tidy")

    async def _close(self, task: asyncio.Task[None] | None, connection: Connection | None) -> None:
        if task is not None:
            await asyncio.wait({task})
        if connection is not None:
            await connection.close(CLOSE_TIMEOUT_MS)
        self._feed(CloseFinished())
