"""A language for looking at pages that are written from right to left, made of the English words: pure."""

from __future__ import annotations

import re

from babel.messages.catalog import Catalog

_MARK, _OVERRIDE, _END = "\u200f", "\u202e", "\u202c"
_KEPT = re.compile(r"(%\([a-z_]+\)[sd]|%%|%[sd]|\{[a-z_]*\}|<[^>]*>|&[a-z]+;|https?://\S+|\s+)")
"""What is no word: placeholders, elements, entities, addresses, blanks."""


def turned_round(catalogue: Catalog) -> Catalog:
    """The same messages, each word of them shown from right to left; in which the English word can still be read."""
    pseudo = Catalog(locale="en")
    for message in catalogue:
        if not message.id:
            continue
        text = message.id
        turned = _turn(text) if isinstance(text, str) else tuple(map(_turn, text))
        pseudo.add(text, turned, context=message.context, flags=message.flags)
    return pseudo


def _turn(text: str) -> str:
    parts = _KEPT.split(text)
    return "".join(
        part if index % 2 or not part else f"{_MARK}{_OVERRIDE}{part}{_END}{_MARK}" for index, part in enumerate(parts)
    )
