"""What of the settings every page goes by: its colours, and how calls and chats begin."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sessions_app.user_settings.service import kept_without_persona
from sessions_app.user_settings.terms import UserSettings


def appearance(request: HttpRequest) -> dict[str, Any]:
    """For templates: `appearance`, the settings of whoever looks; nothing is read before somebody asks."""
    return {"appearance": SimpleLazyObject(lambda: _settings_for(request))}


def _settings_for(request: HttpRequest) -> UserSettings:
    user = getattr(request, "user", None)
    return kept_without_persona(user.pk).settings if user is not None and user.is_authenticated else UserSettings()
