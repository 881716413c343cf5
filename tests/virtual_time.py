"""An event loop whose clock stands still while there is work, and jumps to the next timer when there is none.

Half an hour of a silent user takes a millisecond, and nothing depends on how busy the machine is. Threads that the loop
started are waited for in real time: the clock does not jump while one of them works.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

START_S = 1_000.0
"""Not 0, which too many mistakes look like."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`asyncio.Runner(loop_factory=VirtualTimeLoop)`, or the hook `pytest_asyncio_loop_factories`."""

    def __init__(self) -> None:
        self._now_s = START_S
        self._threads_at_work = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now_s

    def jump(self, seconds: float) -> None:
        """Nothing is to be done for so long."""
        self._now_s += seconds

    @property
    def may_jump(self) -> bool:
        return self._threads_at_work == 0

    def run_in_executor(  # type: ignore[override]  # the stubs want variadic type arguments
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self._threads_at_work += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._note_thread_done)
        return future

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        self._threads_at_work += 1
        try:
            await super().shutdown_default_executor(*arguments)
        finally:
            self._threads_at_work -= 1

    def _note_thread_done(self, future: asyncio.Future[Any]) -> None:
        self._threads_at_work -= 1


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; if nothing is, the wait that was asked for passes at once."""
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if not self._loop.may_jump:
            ready = super().select(None)
        elif timeout is None:
            raise RuntimeError("everybody waits for something that will never happen")
        else:
            self._loop.jump(timeout)
        return ready
