"""One thread for what must not be waited for: bounded, in order of time, ended with the process."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from django.db import close_old_connections

logger = logging.getLogger(__name__)

Job = Callable[[], object]


class BackgroundThread:
    """Runs jobs one after the other; one that fails is logged.

    A job that finds the queue full is dropped, and so is what has not been done when the process ends.
    """

    def __init__(self, name: str, limit: int = 1_000) -> None:
        self._name = name
        self._limit = limit
        self._jobs: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_at_work = False

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def put(self, job: Job, delay_s: float = 0.0) -> None:
        """Run a job as soon as the thread is free, not before `delay_s` have passed. Returns at once."""
        with self._news:
            if len(self._jobs) >= self._limit:
                logger.warning("%s: the queue is full, a job is left out", self._name)
                return
            heapq.heappush(self._jobs, (time.monotonic() + delay_s, next(self._order), job))
            if not self.is_running:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._news.notify_all()

    def flush(self, limit_s: float) -> bool:
        """Wait until every job that is due has been run, but not longer than this; gives whether they have."""
        with self._news:
            return self._news.wait_for(lambda: not (self._is_at_work or self._has_due_job()), limit_s)

    def _work(self) -> None:
        while True:
            job = self._next()
            try:
                job()
            except Exception:
                logger.exception("%s: a job failed", self._name)
            finally:
                close_old_connections()
                with self._news:
                    self._is_at_work = False
                    self._news.notify_all()

    def _next(self) -> Job:
        """The next job that is due; waits for it."""
        with self._news:
            while not self._has_due_job():
                self._news.wait(max(0.0, self._jobs[0][0] - time.monotonic()) if self._jobs else None)
            self._is_at_work = True
            return heapq.heappop(self._jobs)[2]

    def _has_due_job(self) -> bool:
        return bool(self._jobs) and self._jobs[0][0] <= time.monotonic()
