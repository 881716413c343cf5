"""What templates show of recordings, in words."""

from __future__ import annotations

from django import template

from sessions_app.recordings.words import length_words, size_words, time_words

register = template.Library()
register.filter("size_words", size_words)
register.filter("length_words", length_words)
register.filter("time_words", time_words)


@register.filter
def listed(peaks: bytes) -> str:
    """For scripts that draw them: "12,255,0"."""
    return ",".join(map(str, bytes(peaks)))
