"""One call of a tool: noted, bounded, and broken off as soon as whoever asks has no right to it any more.

Tools block: for the database, for the provider, for a file. They run in threads, those that ask a model in threads of
their own, so that nobody who reads waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from sessions_app import throttle_rows, tool_calls
from sessions_app.accounts import access_keys
from sessions_app.auth_tokens.callers import Caller
from sessions_app.models import ToolCall
from sessions_app.throttle import MCP_CALLS, Rule, Scope, TooManyTries

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

RECHECK_EVERY_S = 2.0
"""How often it is looked whether the key was revoked, or the account closed. Also how often progress is told."""

LIMIT_S = 600.0
"""Of one call. Most of it is for a large recording, which has to be looked into here and to come to the provider."""

READERS = 4
READS_AT_ONCE = 32
ASKS_AT_ONCE = 4
"""Of a process. Each may hold one of its ten connections to the database while a model is asked."""

ASKS_AT_ONCE_OF_A_USER = 2

LEAVING = "The server restarts. Ask again in a moment."

Outcome = ToolCall.Outcome
Tell = Callable[[str], None]
"""Says what is going on, in a few words for people. Raises `GivenUp` when nobody waits for the call any more."""

Report = Callable[[float, str], Awaitable[None]]
"""Takes how many seconds a call has lasted, and what is going on."""


class Refused(Exception):
    """What was asked for cannot be done. A sentence for whoever asked."""


class RightEnded(Refused):
    """Meanwhile the key was revoked, or the account closed."""


class TookTooLong(Refused):
    pass


class Leaving(Refused):
    """This process ends."""


class Failed(Exception):
    """Something is wrong here. A sentence for whoever asked; what it was stands in the log."""


class GivenUp(Exception):
    """Nobody waits for this call any more."""


OUTCOMES: dict[type[BaseException], Outcome] = {
    RightEnded: Outcome.RIGHT_ENDED,
    TookTooLong: Outcome.TOO_LONG,
    Leaving: Outcome.LEFT,
    Refused: Outcome.REFUSED,
    TooManyTries: Outcome.REFUSED,
    Failed: Outcome.FAILED,
}


class Calls:
    """The calls of one process.

    Args:
        transport: by which they come, `http` or `stdio`.
        limit_s: how long one may take.
        recheck_every_s: how often the right to it is looked at while it runs.
    """

    def __init__(self, transport: str, limit_s: float = LIMIT_S, recheck_every_s: float = RECHECK_EVERY_S) -> None:
        self._transport = transport
        self._limit_s, self._recheck_every_s = limit_s, recheck_every_s
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="mcp-read")
        self._askers = ThreadPoolExecutor(ASKS_AT_ONCE, thread_name_prefix="mcp-ask")
        self._reading = 0
        self._asking: Counter[int] = Counter()
        self._waiting: set[_News] = set()
        self._is_leaving = False

    async def run(
        self,
        tool: str,
        caller: Caller,
        work: Callable[[Tell], Result],
        report: Report,
        asks: Rule | None = None,
    ) -> Result:
        """Do what was asked for. Raises `Refused`, `TooManyTries`, `Failed`.

        Args:
            tool: its name.
            caller: who asks.
            work: blocks; what it raises besides `Refused` and `TooManyTries` is a failure of ours.
            report: is told how it goes.
            asks: the rule by which a model may be asked, for a tool that does.
        """
        if self._is_leaving:
            raise Leaving(LEAVING)
        number = await self.in_reader(partial(_as_ours, partial(self._begin, caller, tool)))
        began_s, outcome = time.monotonic(), Outcome.LEFT
        try:
            result = await self._done(caller, work, report, asks)
            outcome = Outcome.DONE
            return result
        except (Refused, TooManyTries, Failed) as error:
            outcome = next(outcome for kind, outcome in OUTCOMES.items() if isinstance(error, kind))
            raise
        finally:
            duration_ms = round((time.monotonic() - began_s) * 1000)
            end = self.in_reader(partial(tool_calls.end, number, caller, tool, outcome, duration_ms))
            await asyncio.shield(asyncio.ensure_future(end))

    async def in_reader(self, work: Callable[[], Result]) -> Result:
        """Do something short with the database."""
        return await database_sync_to_async(work, thread_sensitive=False, executor=self._readers)()

    def leave(self) -> None:
        """Nothing more is asked for, and what is under way is given up: whoever waits for it is told so at once."""
        self._is_leaving = True
        for news in self._waiting:
            news.changed.set()

    def close(self) -> None:
        """The same, with its threads; to be called last. Waits for none of them."""
        self.leave()
        self._readers.shutdown(wait=False)
        self._askers.shutdown(wait=False, cancel_futures=True)

    def _begin(self, caller: Caller, tool: str) -> int:
        """What is asked for too often is not noted here, or there would be a row for each: it is in `Throttle`."""
        throttle_rows.take(MCP_CALLS, {Scope.ACCOUNT: str(caller.user.pk)}, caller.user)
        return tool_calls.begin(caller, self._transport, tool)

    async def _done(self, caller: Caller, work: Callable[[Tell], Result], report: Report, asks: Rule | None) -> Result:
        if asks is None:
            return await self._read(caller, work, report)
        self._refuse_if_many_ask(caller.user.pk)
        await self.in_reader(partial(throttle_rows.take, asks, {Scope.ACCOUNT: str(caller.user.pk)}, caller.user))
        self._refuse_if_many_ask(caller.user.pk)
        self._asking[caller.user.pk] += 1
        return await self._watched(caller, work, report, self._askers, partial(self._asked, caller.user.pk))

    async def _read(self, caller: Caller, work: Callable[[Tell], Result], report: Report) -> Result:
        if self._reading >= READS_AT_ONCE:
            raise Refused("Too much is asked for at the same time. Try again in a moment.")
        self._reading += 1
        return await self._watched(caller, work, report, self._readers, self._has_read)

    def _refuse_if_many_ask(self, user_id: int) -> None:
        if self._asking[user_id] >= ASKS_AT_ONCE_OF_A_USER:
            raise Refused(
                f"{ASKS_AT_ONCE_OF_A_USER} of your questions are being answered already. Wait for one of them."
            )
        if self._asking.total() >= ASKS_AT_ONCE:
            raise Refused("The server answers as many questions as it can at the moment. Try again in a minute.")

    def _asked(self, user_id: int) -> None:
        self._asking[user_id] -= 1
        if not self._asking[user_id]:
            del self._asking[user_id]

    def _has_read(self) -> None:
        self._reading -= 1

    async def _watched(
        self,
        caller: Caller,
        work: Callable[[Tell], Result],
        report: Report,
        threads: ThreadPoolExecutor,
        over: Callable[[], None],
    ) -> Result:
        """Wait for work in a thread. That goes on behind a call that was given up until it next says something; its
        place is free when it has ended."""
        given_up, news = threading.Event(), _News(asyncio.get_running_loop())

        def tell(words: str) -> None:
            if given_up.is_set():
                raise GivenUp
            news.tell(words)

        doing = asyncio.ensure_future(
            database_sync_to_async(_as_ours, thread_sensitive=False, executor=threads)(partial(work, tell))
        )
        doing.add_done_callback(lambda _: over())
        doing.add_done_callback(lambda _: news.changed.set())
        self._waiting.add(news)
        try:
            await self._wait(caller, doing, news, report)
            return doing.result()
        finally:
            self._waiting.discard(news)
            given_up.set()
            doing.add_done_callback(_pass_over)

    async def _wait(self, caller: Caller, doing: asyncio.Future[Any], news: _News, report: Report) -> None:
        """Until it is done. Raises `RightEnded`, `TookTooLong`, `Leaving`."""
        began_s = looked_s = time.monotonic()
        while not doing.done():
            await news.wait(self._recheck_every_s)
            if doing.done():
                return
            if self._is_leaving:
                raise Leaving(LEAVING)
            now_s = time.monotonic()
            if now_s - began_s >= self._limit_s:
                raise TookTooLong(f"This took longer than {self._limit_s:.0f} seconds, and was given up.")
            if now_s - looked_s >= self._recheck_every_s:
                looked_s = now_s
                await self.in_reader(partial(refuse_if_over, caller))
            await report(round(now_s - began_s, 3), news.words)


class _News:
    """What a thread says that it is at, for a loop to hear."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.words = ""
        self.changed = asyncio.Event()

    def tell(self, words: str) -> None:
        self._loop.call_soon_threadsafe(self._hear, words)

    def _hear(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self.changed.set()

    async def wait(self, seconds: float) -> None:
        """Until there is something new, but no longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
        self.changed.clear()


def refuse_if_over(caller: Caller) -> None:
    """Look whether somebody may still ask. Raises `RightEnded`."""
    if caller.key is not None:
        if not access_keys.still_counts(caller.key):
            raise RightEnded("Meanwhile the account was closed, or the access key revoked.")
    elif not User.objects.filter(pk=caller.user.pk, is_active=True).exists():
        raise RightEnded("Meanwhile the account was closed.")


def _as_ours(work: Callable[[], Result]) -> Result:
    """What is wrong here is told as such, and logged."""
    try:
        return work()
    except (Refused, TooManyTries, GivenUp):
        raise
    except Exception as error:
        logger.exception("a tool failed")
        raise Failed("Something went wrong here. The operator can look into it.") from error


def _pass_over(doing: asyncio.Future[Any]) -> None:
    """What came of a call that was given up interests nobody."""
    if not doing.cancelled():
        doing.exception()
