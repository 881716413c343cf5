"""How background work gets to whoever does it: Celery's workers, or without a broker a thread of the web process.

Nothing here is waited for. A message that is lost, a broker that is dead, a process without the thread cost nothing
but time: what is wanted stands in a row, and `services.enqueue_due` finds it.
"""

from __future__ import annotations

import atexit
import datetime
import logging
import uuid
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

from sessions_app.background import BackgroundThread

logger = logging.getLogger(__name__)

DUE_AT_ONCE = 100
"""`services.enqueue_due` tells of so many rows of a kind at a time."""

CLEANUP_EVERY_S = 60.0
WRITE_SUMMARY = "summarization.write_summary"
WRITE_ROLLING_SUMMARY = "summarization.write_rolling_summary"
CLOSE_STALE_SESSIONS = "summarization.close_stale_sessions"
ENQUEUE_DUE = "summarization.enqueue_due"

PUBLISHING_LIMIT_S = 3.0
"""A process that ends waits so long for what it has not published yet."""

_NOW = datetime.timedelta(0)
_thread = BackgroundThread("background-work")


def _publish_what_is_left() -> None:
    if not _thread.flush(PUBLISHING_LIMIT_S):
        logger.warning("the process ends before everything was published: a cleanup will find the rest")


if not settings.TASKS_IN_PROCESS:
    atexit.register(_publish_what_is_left)


def enqueue(
    name: str, conversation_id: uuid.UUID, delay: datetime.timedelta = _NOW, *, is_repeated: bool = False
) -> None:
    """Have the task `name` done for a conversation once the transaction is committed.

    `is_repeated`: the message is void when the next cleanup sends another. Of what is due only after the next one
    nobody is told: a broker hands out again what a worker holds for long.
    """
    if delay.total_seconds() > CLEANUP_EVERY_S:
        return
    transaction.on_commit(partial(_hand_over, name, str(conversation_id), delay.total_seconds(), is_repeated))


def start_background_work() -> None:
    """To be called once by every web process, before it serves: clears up what a dead process left behind.

    Without a broker this also makes the process do the background work from now on, and run the periodic tasks.
    """
    current_app.loader.import_default_modules()
    if settings.TASKS_IN_PROCESS:
        for entry in settings.CELERY_BEAT_SCHEDULE.values():
            _thread.put(partial(_repeat, str(entry["task"]), float(entry["schedule"])))
    else:
        _thread.put(partial(_run, CLOSE_STALE_SESSIONS))


def send_for_cleanup() -> None:
    """To be called by every worker that is ready: what nobody took while there was none waits for no beat."""
    for name in (CLOSE_STALE_SESSIONS, ENQUEUE_DUE):
        _publish(name, (), expires_s=CLEANUP_EVERY_S)


def _hand_over(name: str, conversation_id: str, delay_s: float, is_repeated: bool) -> None:
    if not settings.TASKS_IN_PROCESS:
        expires_s = CLEANUP_EVERY_S if is_repeated else None
        _thread.put(partial(_publish, name, (conversation_id,), delay_s=delay_s, expires_s=expires_s))
    elif _thread.is_running:
        _thread.put(partial(_run, name, conversation_id), delay_s)


def _publish(name: str, arguments: tuple[str, ...], delay_s: float = 0.0, expires_s: float | None = None) -> None:
    try:
        current_app.send_task(name, arguments, countdown=delay_s or None, expires=expires_s)
    except Exception as error:  # whatever a broken broker makes its client raise
        logger.warning("%s was not published: %s", name, type(error).__name__)


def _run(name: str, *arguments: str) -> None:
    current_app.tasks[name](*arguments)


def _repeat(name: str, every_s: float) -> None:
    try:
        _run(name)
    finally:
        _thread.put(partial(_repeat, name, every_s), every_s)
