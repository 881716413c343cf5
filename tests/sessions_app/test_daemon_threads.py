"""Blocking work beside the event loop that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from sessions_app.daemon_threads import in_daemon_thread
from tests.services.processes import PATIENCE_S


def test_what_comes_of_the_work_is_given_or_raised() -> None:
    """A loop of virtual time knows nothing of this thread, and would not wait for it."""
    assert asyncio.run(in_daemon_thread(lambda: threading.current_thread().name, "work")) == "work"
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_daemon_thread(lambda: 1 // 0, "work"))


async def test_work_that_nobody_waits_for_goes_on_and_keeps_no_process_alive() -> None:
    may_end, has_ended = threading.Event(), threading.Event()

    def work() -> bool:
        may_end.wait(PATIENCE_S)
        has_ended.set()
        return threading.current_thread().daemon

    waiting = asyncio.create_task(in_daemon_thread(work, "work"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    may_end.set()
    assert await asyncio.to_thread(has_ended.wait, PATIENCE_S)
