"""Channel layer, broker, those who do the background work, and whether it gets done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from celery import current_app
from django.conf import settings

from config.doctor.findings import Finding, failed, not_set, ok, warning
from config.health import ask_channel_layer
from config.metrics.rows import read_rows
from sessions_app.lines import living_workers

ALONE = "REDIS_URL, so one web process does everything in memory"
ANSWER_LIMIT_S = 10
WORKERS_ANSWER_WITHIN_S = 3
"""All of it is waited for: nobody knows how many there are."""

OVERDUE_S = 180
"""As in the alert of `deploy/monitoring`."""

REDIS = "See that REDIS_URL is right and Valkey or Redis runs: 'Redis is down' in docs/operations.md."


def layer() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield not_set(ALONE)
        return
    try:
        asyncio.run(asyncio.wait_for(ask_channel_layer(), ANSWER_LIMIT_S))
    except Exception as error:
        yield failed(f"no message comes through: {type(error).__name__}", REDIS)
        return
    yield ok("a message there and back")


def broker() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield not_set(ALONE)
        return
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=ANSWER_LIMIT_S)
    except Exception as error:
        yield failed(f"does not answer: {type(error).__name__}", REDIS)
        return
    yield ok("answers")


def worker() -> Iterator[Finding]:
    """Those of Celery, and whether each queue has somebody who takes from it."""
    if not settings.REDIS_URL:
        yield not_set(ALONE)
        return
    queues = current_app.control.inspect(timeout=WORKERS_ANSWER_WITHIN_S).active_queues() or {}
    if not queues:
        yield failed("none answers", "Start one (holdline-worker, or ./run worker): summaries wait for it.")
        return
    taken = {queue["name"] for of_one in queues.values() for queue in of_one}
    if missing := sorted({settings.LONG_QUEUE, settings.SHORT_QUEUE} - taken):
        yield warning(f"nobody takes from {', '.join(missing)}", "Start a worker with these --queues as well.")
        return
    yield ok(f"{', '.join(sorted(queues))} take from all queues")


def web() -> Iterator[Finding]:
    """By their heartbeats."""
    names = sorted(living_workers().values_list("name", flat=True))
    if names:
        yield ok(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} alive")
    else:
        yield warning("no process is alive", "Start one, if it should be: holdline-web, or ./run.")


def summaries() -> Iterator[Finding]:
    """Whether what is due gets taken. It is the only trace of a beat: it sends workers what they were not told of."""
    overdue = [work.overdue for work in read_rows().summaries.values()]
    count, longest_s = sum(each.count for each in overdue), max(each.longest_s for each in overdue)
    if longest_s > OVERDUE_S:
        advice = "See that a worker and a beat run, or without REDIS_URL a web process, and that it has a hand free."
        yield warning(f"{count} wait to be written, the first for {longest_s / 60:.0f} minutes", advice)
    else:
        yield ok("none waits for long")
