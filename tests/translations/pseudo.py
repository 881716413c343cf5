"""The pseudo-language, read by tests."""

from __future__ import annotations

MARKS = str.maketrans("", "", "\u200f\u202e\u202c")


def read(text: str) -> str:
    """The English words of it."""
    return text.translate(MARKS)


def is_turned(text: str) -> bool:
    return read(text) != text
