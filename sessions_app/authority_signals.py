"""What ends a right to be here is told to all workers, so that nobody waits for their next look at the rows."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from energy.announcements import tell_workers

LOGGED_OUT_TYPE = "authority.logged_out"
"""With `session`, the digest of a browser's session: nothing may stay that it let in."""

ACCOUNT_CHANGED_TYPE = "authority.account_changed"
"""Somebody may have lost a right: it is time to look at the rows."""

MATTERS = frozenset({"password", "is_active"})


def digest_of(session_key: str) -> str:
    """By what a browser's session is called where others can read it: whoever has its key is logged in."""
    return hashlib.sha256(session_key.encode()).hexdigest()


@receiver(user_logged_out)
def _logged_out(sender: Any, request: Any, **signal: Any) -> None:
    session = getattr(request, "session", None)
    if session is not None and session.session_key:
        _tell({"type": LOGGED_OUT_TYPE, "session": digest_of(session.session_key)})


def tell_that_rights_may_have_ended() -> None:
    """Have all workers look at the rows: an account has changed, or sessions of browsers were ended."""
    _tell({"type": ACCOUNT_CHANGED_TYPE})


@receiver(post_save, sender=User)
def _account_saved(sender: Any, created: bool, update_fields: frozenset[str] | None, **signal: Any) -> None:
    if not created and (update_fields is None or MATTERS & update_fields):
        transaction.on_commit(tell_that_rights_may_have_ended)


@receiver(post_delete, sender=User)
def _account_deleted(sender: Any, **signal: Any) -> None:
    transaction.on_commit(tell_that_rights_may_have_ended)


def _tell(message: dict[str, str]) -> None:
    """On an event loop nobody waits for the channel layer: workers that are not told look for themselves."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        async_to_sync(tell_workers)(message)
