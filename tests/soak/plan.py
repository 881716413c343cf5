"""What happens to a conversation and when: random, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

Kind = Literal[
    "go_away",
    "cut",
    "dead_handle",
    "close",
    "stall",
    "black_hole",
    "forget",
    "tear",
    "freeze",
    "lingering_session",
    "empty_turn",
    "refused_turn",
    "late_words",
    "undeclared_tool_call",
    "slow_thinking",
    "deaf_vad",
]

SWAPS: Mapping[Kind, float] = {
    "go_away": 36,
    "cut": 24,
    "dead_handle": 8,
    "close": 8,
    "stall": 5,
    "black_hole": 1,
    "forget": 3,
    "tear": 12,
    "freeze": 3,
    "lingering_session": 5,
}
"""How often each kind of trouble comes that takes a connection away, in parts of the sum of all."""

TURNS: Mapping[Kind, float] = {
    "empty_turn": 7,
    "refused_turn": 5,
    "late_words": 8,
    "undeclared_tool_call": 5,
}
"""The same of what is wrong with turns, on connections that live."""

WAITS: Mapping[Kind, float] = {"slow_thinking": 6, "deaf_vad": 8}
"""The same of what takes ten seconds and more, which is too long for a short soak."""

ALL: Mapping[Kind, float] = {**SWAPS, **TURNS, **WAITS}

TROUBLE_FOR: Mapping[str, Mapping[Kind, float]] = {
    "planned": {"go_away": 1},
    "cut": {"cut": 0.8, "lingering_session": 0.2},
    "closed": {"close": 1},
    "dead handle": {"dead_handle": 1},
    "silent": {"black_hole": 0.8, "stall": 0.2},
    "forgot": {"forget": 1},
}
"""What brings about the kinds of swap for which a line is at fault."""

CLIMATE: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("input_lag", {"lag_ms": 0, "up_to_ms": 200}),
    ("stream_end_ignored", {}),
    ("deaf_vad", {"share": 0.3}),
)
"""Faults that stand for every connection as long as there is trouble."""

CLIMATE_OF_LINES = tuple(fault for fault in CLIMATE if fault[0] != "deaf_vad")
"""The same where nothing but lines are at fault: what is not heard at once is waited for, which takes long."""

REDIALS: Mapping[Kind, int] = {
    "cut": 1,
    "dead_handle": 2,
    "close": 1,
    "black_hole": 1,
    "forget": 2,
    "stall": 1,
    "lingering_session": 1,
    "empty_turn": 1,
}
"""Unplanned redials that a kind costs at most; the product allows itself fifty an hour."""

TIMES_LEFT_S = (0, 0.5, 1, 2, 4, 6, 9.5, 12, 15)
TEXTS = (
    "aborted",
    "go away ignored",
    "deadline expired",
    "inference failed",
    "thread cancelled",
    "normal",
    "cancelled",
    "going away",
)
"""Of ordinary ends, after which a session can be resumed; more than a few errors in a row lead to another model."""

PHASES = ("generating", "speech", None, None)
REASONS = ("RESPONSE_REJECTED", "MALFORMED_FUNCTION_CALL")
THINKING_S = (3, 9, 12)
STATUS_EVERY_S = (None, 5)
AT_ONCE = 0.15
"""Share of troubles that do not wait until the one before is over."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`pause_s` after the trouble before, when that is over (`waits`) or not."""

    kind: Kind
    pause_s: float
    waits: bool
    params: dict[str, Any] = field(default_factory=dict)


def troubles(seed: int, conversation: int, redials: int, parts: Mapping[Kind, float]) -> Iterator[Trouble]:
    """Trouble for one conversation, of the kinds in `parts`; what costs unplanned redials ends with the
    `redials` there are, and all of it where each kind does."""
    random = Random(f"{seed}/{conversation}")
    while kinds := [kind for kind in parts if REDIALS.get(kind, 0) <= redials]:
        (kind,) = random.choices(kinds, [parts[kind] for kind in kinds])
        redials -= REDIALS.get(kind, 0)
        waits = random.random() > AT_ONCE
        pause_s = random.expovariate(1 / 1.5) if waits else random.uniform(0, 0.6)
        yield Trouble(kind, min(pause_s, 6.0), waits, _params_of(kind, random))


def trouble_for(lacking: Mapping[str, int]) -> dict[Kind, float]:
    """The kinds of trouble that bring about swaps of these kinds, as often as so many of each are lacking."""
    return {
        trouble: count * part
        for kind, count in lacking.items()
        if count > 0
        for trouble, part in TROUBLE_FOR[kind].items()
    }


def _params_of(kind: Kind, random: Random) -> dict[str, Any]:
    match kind:
        case "go_away":
            return {"time_left": f"{random.choice(TIMES_LEFT_S)}s"}
        case "cut":
            return {"when": random.choice(PHASES)}
        case "close":
            return {"text": random.choice(TEXTS)}
        case "stall":
            return {"for_s": round(random.uniform(0.8, 3.5), 2)}
        case "tear":
            return {"away_s": round(random.uniform(0, 5), 2)}
        case "freeze":
            return {"for_s": round(random.uniform(0.3, 3), 2), "torn": random.random() < 0.5}
        case "lingering_session":
            return {"linger_s": round(random.uniform(0.3, 1.5), 2)}
        case "empty_turn":
            return {"count": random.choice((1, 1, 1, 2))}
        case "refused_turn":
            return {"count": 1, "reason": random.choice(REASONS)}
        case "late_words":
            side = random.choice(("input", "output", "both"))
            return {"count": 1, "side": side, "delay_s": round(random.uniform(0.1, 0.8), 2)}
        case "undeclared_tool_call":
            return {"count": 1}
        case "slow_thinking":
            every_s = random.choice(STATUS_EVERY_S)
            return {"count": 1, "delay_s": random.choice(THINKING_S), "status_every_s": every_s}
        case "deaf_vad":
            # Of any length, and when it is said again only where it is missed twice.
            return {"count": random.choice((1, 1, 2)), "share": 1, "under_s": 30}
    return {}
