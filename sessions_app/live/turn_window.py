"""As many turns as one message to a page may hold: pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sessions_app.live.transcript import Turn

TURNS_AT_ONCE = 200
BYTES_AT_ONCE = 512 * 1024
"""Half of what the strictest server lets through in one frame, as turns may have 32,000 characters each."""

_FIELDS_BYTES = 512
"""What a turn takes beside its text: the names of its fields, numbers, its time, and an id of 64 characters."""


@dataclass(frozen=True, slots=True)
class TurnWindow:
    """`turns` follow each other, oldest first. `more`: there are turns before them."""

    turns: tuple[Turn, ...] = ()
    more: bool = False


def newest_window(newest_first: Iterable[Turn]) -> TurnWindow:
    """The first of these turns that fit into one message: one at least, however long it is.

    No more is taken from the iterable than it needs to know that.
    """
    fitting: list[Turn] = []
    left_bytes = BYTES_AT_ONCE
    more = False
    for turn in newest_first:
        left_bytes -= _size_bytes(turn)
        if fitting and (left_bytes < 0 or len(fitting) == TURNS_AT_ONCE):
            more = True
            break
        fitting.append(turn)
    return TurnWindow(tuple(reversed(fitting)), more)


def _size_bytes(turn: Turn) -> int:
    """What the turn takes at most on the wire, where JSON leaves all characters but quotes and controls as they are."""
    return _FIELDS_BYTES + len(json.dumps(turn.text, ensure_ascii=False).encode(errors="surrogatepass"))
