"""Stores what happens, in the order it happened, without making the conversation wait for the database."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from sessions_app.live.context import Recap
from sessions_app.live.page import Store, StoreFenced, StoreRefused
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.transcript import Turn, TurnStatus

logger = logging.getLogger(__name__)

GROWING_TURN_EVERY_S = 1.0
"""A turn that is still growing is stored this often; what is lost with the process is at most that."""

QUEUE_LIMIT = 1_000
"""Writes that may wait. A store that is away for longer than they take loses rows of the timeline, oldest first, and
what they would have acknowledged is not; no turn is lost by it."""

REFUSALS_LIMIT = 5
"""As many writes that the store refuses for good, and none that it takes between them: the conversation has no place
any more. One row that it does not take is no such sign."""

TRIES = 3
RETRY_AFTER_S = 1.0

Write = Callable[[], Awaitable[None]]
Done = Callable[[], None]


class StoreWriter:
    """A queue with one task. What cannot be stored after three tries is logged, and not acknowledged.

    Turns that are not stored yet go with the next write that stores turns, whatever became of the one before it. When
    three tries have failed, they are tried one by one: a turn that fails while another is taken is given up, for it
    would keep all others from being stored and acknowledged for ever.
    What the store refuses for good is not tried again by itself. Once the session is held elsewhere nothing is stored
    any more, and nothing acknowledged.

    Args:
        store: where everything is kept.
        on_refused: called once, when the store refuses everything for good.
    """

    def __init__(self, store: Store, on_refused: Callable[[], None]) -> None:
        self._store = store
        self._on_refused = on_refused
        self._refusals = 0
        self._is_fenced = False
        self._queue: deque[tuple[Write, Done | None]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._growing: dict[int, Turn] = {}
        self._unsaved: dict[int, Turn] = {}
        self._dropped = 0
        self._growth_timer: asyncio.TimerHandle | None = None

    def save_turn(self, turn: Turn) -> None:
        """Store a turn: at once when it is whole, else within a second."""
        self._growing[turn.number] = turn
        if turn.status is not TurnStatus.PARTIAL:
            self._save_growing()
        elif self._growth_timer is None:
            loop = asyncio.get_running_loop()
            self._growth_timer = loop.call_later(GROWING_TURN_EVERY_S, self._save_growing)

    def save_handle(self, handle: str, model: str, made_with: str, ack: int, covered_turn: int, done: Done) -> None:
        self._save_growing()
        self._put(lambda: self._add(self._store.save_handle(handle, model, made_with, ack, covered_turn)), done)

    def forget_handle(self) -> None:
        self._put(self._store.forget_handle)

    def record(self, kind: str, data: dict[str, Any]) -> None:
        self._put(lambda: self._add(self._store.record(kind, data)))

    def save_usage(self, connection: int, turn: int, model: str, usage: UsageReported) -> None:
        self._put(lambda: self._add(self._store.save_usage(connection, turn, model, usage)))

    def load_recap(self, take: Callable[[Recap | None], None]) -> None:
        """Ask what has been condensed, once everything so far is stored."""

        async def load() -> None:
            take(await self._store.load_recap())

        self._save_growing()
        self._put(load)

    def finish(self, reason: str, conversation_over: bool) -> None:
        self._save_growing()
        self._put(lambda: self._store.finish(reason, conversation_over))

    def after(self, done: Done) -> None:
        """Call `done` once everything so far is stored."""
        self._save_growing()
        self._put(self._save_turns, done)

    async def flush(self) -> None:
        """Wait until everything so far is stored, or given up."""
        self._save_growing()
        if self._task is not None:
            await asyncio.shield(self._task)

    def _save_growing(self) -> None:
        if self._growth_timer is not None:
            self._growth_timer.cancel()
            self._growth_timer = None
        if self._growing:
            self._unsaved |= self._growing
            self._growing = {}
            self._put(self._save_turns)

    async def _save_turns(self) -> None:
        turns = tuple(self._unsaved.values())
        if turns:
            await self._add(self._store.save_turns(turns))
        for turn in turns:
            if self._unsaved.get(turn.number) is turn:
                del self._unsaved[turn.number]

    async def _save_one_by_one(self) -> bool:
        """Store what can be stored; False when that is nothing, as when the store is away."""
        refused: list[Turn] = []
        turns = tuple(self._unsaved.values())
        for turn in turns:
            try:
                await self._add(self._store.save_turns((turn,)))
            except StoreFenced:
                raise
            except Exception:
                refused.append(turn)
        if len(refused) == len(turns):
            return False
        for turn in turns:
            if self._unsaved.get(turn.number) is turn:
                del self._unsaved[turn.number]
        logger.error("Turns %s cannot be stored and are given up", ", ".join(str(turn.number) for turn in refused))
        return True

    async def _add(self, adding: Awaitable[None]) -> None:
        """Add rows, which proves that there is a place for them; what only reads, changes or deletes does not."""
        await adding
        self._refusals = 0

    def _put(self, write: Write, done: Done | None = None) -> None:
        if self._is_fenced:
            return
        self._queue.append((write, done))
        if len(self._queue) > QUEUE_LIMIT:
            self._queue.popleft()
            self._dropped += 1
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="live-store")

    async def _work(self) -> None:
        while self._queue:
            write, done = self._queue.popleft()
            try:
                has_worked = await self._try(write) or (write == self._save_turns and await self._save_one_by_one())
            except StoreFenced:
                self._is_fenced = True
                self._queue.clear()
                break
            if has_worked and done is not None:
                _call(done)
        self._task = None
        if self._dropped:
            logger.error("The store was away for too long: %d writes were dropped", self._dropped)
            self._dropped = 0

    async def _try(self, write: Write) -> bool:
        for attempt in range(1, TRIES + 1):
            try:
                await write()
                return True
            except StoreFenced:
                raise
            except StoreRefused as refused:
                logger.warning("Storing was refused: %s", refused)
                self._count_refusal()
                return False
            except Exception:
                logger.exception("Storing failed, attempt %d of %d", attempt, TRIES)
            if attempt < TRIES:
                await asyncio.sleep(RETRY_AFTER_S)
        return False

    def _count_refusal(self) -> None:
        self._refusals += 1
        if self._refusals == REFUSALS_LIMIT:
            _call(self._on_refused)


def _call(done: Done) -> None:
    """Whoever waits for a write does not stop the next ones by an error of their own."""
    try:
        done()
    except Exception:
        logger.exception("Internal error after a write")
