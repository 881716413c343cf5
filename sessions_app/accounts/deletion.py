"""An account goes with everything of it.

On PostgreSQL a row that a live session stores meanwhile would belong to what is being deleted, and undo the deletion.
So the account is closed first, which ends its live sessions, and is deleted under locks that every such row has to wait
for; it is then refused, and the session that stored it gives up.
"""

from __future__ import annotations

import time

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError, OperationalError, transaction

from sessions_app import lines
from sessions_app.models import Conversation, LiveSession

LIVE_SESSIONS_END_WITHIN_S = 3.0
"""They end as soon as their worker looks at the rows, which is every two seconds. What has not ended by then is of a
worker that is gone, or waits for the locks."""

LOOK_EVERY_S = 0.1

TRIES = 3
"""A live session that stores something may hold one lock and want another, and the database then refuses one of us."""


class LastOperator(Exception):
    """Nobody would be left who can look after this server."""


def is_last_operator(user: User) -> bool:
    """Whether no other account could be given the rights that this one has."""
    return user.is_superuser and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists()


def delete_account(user: User) -> None:
    """End what a user has open, and delete the account with everything of it.

    To be called outside of a transaction. Raises `LastOperator`, and `DatabaseError` where it could not be deleted; the
    account is then as it was.
    """
    if is_last_operator(user):
        raise LastOperator
    _set_active(user, False)
    try:
        _await_end_of_live_sessions(user)
        remove(user.pk)
    except DatabaseError:
        _set_active(user, True)
        raise


def remove(user_id: int) -> None:
    """Delete the rows of an account, all or none. May be called within a transaction."""
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                _remove(user_id)
            return
        except OperationalError:
            if not tries_left:
                raise


def _remove(user_id: int) -> None:
    lines.lock_all(user_id)
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        return
    # Every row that may be added meanwhile belongs to the user or to one of these.
    list(Conversation.objects.select_for_update().filter(user=user).order_by("pk").values_list("pk", flat=True))
    Session.objects.filter(browser_session__user=user).delete()
    user.delete()


def _set_active(user: User, is_active: bool) -> None:
    user.is_active = is_active
    user.save(update_fields=["is_active"])


def _await_end_of_live_sessions(user: User) -> None:
    until_s = time.monotonic() + LIVE_SESSIONS_END_WITHIN_S
    while LiveSession.objects.filter(conversation__user=user, ended_at=None).exists():
        if time.monotonic() > until_s:
            return
        time.sleep(LOOK_EVERY_S)
