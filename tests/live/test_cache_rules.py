"""What an explicit context cache is worth, and when it is made, made anew and extended."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.providers.cache_reckoning import Pace, pays_from_turn, reckon
from sessions_app.live.providers.cache_rules import (
    HOUR_S,
    RULE_OF_THUMB,
    CachePrices,
    Outlook,
    cache_prices_of,
    is_time_to_extend,
    is_worth_making,
    outlook_of,
    saving_micro_usd,
)

FLASH = CachePrices(0.75, 0.075, 0.5)
LITE = CachePrices(0.1, 0.01, 1.0)
LEAST = 1_024

tokens = st.integers(0, 200_000)
shares = st.floats(0, 1)
outlooks = st.builds(Outlook, st.floats(0, 3_600), st.floats(1, 3_600), st.floats(0, 5_000), shares)
price_sets = st.builds(
    lambda input_price, cached, storage: CachePrices(input_price, input_price * cached, input_price * storage),
    st.floats(0.01, 20),
    st.floats(0, 1),
    st.floats(0, 10),
)
paces = st.builds(Pace, st.integers(0, 10_000), st.integers(1, 3_000), st.integers(1, 500), st.floats(0.5, 3_600))


def test_a_cache_pays_when_it_is_used_often_enough_for_what_making_it_costs() -> None:
    """Making it costs what a request in full does, and each use saves nine tenths of one."""
    used_twice, used_once = Outlook(2, 10, 0), Outlook(1, 10, 0)
    assert is_worth_making(FLASH, LEAST, 5_000, 0, used_twice)
    assert not is_worth_making(FLASH, LEAST, 5_000, 0, used_once)
    assert saving_micro_usd(FLASH, 10_000, 0, Outlook(10, 360, 0)) == pytest.approx(10_000 * (9 * 0.75 - 0.75 - 0.5))


def test_where_keeping_is_dear_seldom_requests_do_not_pay() -> None:
    assert is_worth_making(LITE, LEAST, 5_000, 0, Outlook(20, 30, 0))
    assert not is_worth_making(LITE, LEAST, 5_000, 0, Outlook(20, 600, 0))


def test_what_the_provider_discounts_anyway_is_not_saved() -> None:
    assert not is_worth_making(FLASH, LEAST, 5_000, 0, Outlook(20, 30, 0, implicit_share=0.95))
    assert not is_worth_making(FLASH, LEAST, 5_000, 0, Outlook(20, 30, 0, implicit_share=1.0))


def test_a_longer_cache_is_made_when_enough_has_come_and_not_with_every_turn() -> None:
    outlook = Outlook(100, 30, 200)
    due = [held for held in range(10_000) if is_worth_making(FLASH, LEAST, 10_000, held, outlook)]
    assert 10_000 - max(due) == pytest.approx((2 * 10_000 * 200 / 0.9) ** 0.5, abs=2)


def test_a_conversation_is_expected_to_go_on_for_as_long_as_it_has_within_the_life_of_a_cache() -> None:
    assert outlook_of(1, 0, 0, HOUR_S).requests == 0
    assert outlook_of(11, 100, 2_000, HOUR_S) == Outlook(11, 10, 200)
    assert outlook_of(11, 10_000, 2_000, HOUR_S).requests == pytest.approx(3.6)


def test_a_cache_in_use_is_extended_when_half_of_its_life_is_over() -> None:
    assert not is_time_to_extend(1_800, 3_600)
    assert is_time_to_extend(1_799, 3_600)


def test_prices_that_are_missing_are_in_the_dearest_relation_that_was_published() -> None:
    assert cache_prices_of({}) == RULE_OF_THUMB
    assert cache_prices_of({"audio_in": Decimal(3)}) == RULE_OF_THUMB
    assert cache_prices_of({"text_in": Decimal(2)}) == CachePrices(2, 0.5, 20)
    prices = {"text_in": Decimal(2), "text_cached": Decimal("0.2"), "storage_hour": Decimal(0)}
    assert cache_prices_of(prices) == CachePrices(2, 0.2, 0)


@given(price_sets, tokens, tokens, outlooks)
def test_nothing_is_made_below_the_least_or_that_is_not_longer_or_saves_nothing(
    prices: CachePrices, prefix: int, held: int, outlook: Outlook
) -> None:
    if is_worth_making(prices, LEAST, prefix, held, outlook):
        assert prefix >= LEAST
        assert prefix > held
        assert saving_micro_usd(prices, prefix, held, outlook) > 0


@given(price_sets, tokens, outlooks, st.floats(1, 10))
def test_whether_it_pays_depends_on_relations_and_not_on_the_currency(
    prices: CachePrices, prefix: int, outlook: Outlook, rate: float
) -> None:
    other = CachePrices(prices.input * rate, prices.cached * rate, prices.storage_hour * rate)
    saving = saving_micro_usd(prices, prefix, 0, outlook)
    assert saving_micro_usd(other, prefix, 0, outlook) == pytest.approx(saving * rate, rel=1e-6, abs=1e-3)


@given(price_sets, tokens, outlooks, st.floats(0, 1_000))
def test_dearer_storage_never_makes_a_cache_pay(
    prices: CachePrices, prefix: int, outlook: Outlook, more: float
) -> None:
    dearer = CachePrices(prices.input, prices.cached, prices.storage_hour + more)
    assert saving_micro_usd(dearer, prefix, 0, outlook) <= saving_micro_usd(prices, prefix, 0, outlook)


@given(price_sets, paces)
def test_wherever_a_conversation_ends_caches_have_cost_at_most_two_thirds_more_than_it_had_in_full(
    prices: CachePrices, pace: Pace
) -> None:
    """Somebody may hang up right after a cache was made, in the third turn at the soonest where nothing came before."""
    assert all(each.micro_usd <= 1.67 * each.full_micro_usd for each in reckon(prices, LEAST, pace, 60))


@given(paces.filter(lambda pace: pace.every_s <= 60), st.sampled_from([FLASH, CachePrices(0.3, 0.03, 1.0)]))
def test_a_hundred_turns_at_a_talking_pace_always_pay(pace: Pace, prices: CachePrices) -> None:
    course = reckon(prices, LEAST, pace, 100)
    assert course[-1].caches <= 30
    if pace.instruction_tokens + 50 * pace.turn_tokens > LEAST:
        assert pays_from_turn(course)
        assert course[-1].saved > 0
