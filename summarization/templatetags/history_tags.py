"""What templates show of the history, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from energy.days import time_in_words
from sessions_app.numbers import in_digits
from sessions_app.usage import in_dollars
from summarization import earlier_call, history
from summarization.lengths import duration_words, length_words
from summarization.passages import Piece, marked
from summarization.record import Line, Record

register = template.Library()
register.filter("duration_words", duration_words)
register.filter("talk_length", length_words)
register.filter("in_dollars", in_dollars)
register.filter("thousands", in_digits)

_MARK = "<mark>{}</mark>"


@register.filter
def with_marks(pieces: Iterable[Piece]) -> SafeString:
    """A passage, with what was found in it marked."""
    return mark_safe("".join(format_html(_MARK if piece.is_hit else "{}", piece.text) for piece in pieces))  # noqa: S308


@register.filter
def marking(text: str, words: Iterable[str]) -> SafeString:
    """A text with every hit of folded words marked."""
    return with_marks(marked(text, words))


@register.filter
def with_clock(line: Line) -> str:
    """The text of a line; the moment that it names can be shown by the reader's own clock."""
    words = time_in_words(line.until, line.at, settings.TIME_ZONE)
    before, named, after = line.heard_text.partition(words)
    if line.until is None or not named:
        return line.heard_text
    time = '<time datetime="{}" data-local-time="minute">{}</time>'
    return format_html("{}" + time + "{}", before, line.until.isoformat(), words, after)


@register.filter
def about_words(line: Line, record: Record) -> str:
    """The names of the recordings that a line is about."""
    return ", ".join(line.names_of_recordings(record.recording_names))


@register.simple_tag
def offered_call(user: User) -> earlier_call.OfferedCall | None:
    """The call that a new one may go on from."""
    return earlier_call.offered_to(user)


@register.simple_tag
def left_call(user: User) -> earlier_call.LeftCall | None:
    """The call that was left in the midst of it, or is open."""
    return earlier_call.left_by(user)


@register.simple_tag
def recent_conversations(user: User, count: int) -> list[history.Entry]:
    """The conversations of a user that were used last."""
    return history.recent(user, count)
