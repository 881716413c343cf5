"""What an explicit context cache is worth to a conversation in which each request sends all that was said: pure.

What a cache holds is billed three times ("Context caching", read 2026-11): as input when it is made, at a lower price
in each request that uses it, and for each hour that it is kept. What it holds can never be changed, so a longer
beginning is another cache, which is paid in full again. A request that is sent in full may be discounted all the same,
by implicit caching, which nobody promises: how much of it is, is what the provider says of requests before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class CachePrices:
    """Dollars per million tokens of text: taken in, taken in from a cache, kept in one for an hour."""

    input: float
    cached: float
    storage_hour: float


RULE_OF_THUMB = CachePrices(1.0, 0.25, 10.0)
"""Where no prices are known: the dearest relations that were ever published. A quarter for what is cached was that of
Gemini 2.0, a tenth is that of all since; an hour costs ten times the input for Gemini 2.5 Flash-Lite, and less than the
input for Gemini 3.6 Flash and later (https://ai.google.dev/gemini-api/docs/pricing, as quoted in 2026-08)."""


@dataclass(frozen=True, slots=True)
class CacheTerms:
    """As the operator has it. `ttl_s`: how long a cache is kept that nobody uses. `prices_of`: a model, by its id."""

    ttl_s: int
    prices_of: Callable[[str], CachePrices]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a conversation is expected to do.

    `requests`: that are still to come, while the cache lives. `every_s`: one so often. `growth_tokens`: by so much each
    is longer than the one before. `implicit_share`: so much of a request in full is discounted anyway, 0 to 1.
    """

    requests: float
    every_s: float
    growth_tokens: float
    implicit_share: float = 0.0


def cache_prices_of(prices: Mapping[str, Decimal]) -> CachePrices:
    """The prices of a model as `energy.prices` has them; what is missing is in its usual relation to `text_in`."""
    input_price = float(prices.get("text_in", 0))
    if not input_price:
        return RULE_OF_THUMB
    cached, storage = prices.get("text_cached"), prices.get("storage_hour")
    return CachePrices(
        input_price,
        input_price * RULE_OF_THUMB.cached if cached is None else float(cached),
        input_price * RULE_OF_THUMB.storage_hour if storage is None else float(storage),
    )


def outlook_of(requests: int, lasted_s: float, grown_tokens: int, ttl_s: float, implicit_share: float = 0.0) -> Outlook:
    """A conversation is expected to go on for as long as it has, as things do whose end nobody knows.

    Args:
        requests: that were made.
        lasted_s: between the first and the last of them.
        grown_tokens: by so much the last was longer than the first.
        ttl_s: how long a cache lives: what comes later is not looked at.
        implicit_share: see `Outlook`.
    """
    if requests < 2:
        return Outlook(0, ttl_s, 0, implicit_share)
    every_s = max(lasted_s / (requests - 1), 1.0)
    ahead = min(requests, ttl_s / every_s)
    return Outlook(ahead, every_s, grown_tokens / (requests - 1), implicit_share)


def saving_micro_usd(prices: CachePrices, prefix_tokens: int, held_tokens: int, outlook: Outlook) -> float:
    """What a cache of the first so many tokens is expected to save, in millionths of a dollar; below 0 it costs.

    Args:
        prices: of the model.
        prefix_tokens: that the cache would hold.
        held_tokens: that one holds already, which it replaces; 0 for none.
        outlook: for what.
    """
    more_tokens = prefix_tokens - held_tokens
    saved = outlook.requests * more_tokens * _discount(prices, outlook)
    made = prefix_tokens * prices.input
    kept = more_tokens * prices.storage_hour * outlook.requests * outlook.every_s / HOUR_S
    return saved - made - kept


def is_worth_making(
    prices: CachePrices, least_tokens: int, prefix_tokens: int, held_tokens: int, outlook: Outlook
) -> bool:
    """Whether to make a cache of the first so many tokens now, in place of one that holds fewer, or of none.

    Making it saves something, and waiting for more tokens would save less: who pays P each time, and loses d for each
    of g tokens more with each request, pays least when it is made for every sqrt(2·P·g/d) tokens that have come.

    Args:
        prices: of the model.
        least_tokens: that its caches may hold.
        prefix_tokens: that the cache would hold.
        held_tokens: that the present one holds; 0 for none.
        outlook: for what.
    """
    discount = _discount(prices, outlook)
    if discount <= 0 or prefix_tokens < max(least_tokens, held_tokens + 1):
        return False
    enough_tokens = math.sqrt(2 * prefix_tokens * prices.input * outlook.growth_tokens / discount)
    if prefix_tokens - held_tokens < enough_tokens:
        return False
    return saving_micro_usd(prices, prefix_tokens, held_tokens, outlook) > 0


def is_time_to_extend(left_s: float, ttl_s: float) -> bool:
    """Whether a cache that is in use is to be given its whole time again."""
    return left_s < ttl_s / 2


def _discount(prices: CachePrices, outlook: Outlook) -> float:
    """What a token in a cache costs less than one that is sent, dollars per million."""
    return (prices.input - prices.cached) * (1 - outlook.implicit_share)
