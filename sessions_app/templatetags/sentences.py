"""For places in sentences that are translated."""

from __future__ import annotations

import datetime

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def shown_time(moment: datetime.datetime | None, style: str) -> SafeString:
    """A moment as `_parts/time.html` shows it: `{% shown_time moment "day" as began %}`. Nothing for none."""
    shown = render_to_string("_parts/time.html", {"moment": moment, "style": style}).strip() if moment else ""
    return mark_safe(shown)  # noqa: S308


@register.filter
def in_a_sentence(name: str) -> str:
    """A name that begins with a capital where it stands alone. English writes it small within a sentence; whether
    another language does depends on the word, so there it stays."""
    return str(name).lower() if get_language() in (None, "en") else name
