"""Tokens to dial with: one for each dial, made before it is needed wherever that can be known."""

from __future__ import annotations

import asyncio
import datetime
import logging
import math
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from sessions_app.live.providers.minting import Minter, MintingFailed, MintOutcome, TokenOrder
from sessions_app.live.providers.token_stock import AT_ONCE, COUNTS_FOR_MS, OPENS_FOR_MS, TokenStock

logger = logging.getLogger(__name__)


class TokenWatch(Protocol):
    """Is told on the event loop, and must not wait."""

    def asked_for_token(self, outcome: MintOutcome, seconds: float) -> None:
        """Somebody was asked for a token, and that took so long."""

    def dialled_by_token(self, *, was_ready: bool) -> None:
        """A dial got its token. `was_ready`: without waiting for it."""


class TokenKeeper:
    """Hands out tokens, and has others made in the background. Used on one event loop.

    Args:
        minter: makes them; is called in threads, `AT_ONCE` of them at most.
        watch: is told; nobody when None.
        now: the time of day.
    """

    def __init__(
        self,
        minter: Minter,
        watch: TokenWatch | None = None,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self._minter = minter
        self._watch = watch
        self._now = now
        self._stock = TokenStock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tokens")
        self._waiting: defaultdict[str, deque[asyncio.Future[str]]] = defaultdict(deque)
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, model: str) -> str:
        """A token for one dial; `dialled` follows. Raises `MintingFailed`, and then it does not."""
        token = self._stock.take(model, _now_ms())
        self._begin_what_is_due()
        if token is not None:
            self._tell_dial(was_ready=True)
            return token
        try:
            if limited_ms := self._stock.limited_ms(_now_ms()):
                raise MintingFailed(429, math.ceil(limited_ms / 1000))
            return await self._wait_for_one(model)
        except BaseException:
            self._stock.dialled(model)
            raise

    def dialled(self, model: str) -> None:
        """A dial is over: it was set up, and `opened` was told, or it was not."""
        self._stock.dialled(model)
        self._begin_what_is_due()

    def opened(self, model: str) -> None:
        """A connection stands: as long as it does, another token is of use."""
        self._stock.opened(model)

    def closed(self, model: str) -> None:
        self._stock.closed(model)

    def expect(self, model: str, within_ms: int) -> None:
        """A dial is likely to come."""
        self._stock.expect(model, _now_ms() + within_ms)
        self._begin_what_is_due()

    def refused(self, model: str) -> None:
        """The provider did not take a token."""
        self._stock.refused(model)

    async def _wait_for_one(self, model: str) -> str:
        waiting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[model].append(waiting)
        self._stock.begin_to_wait(model)
        self._begin_what_is_due()
        try:
            token = await waiting
        except asyncio.CancelledError:
            if waiting in self._waiting[model]:
                self._waiting[model].remove(waiting)
                self._stock.end_to_wait(model)
            raise
        self._tell_dial(was_ready=False)
        return token

    def _begin_what_is_due(self) -> None:
        for model in self._stock.due(_now_ms()):
            task = asyncio.create_task(self._make(model), name="live-token")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._look_again()

    def _look_again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        moment_ms = self._stock.look_again_ms(_now_ms())
        if moment_ms is not None:
            self._timer = asyncio.get_running_loop().call_at(moment_ms / 1000, self._begin_what_is_due)

    async def _make(self, model: str) -> None:
        loop, began_ms = asyncio.get_running_loop(), _now_ms()
        try:
            token = await loop.run_in_executor(self._threads, self._minter.mint, order_of(model, self._now()))
        except MintingFailed as failure:
            self._note_failure(model, failure, began_ms)
        except Exception as error:
            # Its text is not logged: nobody knows what it holds.
            logger.error("Internal error while a token was made: %s", type(error).__name__)
            self._note_failure(model, MintingFailed(), began_ms)
        else:
            self._tell_asked(MintOutcome.MADE, began_ms)
            self._stock.made(model, token, began_ms)
            self._hand_out(model)
        self._begin_what_is_due()

    def _hand_out(self, model: str) -> None:
        """To who has waited longest."""
        while self._is_waited_for(model):
            token = self._stock.hand_out(model, _now_ms())
            if token is None:
                return
            self._next_waiting(model).set_result(token)

    def _note_failure(self, model: str, failure: MintingFailed, began_ms: int) -> None:
        self._tell_asked(failure.outcome, began_ms)
        limited_ms = (failure.retry_after_s or 0) * 1000 if failure.outcome is MintOutcome.LIMITED else 0
        self._stock.not_made(model, _now_ms(), limited_ms)
        while self._is_waited_for(model) and self._stock.starves(model):
            self._next_waiting(model).set_exception(failure)

    def _is_waited_for(self, model: str) -> bool:
        """A dial that was given up may still stand in the line."""
        while self._waiting[model] and self._waiting[model][0].done():
            self._next_waiting(model)
        return bool(self._waiting[model])

    def _next_waiting(self, model: str) -> asyncio.Future[str]:
        self._stock.end_to_wait(model)
        return self._waiting[model].popleft()

    def _tell_asked(self, outcome: MintOutcome, began_ms: int) -> None:
        if self._watch is not None:
            self._watch.asked_for_token(outcome, (_now_ms() - began_ms) / 1000)

    def _tell_dial(self, *, was_ready: bool) -> None:
        if self._watch is not None:
            self._watch.dialled_by_token(was_ready=was_ready)


def order_of(model: str, now: datetime.datetime) -> TokenOrder:
    """The token of one dial. It is bound to the model, to spoken answers, and to there being no tools.

    What else a set-up holds (instruction, voice, history) is of one conversation, and may be left out of it at the
    second try: held fast it would bind the token to the conversation, and take that way out.
    """
    milliseconds = datetime.timedelta(milliseconds=1)
    return TokenOrder(model, 1, now + OPENS_FOR_MS * milliseconds, now + COUNTS_FOR_MS * milliseconds)


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
