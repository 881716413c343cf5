"""The same work by several workers at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def side_by_side(work: Callable[[], Result], workers: int = 4) -> list[Result]:
    """What came of each, with a connection of its own; raises what one of them raised."""
    together = Barrier(workers)

    def begin_together() -> Result:
        try:
            together.wait()
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return [each.result() for each in [pool.submit(begin_together) for _ in range(workers)]]
