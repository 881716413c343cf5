"""What the lobby of a call shows of what a call would be like, in words."""

from __future__ import annotations

from django import template

from energy.levels import Mode, Word
from energy.notices import LEVEL_WORDS
from energy.outlook import next_level
from sessions_app.user_settings.terms import LANGUAGES

register = template.Library()


@register.filter
def spoken_language(code: str) -> str:
    """The name of a language that calls can be held in; empty for the one that follows the user. (`language_name` is
    one of Django's own filters.)"""
    return LANGUAGES.get(code, "")


@register.simple_tag
def call_energy() -> str:
    """The word of the level that a call would begin with."""
    return str(LEVEL_WORDS[Word(next_level(Mode.CALL).word)])
