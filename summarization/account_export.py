"""What is kept of somebody, to be handed to them: the account, then one conversation after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from sessions_app.models import Conversation, UserSettings
from sessions_app.recordings.service import conversation_ids_of, recordings_of
from sessions_app.user_settings.service import chosen_in, settings_for
from summarization import export, history

FORMAT = "holdline.account"
VERSION = 1


def parts_of(user: User) -> Iterator[dict[str, Any]]:
    """The account with what hangs on it alone, then each conversation as `export.as_data` has it, oldest first.

    Plain values for JSON; times are `datetime`. Left out is what lets somebody in or on: password, keys of sessions,
    handles, tokens themselves.
    """
    yield {
        "format": FORMAT,
        "version": VERSION,
        "username": user.get_username(),
        "email": user.email,
        "name": user.get_full_name(),
        "made_at": user.date_joined,
        "last_log_in_at": user.last_login,
        "settings": _settings_of(user),
        "browsers": _rows(user.browser_sessions.all(), "browser", "logged_in_at", "seen_at"),
        "access_keys": _rows(user.access_keys.all(), "name", "use", "made_at", "last_used_at"),
        "tool_calls": _rows(
            user.tool_calls.order_by("at"), "at", "key_name", "transport", "tool", "outcome", "duration_ms"
        ),
        "tokens": _rows(
            user.ephemeral_tokens.exclude(name="").order_by("made_at"),
            *("name", "model", "asked", "uses", "made_at", "new_session_expire_time", "expire_time", "forgotten_at"),
        ),
        "levels": _rows(user.energy_states.all(), "mode", "level", "changed_at"),
        "recordings": _recordings_of(user),
        "level_changes": _rows(
            user.energy_changes.order_by("at"),
            *("mode", "previous", "level", "model", "reason", "at", "resets_at", "conversation_id", "detail"),
        ),
    }
    conversations = Conversation.objects.filter(user=user).order_by("started_at")
    for id in conversations.values_list("pk", flat=True).iterator():
        yield export.as_data(history.read(user, id))


def _settings_of(user: User) -> dict[str, Any] | None:
    """What counts for them, what they have chosen themselves (the operator may hold that fast since), what they had
    chosen before, and when that was; None where they never saved any."""
    row = UserSettings.objects.filter(pk=user.pk).first()
    if row is None:
        return None
    chosen = {"chosen": chosen_in(row), "chosen_before": row.previous, "saved_at": row.saved_at}
    return asdict(settings_for(user.pk)) | chosen


def _recordings_of(user: User) -> list[dict[str, Any]]:
    """The facts of each, with the conversations that it is attached to. The sounds are files: `docs/operations.md`."""
    rows = list(recordings_of(user).defer(None).defer("peaks").order_by("created_at"))
    conversations = conversation_ids_of(user)
    return [
        {
            "id": row.pk,
            "name": row.name,
            "sha256": row.sha256,
            "size_bytes": row.size_bytes,
            "media_type": row.media_type,
            "duration_ms": row.duration_ms,
            "created_at": row.created_at,
            "file": row.file.name,
            "conversations": conversations.get(row.pk, []),
            "title": row.work.title if hasattr(row, "work") else "",
            "summary": row.work.summary if hasattr(row, "work") else "",
            "transcript": row.work.segments if hasattr(row, "work") else [],
        }
        for row in rows
    ]


def _rows(rows: QuerySet[Any], *names: str) -> list[dict[str, Any]]:
    return list(rows.values(*names))
