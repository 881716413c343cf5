"""What templates show of the history, in words."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import User

from sessions_app.usage import in_dollars
from summarization import earlier_call, history
from summarization.timeline import duration_words

register = template.Library()
register.filter("duration_words", duration_words)
register.filter("in_dollars", in_dollars)


@register.filter
def thousands(number: int) -> str:
    """Such as "12,345"."""
    return f"{number:,}"


@register.simple_tag
def offered_call(user: User) -> earlier_call.OfferedCall | None:
    """The call that a new one may go on from."""
    return earlier_call.offered_to(user)


@register.simple_tag
def recent_conversations(user: User, count: int) -> list[history.Entry]:
    """The conversations of a user that were used last."""
    return history.recent(user, count)
