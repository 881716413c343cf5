"""An answer as it streams in: the user's words and the model's, told apart.

A request with sound in it asks for a JSON object of two strings, what was heard and the answer, in this order, so that
the user's words are whole before the answer begins. A model that was not made to write JSON may turn them round, leave
one out, or write JSON that is none: nobody is to hear that read aloud.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from sessions_app.live.storable import storable

HEARD, ANSWER = "heard", "answer"

_JSON_BEGINS = ("", "{", "[", "`", "\ufeff")
"""What JSON may begin with, with something around it: a list, a fence of Markdown, a mark of the encoding."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPABLE = '"\\/bfnrtu'


@dataclass(frozen=True, slots=True)
class Progress:
    """What a piece has brought. `heard`: all of the user's words, once they are known. `words`: more of the answer."""

    heard: str | None = None
    words: str = ""


class AnswerReader:
    """Reads one answer, piece by piece.

    Args:
        is_structured: it was asked for as JSON.
    """

    def __init__(self, *, is_structured: bool) -> None:
        self.heard: str | None = None
        self.answer = ""
        self._raw = ""
        self._is_plain = not is_structured
        self._is_structured = is_structured

    @property
    def has_ignored_the_schema(self) -> bool:
        """The model did not give what was asked for: what the user said is not known."""
        return self._is_structured and self.heard is None

    def take(self, text: str) -> Progress:
        """The next piece of what came."""
        self._raw += text
        if not self._is_plain:
            self._is_plain = self._raw.lstrip()[:1] not in _JSON_BEGINS
        if self._is_plain:
            return self._grown(self._raw)
        return self._read(self._parsed(), is_over=False)

    def end(self) -> Progress:
        """Nothing more comes."""
        if self._is_plain:
            return Progress()
        parsed = self._parsed()
        if parsed is None:
            parsed = _mended(self._raw)
        if parsed is None:
            self._is_plain = True
            return self._grown(self._raw)
        return self._read(parsed, is_over=True)

    def _parsed(self) -> dict[str, Any] | None:
        """The object as far as it came, without what a string of it ends with in the middle of an escape."""
        brace = self._raw.find("{")  # some models put a fence of Markdown around their JSON
        if brace < 0:
            return None
        try:
            parsed = from_json(self._raw[brace:], allow_partial="trailing-strings")
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) else None

    def _read(self, parsed: dict[str, Any] | None, *, is_over: bool) -> Progress:
        if parsed is None:
            return Progress()
        heard = None
        if self.heard is None and (is_over or next(reversed(parsed), HEARD) != HEARD):
            heard = self.heard = _text(parsed.get(HEARD))
        return Progress(heard, self._grown(_text(parsed.get(ANSWER)) or "").words)

    def _grown(self, answer: str) -> Progress:
        """What was shown stays; nothing is taken back. Blanks alone are no answer."""
        if not answer.strip() or not answer.startswith(self.answer):
            return Progress()
        words = answer[len(self.answer) :]
        self.answer = answer
        return Progress(None, words)


def _mended(raw: str) -> dict[str, Any] | None:
    """The object in what is nearly JSON: with lines broken, with marks escaped that need not be, or halves of
    surrogate pairs in its strings."""
    escaped = _ESCAPE.sub(lambda found: found[0] if found[1] in _ESCAPABLE else found[1], raw[max(raw.find("{"), 0) :])
    try:
        parsed, _ = json.JSONDecoder(strict=False).raw_decode(escaped)
    except ValueError:
        return None
    if not isinstance(parsed, dict) or not {HEARD, ANSWER} & parsed.keys():
        return None
    return {name: storable(value) for name, value in parsed.items() if isinstance(value, str)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
