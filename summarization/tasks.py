"""Celery's tasks: an id in, one call of a service. Each may be run twice, and by two workers at once.

Each has two limits of time: at the first its work is broken off and ends in order, at the second its process is killed.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from sessions_app import cleanup as sessions_cleanup
from sessions_app import throttle_rows, tool_calls
from sessions_app.model_check import warn_of_models
from sessions_app.recordings import cleanup as recordings_cleanup
from sessions_app.recordings.google_files import NotThere, audio_files
from sessions_app.services import purge_expired_handles as purge_handles
from summarization import cleanup, queue, recordings, rolling, search_entries, services
from summarization.attempts import LONGEST_ROLLING_WORK_S, LONGEST_WORK_S

logger = logging.getLogger(__name__)

END_IN_ORDER_S = 20
"""Between the two limits: for a failure to be noted in its row, with a database that is slow."""

QUICK_S = 60
QUICK_LIMIT_S = QUICK_S + END_IN_ORDER_S
DELETING_S = 300
DELETING_LIMIT_S = DELETING_S + END_IN_ORDER_S
"""In batches: what one run does not get done the next one does."""


@worker_ready.connect
def do_at_the_start_what_is_scheduled(**kwargs: Any) -> None:
    queue.send_what_is_scheduled()


@shared_task(name=queue.WRITE_SUMMARY, soft_time_limit=LONGEST_WORK_S - END_IN_ORDER_S, time_limit=LONGEST_WORK_S)
def write_summary(conversation_id: str) -> None:
    services.write_summary(uuid.UUID(conversation_id))


@shared_task(
    name=queue.WRITE_ROLLING_SUMMARY,
    soft_time_limit=LONGEST_ROLLING_WORK_S - END_IN_ORDER_S,
    time_limit=LONGEST_ROLLING_WORK_S,
)
def write_rolling_summary(conversation_id: str) -> None:
    rolling.write_rolling_summary(uuid.UUID(conversation_id))


@shared_task(
    name=queue.WRITE_RECORDING_WORK, soft_time_limit=LONGEST_WORK_S - END_IN_ORDER_S, time_limit=LONGEST_WORK_S
)
def write_recording_work(recording_id: str) -> None:
    recordings.write_recording_work(uuid.UUID(recording_id))


@shared_task(name=queue.DELETE_AT_GOOGLE, soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def delete_at_google(sha256: str) -> None:
    with suppress(NotThere):
        audio_files().delete_at_google(sha256)


@shared_task(name="summarization.purge_expired_files", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def purge_expired_files() -> None:
    with suppress(NotThere):
        audio_files().purge()


@shared_task(
    name="summarization.renew_files", soft_time_limit=LONGEST_WORK_S - END_IN_ORDER_S, time_limit=LONGEST_WORK_S
)
def renew_files() -> None:
    with suppress(NotThere):
        audio_files().renew_due()


@shared_task(name=queue.CLOSE_STALE_SESSIONS, soft_time_limit=QUICK_S, time_limit=QUICK_LIMIT_S)
def close_stale_sessions() -> None:
    closed = cleanup.close_stale_sessions()
    if closed:
        logger.info("cleaned up: %s", closed)


@shared_task(name="summarization.enqueue_due", soft_time_limit=QUICK_S, time_limit=QUICK_LIMIT_S)
def enqueue_due() -> None:
    cleanup.take_back_lost()
    services.enqueue_due()


@shared_task(name="summarization.purge_expired_handles", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def purge_expired_handles() -> None:
    purge_handles()


@shared_task(name="summarization.clear_ended_sessions", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def clear_ended_sessions() -> None:
    sessions_cleanup.clear_ended_sessions()


@shared_task(name="summarization.prune_history", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def prune_history() -> None:
    count = cleanup.prune_history(settings.HISTORY_DAYS) + cleanup.prune_as_wished()
    sounds = cleanup.prune_recordings(settings.HISTORY_DAYS) + recordings_cleanup.prune()
    if count or sounds:
        logger.info("pruned %d conversations, %d recordings and uploads", count, sounds)


@shared_task(name="summarization.check_left_recordings", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def check_left_recordings() -> None:
    recordings_cleanup.check_left()


@shared_task(name="summarization.prune_throttles", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def prune_throttles() -> None:
    throttle_rows.prune()
    tool_calls.prune()


@shared_task(name="summarization.fold_history", soft_time_limit=DELETING_S, time_limit=DELETING_LIMIT_S)
def fold_history() -> None:
    count = search_entries.write_missing()
    if count:
        logger.info("made %d conversations ready for the search", count)


@shared_task(name="summarization.check_models", soft_time_limit=QUICK_S, time_limit=QUICK_LIMIT_S)
def check_models() -> None:
    warn_of_models()
