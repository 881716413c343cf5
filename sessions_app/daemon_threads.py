"""Blocking work beside the event loop that may take minutes, and that a process which ends does not wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.db import connections

R = TypeVar("R")


async def in_daemon_thread(job: Callable[[], R], name: str) -> R:
    """What `job` gives or raises, from a thread of its own, which goes on when nobody waits for it any more.

    Threads of an executor would be joined at the end of the process, however long their work takes.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def run() -> None:
        try:
            result = job()
        except Exception as error:
            _tell(loop, done, partial(done.set_exception, error))
        else:
            _tell(loop, done, partial(done.set_result, result))
        finally:
            connections.close_all()

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[R], end: Callable[[], object]) -> None:
    def tell() -> None:
        if not done.done():
            end()

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # the loop has ended meanwhile
        return
