"""Marks words in pure modules, which know nothing of Django. They are kept in English, and translated on leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words: TypeAlias = str | _StrPromise
    """What people read: as it is, or as the function of Django that finds its translation for whoever reads it."""


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for translation, as Django's function of this name does, which nothing here knows."""
    return sentence
