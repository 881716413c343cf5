"""What ends a right to be here is told to all workers, so that nobody waits for their next look at the rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from sessions_app.gateway.authority import digest_of
from sessions_app.gateway.worker_channel import tell_of_account, tell_of_log_out

MATTERS = frozenset({"password", "is_active"})


@receiver(user_logged_out)
def _logged_out(sender: Any, request: Any, **signal: Any) -> None:
    key = getattr(request, "session", None) and request.session.session_key
    if key:
        _tell(partial(tell_of_log_out, digest_of(key)))


@receiver(post_save, sender=User)
def _account_saved(sender: Any, created: bool, update_fields: frozenset[str] | None, **signal: Any) -> None:
    if not created and (update_fields is None or MATTERS & update_fields):
        transaction.on_commit(partial(_tell, tell_of_account))


@receiver(post_delete, sender=User)
def _account_deleted(sender: Any, **signal: Any) -> None:
    transaction.on_commit(partial(_tell, tell_of_account))


def _tell(tell: Callable[[], bool]) -> None:
    """Workers that are not told look for themselves; on an event loop nobody waits for the channel layer."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        tell()
