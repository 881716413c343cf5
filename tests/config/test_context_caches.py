"""What the settings make of context caches."""

from __future__ import annotations

from pytest_django import Settings

from config.context_caches import cache_terms
from sessions_app.live.providers.cache_rules import RULE_OF_THUMB, CachePrices


def test_context_caches_are_kept_as_long_and_reckoned_at_the_prices_that_the_settings_say(settings: Settings) -> None:
    settings.CONTEXT_CACHE_TTL_S = 600
    settings.TOKEN_PRICES = '{"gemini-3.8-flash": {"text_in": 0.75, "text_cached": 0.075, "storage_hour": 0.5}}'
    terms = cache_terms()
    assert terms is not None
    assert terms.ttl_s == 600
    assert terms.prices_of("gemini-3.8-flash") == CachePrices(0.75, 0.075, 0.5)
    assert terms.prices_of("gemini-2.5-pro") == RULE_OF_THUMB


def test_no_context_caches_are_made_where_the_settings_want_none(settings: Settings) -> None:
    settings.CONTEXT_CACHE = False
    assert cache_terms() is None
