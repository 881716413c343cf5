"""What happens to a conversation and when: random, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

Kind = Literal["go_away", "cut", "dead_handle", "close", "stall", "black_hole", "forget", "tear", "freeze"]

KINDS: dict[Kind, float] = {
    "go_away": 36,
    "cut": 24,
    "dead_handle": 8,
    "close": 8,
    "stall": 5,
    "black_hole": 1,
    "forget": 3,
    "tear": 12,
    "freeze": 3,
}
"""How often each kind of trouble comes, in parts of their sum."""

REDIALS: dict[Kind, int] = {"cut": 1, "dead_handle": 2, "close": 1, "black_hole": 1, "forget": 2, "stall": 1}
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
AT_ONCE = 0.15
"""Share of troubles that do not wait until the one before is over."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`pause_s` after the trouble before, when that is over (`waits`) or not."""

    kind: Kind
    pause_s: float
    waits: bool
    params: dict[str, Any] = field(default_factory=dict)


def troubles(seed: int, conversation: int, redials: int) -> Iterator[Trouble]:
    """Trouble without end for one conversation; what costs unplanned redials ends with the `redials` there are."""
    random = Random(f"{seed}/{conversation}")
    while True:
        kinds = [kind for kind in KINDS if REDIALS.get(kind, 0) <= redials]
        (kind,) = random.choices(kinds, [KINDS[kind] for kind in kinds])
        redials -= REDIALS.get(kind, 0)
        waits = random.random() > AT_ONCE
        pause_s = random.expovariate(1 / 1.5) if waits else random.uniform(0, 0.6)
        yield Trouble(kind, min(pause_s, 6.0), waits, _params_of(kind, random))


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
    return {}
