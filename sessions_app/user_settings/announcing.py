"""That a user has saved settings, told to every worker: one of them may have a live session of theirs."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from energy.announcements import tell_workers

SETTINGS_CHANGED_TYPE = "settings.changed"


def tell_of_change(user_id: int) -> bool:
    """For synchronous code; False when nobody could be told. They find out within ten seconds, then."""
    return async_to_sync(tell_workers)({"type": SETTINGS_CHANGED_TYPE, "user": user_id})
