"""Summaries of what was said, and questions that were asked in the place of others since."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from sessions_app.models import Turn


def tells_withdrawn() -> Exists:
    """Whether a summary, which has `conversation` and `until_turn`, tells of a question that was withdrawn since."""
    asked_since = Turn.objects.filter(
        conversation=OuterRef("conversation"), number__gt=OuterRef("until_turn"), replaces__lte=OuterRef("until_turn")
    )
    return Exists(asked_since)
