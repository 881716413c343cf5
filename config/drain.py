"""Leaving in good order: on SIGTERM or SIGINT the pages are sent away first, then the server stops as ever.

No ASGI server tells its sockets why it goes. Daphne drops them without a word (and CPython 3.11 before
3.11.8 crashes when it then finalises their pending futures, gh-113566); uvicorn closes them with a code of
its own. So the server's signal handlers are replaced once it runs: ours closes the pages' sockets with 4012,
puts the server's own handler back, and raises the signal again.

What bounds the way out: the pages have DRAIN_LIMIT_S, of which `registry.drain` takes 8 s at most. Then the server
stops as it does without us. Daphne cancels its applications and drops their sockets, and other tasks have
CANCEL_LIMIT_S; uvicorn waits for its applications as long as its `--timeout-graceful-shutdown` says, without it for
ever. A view that runs in a thread cannot be cancelled: what it waits for bounds it. Who cannot wait asks a second time,
which skips the pages, or kills.
"""

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)

DRAIN_LIMIT_S = 10
CANCEL_LIMIT_S = 2
SIGNALS = (signal.SIGTERM, signal.SIGINT)

SendAway = Callable[[], Awaitable[None]]
AtStart = Callable[[asyncio.AbstractEventLoop], None]


class Drain:
    """Stands between the signals and the server that handles them.

    Args:
        send_away: lets the pages go.
        at_start: called once, with the event loop, when the server runs.
        limit_s: how long the pages may take to go.
    """

    def __init__(
        self, send_away: SendAway, at_start: AtStart = lambda loop: None, limit_s: float = DRAIN_LIMIT_S
    ) -> None:
        self._send_away = send_away
        self._at_start = at_start
        self._limit_s = limit_s
        self._handlers: dict[int, Any] = {}
        self._task: asyncio.Task[None] | None = None

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the signals over. To be called by the running server, after it has installed its own handlers.

        Python allows signal handlers in the main thread only; a server in another thread (the development
        server with its reloader) is not drained. A signal that the server ignores is not taken over: a script starts
        what it puts into the background with SIGINT ignored, and Daphne leaves it at that. Its pages would be sent
        away, and it would stay without ever taking one again.
        """
        self._at_start(loop)
        if threading.current_thread() is not threading.main_thread():
            return
        self._loop = loop
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._task is not None:
            self._hand_back(number)  # asked twice: do not make them wait
        else:
            self._loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        if self._task is None:
            self._task = self._loop.create_task(self._drain(number), name="drain")

    async def _drain(self, number: int) -> None:
        logger.info("draining")
        try:
            async with asyncio.timeout(self._limit_s):
                await self._send_away()
        except TimeoutError:
            logger.warning("not everybody left in time")
        except Exception:
            logger.exception("draining failed")
        finally:
            self._hand_back(number)

    def _hand_back(self, number: int) -> None:
        for signal_number, handler in self._handlers.items():
            signal.signal(signal_number, handler)
        signal.raise_signal(number)


def install_with_daphne(drain: Drain) -> None:
    """Have Daphne install the drain once its reactor runs. Under other servers it never does."""
    if "daphne.server" not in sys.modules:
        return
    from twisted.internet import reactor as daphnes_reactor

    reactor: Any = daphnes_reactor

    def install() -> None:
        drain.install(reactor._asyncioEventloop)
        reactor.addSystemEventTrigger("before", "shutdown", _cancel_what_is_left)

    reactor.callWhenRunning(install)


def _cancel_what_is_left() -> "Deferred[None]":
    """End the tasks that outlived the drain while the loop still turns: finalising them later crashes."""
    from twisted.internet.defer import Deferred

    return Deferred.fromFuture(asyncio.ensure_future(_cancel_other_tasks()))


async def _cancel_other_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=CANCEL_LIMIT_S)


class Lifespan:
    """ASGI application for the `lifespan` scope of uvicorn and others: installs the drain at start-up.

    Args:
        drain: to be installed.
        prepare: called before the server listens, with the `receive` that it has given.
    """

    def __init__(self, drain: Drain, prepare: Callable[[Any], None]) -> None:
        self._drain = drain
        self._prepare = prepare

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._prepare(receive)
                self._drain.install(asyncio.get_running_loop())
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
