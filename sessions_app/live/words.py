"""What people read of what is decided below. It is kept in English, and translated where it goes out to a reader."""

from __future__ import annotations


def gettext_noop(sentence: str) -> str:
    """Marks a sentence for translation, as Django's function of this name does, which nothing here knows."""
    return sentence
