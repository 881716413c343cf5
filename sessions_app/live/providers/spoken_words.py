"""Words as transcripts give them: pure."""

from __future__ import annotations

import re
import unicodedata

from sessions_app.live.storable import storable

_SOUNDS = "noise|silence|music|laughter|applause|cough|breathing|inaudible|unintelligible|no speech"
_MARKER = re.compile(rf"\s*(?:[<\[](?:{_SOUNDS})[>\]]\s*)+", re.IGNORECASE)
"""How transcripts name sounds without words: `<noise>` is common on telephone lines, `[noise]` was seen as well."""


def words_in(text: str) -> str:
    """What was said, by a transcript; empty for a sound that is nobody's words."""
    text = storable(text)
    return _MARKER.sub(lambda marker: "" if marker.end() == len(text) else " ", text)


def as_sentence(text: str) -> str:
    """With the blank in front that fragments carry themselves; scripts without blanks between words need none."""
    follows_directly = not text[:1].isalnum() or unicodedata.east_asian_width(text[0]) in "WF"
    return text if follows_directly else f" {text}"
