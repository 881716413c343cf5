"""Conversations reckoned through by `cache_rules`, and the table of `docs/decisions/context-cache.md`: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from sessions_app.live.providers.cache_rules import HOUR_S, CachePrices, is_worth_making, outlook_of

TURNS_SHOWN = (40, 100)
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """How a conversation goes. Each turn adds `turn_tokens`, those of the answer included, and asks `asked_tokens`."""

    instruction_tokens: int
    turn_tokens: int
    asked_tokens: int
    every_s: float


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What a conversation has cost up to a turn: sent in full, and with caches; and what the first of those held."""

    full_micro_usd: float
    micro_usd: float
    caches: int
    first_tokens: int

    @property
    def saved(self) -> float:
        """A share of what it costs in full; below 0 where caches cost more than they saved."""
        return 1 - self.micro_usd / self.full_micro_usd if self.full_micro_usd else 0.0


def reckon(prices: CachePrices, least_tokens: int, pace: Pace, turns: int, ttl_s: float = HOUR_S) -> list[Reckoning]:
    """What a conversation has cost after each turn, in dollars of the prices given, and without implicit caching.

    A cache is made behind a request, is there for the next one, and goes with the conversation. What the model writes
    costs the same either way and is left out.
    """
    course: list[Reckoning] = []
    full = cost = 0.0
    caches = first_tokens = held = 0
    for turn in range(turns):
        prefix = pace.instruction_tokens + turn * pace.turn_tokens
        full += (prefix + pace.asked_tokens) * prices.input
        cost += held * prices.cached + (prefix - held + pace.asked_tokens) * prices.input
        cost += held * prices.storage_hour * pace.every_s / HOUR_S
        outlook = outlook_of(turn + 1, turn * pace.every_s, turn * pace.turn_tokens, ttl_s)
        if is_worth_making(prices, least_tokens, prefix, held, outlook):
            cost += prefix * prices.input
            caches += 1
            first_tokens = first_tokens or prefix
            held = prefix
        course.append(Reckoning(full, cost, caches, first_tokens))
    return course


def pays_from_turn(course: list[Reckoning]) -> int | None:
    """The turn from which on it has always cost less than in full, counted from 1; None where it never does."""
    dear = [turn for turn, reckoning in enumerate(course, 1) if reckoning.micro_usd >= reckoning.full_micro_usd]
    last = dear[-1] if dear else 0
    return last + 1 if last < len(course) else None


def table(models: Iterable[tuple[str, CachePrices, int]], paces: Iterable[Pace]) -> str:
    """From which length a cache pays, as Markdown. A model is its name, its prices, and the least a cache may hold."""
    shown = " | ".join(f"{turns} turns" for turns in TURNS_SHOWN)
    lines = [
        f"| prices | a turn | one every | first cache | pays from | {shown} |",
        "| --- | ---: | ---: | ---: | ---: |" + " ---: |" * len(TURNS_SHOWN),
        *(_row(name, prices, least, pace) for (name, prices, least), pace in product(models, list(paces))),
    ]
    return "".join(f"{line}\n" for line in lines)


def _row(name: str, prices: CachePrices, least_tokens: int, pace: Pace) -> str:
    course = reckon(prices, least_tokens, pace, _LOOKED_AT)
    turn = pays_from_turn(course)
    first = f"{course[-1].first_tokens:,} tokens" if turn else "none"
    tokens = 0 if turn is None else pace.instruction_tokens + (turn - 1) * pace.turn_tokens
    pays = "never" if turn is None else f"turn {turn} ({tokens:,} tokens)"
    saved = " | ".join(f"{-course[turns - 1].saved:+.0%}" if turn else "0%" for turns in TURNS_SHOWN)
    return f"| {name} | {pace.turn_tokens} tokens | {pace.every_s:.0f} s | {first} | {pays} | {saved} |"
