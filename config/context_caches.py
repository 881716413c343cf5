"""How conversations in turns use context caches, as the settings have it."""

from __future__ import annotations

from django.conf import settings

from energy.prices import parse_prices
from sessions_app.live.providers.cache_rules import CacheTerms, cache_prices_of


def cache_terms() -> CacheTerms | None:
    """None where they are to use none."""
    if not settings.CONTEXT_CACHE:
        return None
    prices = parse_prices(settings.TOKEN_PRICES)
    return CacheTerms(settings.CONTEXT_CACHE_TTL_S, lambda model: cache_prices_of(prices.prices_of(model)))
