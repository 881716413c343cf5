"""System checks of what live sessions need."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Warning as CheckWarning
from django.core.checks import register


@register()
def check_api_key(**kwargs: Any) -> list[CheckWarning]:
    """Without a key every page works but the conversation itself."""
    if settings.GEMINI_API_KEY:
        return []
    return [
        CheckWarning(
            "GEMINI_API_KEY is not set: no conversation can be opened.",
            hint="Set GEMINI_API_KEY, or start with ./run, which brings an emulator.",
            id="holdline.W301",
        )
    ]
