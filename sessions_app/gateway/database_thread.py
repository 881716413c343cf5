"""One thread that does the database work of live sessions, many small writes in one transaction.

Channels' own helper opens and closes a connection for every call, which at the rate of handles and turns is most of
what a call costs. Here a connection is kept while there is work, and what came up during one batch makes the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

CONNECTION_KEPT_S = 1.0

Job = Callable[[], Any]


@dataclass(slots=True)
class _Waiting:
    job: Job
    future: asyncio.Future[Any]


class DatabaseThread:
    """Runs jobs in order, in batches; a job that fails takes no other with it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="live-database")
        self._waiting: deque[_Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closing: asyncio.TimerHandle | None = None

    async def run(self, job: Job) -> Any:
        """Run `job` in the thread and give its result; what it raises is raised here.

        Where the loop ends, all tasks are cancelled, the worker with them, and some still ask for rows to tidy up.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(job, future))
        if self._worker is None or self._worker.done() or self._worker.cancelling():
            self._worker = asyncio.create_task(self._work(), name="live-database")
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closing is not None:
            self._closing.cancel()
        while self._waiting:
            batch = tuple(self._waiting)
            self._waiting.clear()
            results = await loop.run_in_executor(self._executor, _run_batch, [waiting.job for waiting in batch])
            for waiting, result in zip(batch, results, strict=True):
                _hand_over(waiting.future, result)
        self._closing = loop.call_later(CONNECTION_KEPT_S, self._executor.submit, connections.close_all)


def _hand_over(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():
        return  # nobody waits any more
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _run_batch(jobs: list[Job]) -> list[Any]:
    """The result of each job, or the exception it raised."""
    if len(jobs) > 1:
        try:
            with transaction.atomic():
                return [job() for job in jobs]
        except Exception:
            connections.close_all()  # one of them failed, or the connection did: each for itself
    return [_run_one(job) for job in jobs]


def _run_one(job: Job) -> Any:
    try:
        return job()
    except Exception as error:
        connections.close_all()
        return error
