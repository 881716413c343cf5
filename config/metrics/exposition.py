"""Answers a scrape: in bounded time, whoever else is away, and without holding up the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from config.metrics.rows import Rows, read_rows
from config.metrics.scraped import Standing, StandingCollector
from sessions_app.gateway.session_registry import SessionRegistry

logger = logging.getLogger(__name__)

KEPT_S = 5.0
"""Several who scrape, or one who does so without a pause, cost the database no more than one."""

ANSWER_LIMIT_S = 2.0
"""Longer nobody waits for the database or the channel layer: Prometheus gives a scrape 10 s."""


class Exposition:
    """Composes what a scrape is given.

    Args:
        figures: the registry of the figures that count.
        sessions: what this process holds.
        ask_channel_layer: raises, or does not come back, when the channel layer does not answer.
        read: reads the rows; called in a thread of its own, one call at a time.
    """

    def __init__(
        self,
        figures: CollectorRegistry,
        sessions: SessionRegistry,
        ask_channel_layer: Callable[[], Awaitable[None]],
        read: Callable[[], Rows] = read_rows,
    ) -> None:
        self._figures = figures
        self._sessions = sessions
        self._ask_channel_layer = ask_channel_layer
        self._read = read
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._reading: asyncio.Future[Rows] | None = None
        self._kept: tuple[float, Rows | None, bool] | None = None

    async def answer(self, accept: str) -> tuple[bytes, str]:
        """All figures as text, and its content type, as the header `Accept` asks for it."""
        rows, channel_layer_answers = await self._ask_others()
        standing = Standing(
            self._sessions.standing(),
            self._sessions.open_pages,
            self._sessions.is_draining,
            rows,
            channel_layer_answers,
        )
        return await asyncio.to_thread(_encode, self._figures, standing, accept)

    async def _ask_others(self) -> tuple[Rows | None, bool]:
        now_s = time.monotonic()
        if self._kept is None or now_s - self._kept[0] >= KEPT_S:
            rows, answers = await asyncio.gather(self._rows(), self._channel_layer_answers())
            self._kept = now_s, rows, answers
        return self._kept[1:]

    async def _rows(self) -> Rows | None:
        """None when they cannot be read in time. Who is still being waited for is not asked a second time."""
        if self._reading is None or self._reading.done():  # what came too late says how things stood long ago
            self._reading = asyncio.get_running_loop().run_in_executor(self._executor, self._read_and_close)
        reading = self._reading
        await asyncio.wait({reading}, timeout=ANSWER_LIMIT_S)
        if not reading.done():
            return None
        if error := reading.exception():
            logger.warning("the rows cannot be read for a scrape: %s", type(error).__name__)
            return None
        return reading.result()

    def _read_and_close(self) -> Rows:
        try:
            return self._read()
        finally:
            connections.close_all()  # this thread's own, back to the pool

    async def _channel_layer_answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await self._ask_channel_layer()
        except Exception as error:
            logger.warning("the channel layer does not answer for a scrape: %s", type(error).__name__)
            return False
        return True


def _encode(figures: CollectorRegistry, standing: Standing, accept: str) -> tuple[bytes, str]:
    """In a thread: it takes some milliseconds, in which sound would wait."""
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:  # the library compares versions that are no numbers
        encode, content_type = choose_encoder("")
    return encode(_Both(figures, standing)), content_type


class _Both(Collector):
    """The figures that count, and how things stand."""

    def __init__(self, figures: CollectorRegistry, standing: Standing) -> None:
        self._figures = figures
        self._standing = standing

    def collect(self) -> Iterable[Metric]:
        yield from self._figures.collect()
        yield from StandingCollector(self._standing).collect()
