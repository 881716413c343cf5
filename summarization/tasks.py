"""Celery's tasks: an id in, one call of a service. Each may be run twice, and by two workers at once."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from sessions_app import cleanup as sessions_cleanup
from sessions_app import throttle_rows
from sessions_app.services import purge_expired_handles as purge_handles
from summarization import cleanup, queue, rolling, services
from summarization.attempts import CLAIM_VALID

logger = logging.getLogger(__name__)

TIME_LIMIT_S = int(CLAIM_VALID.total_seconds())


@worker_ready.connect
def clean_up_at_the_start(**kwargs: Any) -> None:
    queue.send_for_cleanup()


@shared_task(name=queue.WRITE_SUMMARY, time_limit=TIME_LIMIT_S)
def write_summary(conversation_id: str) -> None:
    services.write_summary(uuid.UUID(conversation_id))


@shared_task(name=queue.WRITE_ROLLING_SUMMARY, time_limit=TIME_LIMIT_S)
def write_rolling_summary(conversation_id: str) -> None:
    rolling.write_rolling_summary(uuid.UUID(conversation_id))


@shared_task(name=queue.CLOSE_STALE_SESSIONS)
def close_stale_sessions() -> None:
    closed = cleanup.close_stale_sessions()
    if closed:
        logger.info("cleaned up: %s", closed)


@shared_task(name=queue.ENQUEUE_DUE)
def enqueue_due() -> None:
    services.enqueue_due()


@shared_task(name="summarization.purge_expired_handles")
def purge_expired_handles() -> None:
    purge_handles()


@shared_task(name="summarization.clear_ended_sessions")
def clear_ended_sessions() -> None:
    sessions_cleanup.clear_ended_sessions()


@shared_task(name="summarization.prune_history")
def prune_history() -> None:
    count = cleanup.prune_history(settings.HISTORY_DAYS)
    if count:
        logger.info("pruned %d conversations", count)


@shared_task(name="summarization.prune_throttles")
def prune_throttles() -> None:
    throttle_rows.prune()
