"""How background work gets to whoever does it: Celery's workers, or without a broker a thread of the web process.

Nothing here is waited for. A message that is lost, a broker that is dead, a process without the thread cost nothing
but time: what is wanted stands in a row, and `services.enqueue_due` finds it. Which queue a task goes to is a matter
of the settings (`CELERY_TASK_ROUTES`).
"""

from __future__ import annotations

import atexit
import datetime
import logging
import uuid
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction

from sessions_app.background import BackgroundThread
from sessions_app.models import RecordingWork
from summarization import claims
from summarization.models import CallHistory, RollingSummary

logger = logging.getLogger(__name__)

WAITING_LIMIT = 100
"""Messages about rows that are due are added up to so many that wait, however long nobody takes any."""

WRITE_SUMMARY = "summarization.write_summary"
WRITE_ROLLING_SUMMARY = "summarization.write_rolling_summary"
WRITE_RECORDING_WORK = "summarization.write_recording_work"
DELETE_AT_GOOGLE = "summarization.delete_at_google"
CLOSE_STALE_SESSIONS = "summarization.close_stale_sessions"

PUBLISHING_LIMIT_S = 3.0
"""A process that ends waits so long for what it has not published yet."""

_NOW = datetime.timedelta(0)
_thread = BackgroundThread("background-work")
_listening = BackgroundThread("recording-work")
"""Of a process without a broker: whoever listens to hours of sound keeps no summary waiting."""


def _publish_what_is_left() -> None:
    if not _thread.flush(PUBLISHING_LIMIT_S):
        logger.warning("the process ends before everything was published: a cleanup will find the rest")


def _let_go_of_what_is_in_hand() -> None:
    try:
        for model in (CallHistory, RollingSummary, RecordingWork):
            claims.let_go_of_own(model)
    except Exception as error:  # whatever an interpreter makes a database raise that is away while it ends
        logger.warning("the process ends with work in hand: %s", type(error).__name__)


if not settings.TASKS_IN_PROCESS:
    atexit.register(_publish_what_is_left)


def enqueue(name: str, about: uuid.UUID | str, delay: datetime.timedelta = _NOW) -> None:
    """Have the task `name` done for a conversation, a recording or a content once the transaction is committed.

    Of what is due only after the next cleanup nobody is told: that finds it, and a worker need not hold it until then.
    """
    if delay.total_seconds() > settings.DUE_EVERY_S:
        return
    transaction.on_commit(partial(_hand_over, name, str(about), delay.total_seconds()))


def room_for_model_calls() -> int:
    """How many more rows may be told of: 0 while enough messages wait already, or the broker is away."""
    if settings.TASKS_IN_PROCESS:
        return WAITING_LIMIT  # the thread that asks is the one that does the work: nothing due waits
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.default_channel  # the stubs know little of it
            waiting: int = channel.queue_declare(queue=settings.LONG_QUEUE).message_count
    except Exception as error:  # whatever a broken broker makes its client raise
        logger.warning("the broker does not say how much waits: %s", type(error).__name__)
        return 0
    return max(0, WAITING_LIMIT - waiting)


def start_background_work() -> None:
    """To be called once by every web process, before it serves: clears up what a dead process left behind.

    Without a broker this also makes the process do the background work from now on, and run the periodic tasks.
    """
    current_app.loader.import_default_modules()
    if settings.TASKS_IN_PROCESS:
        atexit.register(end_background_work)
        for entry in settings.CELERY_BEAT_SCHEDULE.values():
            _thread.put(partial(_repeat, str(entry["task"]), float(entry["schedule"])))
    else:
        _thread.put(partial(_run, CLOSE_STALE_SESSIONS))


def end_background_work() -> None:
    """To be called by a web process that is about to end, which uvicorn does without `atexit`. Takes a few seconds."""
    if settings.TASKS_IN_PROCESS:
        _let_go_of_what_is_in_hand()
    else:
        _publish_what_is_left()


def send_what_is_scheduled() -> None:
    """To be called by every worker that is ready: what was due while there was none waits for no beat.

    So a beat need not remember between its runs what it has sent.
    """
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        _publish(str(entry["task"]), (), **entry["options"])


def _hand_over(name: str, about: str, delay_s: float) -> None:
    if not settings.TASKS_IN_PROCESS:
        _thread.put(partial(_publish, name, (about,), countdown=delay_s or None))
    elif _thread.is_running:
        (_listening if name == WRITE_RECORDING_WORK else _thread).put(partial(_run, name, about), delay_s)


def _publish(name: str, arguments: tuple[str, ...], **options: Any) -> None:
    try:
        current_app.send_task(name, arguments, **options)
    except Exception as error:  # whatever a broken broker makes its client raise
        logger.warning("%s was not published: %s", name, type(error).__name__)


def _run(name: str, *arguments: str) -> None:
    current_app.tasks[name](*arguments)


def _repeat(name: str, every_s: float) -> None:
    try:
        _run(name)
    finally:
        _thread.put(partial(_repeat, name, every_s), every_s)
