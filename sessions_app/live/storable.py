"""Text as every part of the way can hold it: pure."""

from __future__ import annotations


def storable(text: str) -> str:
    """Without the zero character, which PostgreSQL refuses, and without halves of surrogate pairs, which UTF-8 does.

    JSON may hold both, so both can come from a page and from a provider.
    """
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
