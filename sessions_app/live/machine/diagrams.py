"""The two transition tables as Mermaid state diagrams, for `docs/architecture.md`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sessions_app.live.machine.transitions import TRANSITIONS
from sessions_app.live.machine.turns import (
    TURNS,
)


def session_diagram() -> str:
    """What becomes of a live session."""
    return _diagram(TRANSITIONS, first="idle", last="ended")


def turn_diagram() -> str:
    """Who has the word in it."""
    return _diagram(TURNS, first="listening")


def _diagram(table: Mapping[Any, Mapping[Any, frozenset[Any]]], first: str, last: str = "") -> str:
    """Facts that lead back to the same state are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for state, row in table.items():
        reasons: dict[StrEnum, list[str]] = {}
        for fact, targets in row.items():
            for target in targets - {state}:
                reasons.setdefault(target, []).append(_words_of(fact))
        for target in sorted(reasons):
            lines.append(f"    {state} --> {target}: {', '.join(reasons[target])}")
    end = [f"    {last} --> [*]"] if last else []
    return "\n".join([*lines, *end, ""])


def _words_of(fact: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", fact.__name__).lower()
