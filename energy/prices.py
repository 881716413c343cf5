"""What tokens cost: pure.

Prices are the operator's to set: they change, and differ by contract. Without one a model costs nothing here.
A dollar per million tokens is a millionth of a dollar per token, so prices as they are published are micro-dollars.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from energy.places import id_of, place_of
from energy.usage import TurnTokens

DIRECTIONS = ("in", "cached", "out")
MODALITIES = ("text", "audio", "image", "video", "document")
STORAGE_HOUR = "storage_hour"
PRICE_NAMES = (*(f"{modality}_{direction}" for direction in DIRECTIONS for modality in MODALITIES), STORAGE_HOUR)
PRICE_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Dollars per million tokens by the beginning of a model's id, with `vertex:` or a whole place before it for
    those of Agent Platform alone, then by modality and direction (`audio_out`).

    `text_cached` and the like are for what was taken in and the provider had kept from before; `storage_hour` is for a
    million tokens of any modality that an explicit context cache keeps for an hour.
    """

    prices: Mapping[str, Mapping[str, Decimal]]

    def prices_of(self, model: str) -> Mapping[str, Decimal]:
        """Those of the longest beginning that fits, at its place or anywhere; none when there is none."""
        for name in _names_of(model):
            fitting = [prefix for prefix in self.prices if name == prefix or name.startswith(f"{prefix}-")]
            if fitting:
                return self.prices[max(fitting, key=len)]
        return {}

    def cost_micro_usd(self, model: str, tokens: TurnTokens) -> int:
        """What these tokens cost, in millionths of a dollar. A modality without a price costs what text does.

        What was cached costs what everything that was taken in does, where no price for cached tokens is known.
        """
        prices = self.prices_of(model)
        cost = sum(
            (
                count * _price(prices, modality.lower(), direction)
                for direction, counts in (("in", tokens.input), ("out", tokens.output))
                for modality, count in counts.items()
            ),
            Decimal(0),
        )
        for modality, count in tokens.cached.items():
            price = prices.get(f"{modality.lower()}_cached")
            if price is not None:
                cost += count * (price - _price(prices, modality.lower(), "in"))
        cost += tokens.kept_token_seconds * prices.get(STORAGE_HOUR, Decimal(0)) / 3600
        return int(cost.quantize(Decimal(1), ROUND_HALF_UP))


@lru_cache(maxsize=4)
def parse_prices(text: str) -> PriceTable:
    """The table in a setting: JSON such as `{"gemini-3.8-live": {"audio_in": 3, "audio_out": 12.5}}`; may be empty.

    Raises `ValueError` with a sentence that says what is wrong.
    """
    if not text.strip():
        return PriceTable({})
    try:
        table = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not isinstance(table, dict):
        raise ValueError("it is not an object with a model's id for each key")
    return PriceTable({model: _parse_model(model, prices) for model, prices in table.items()})


def _parse_model(model: str, prices: Any) -> dict[str, Decimal]:
    if not isinstance(prices, dict):
        raise ValueError(f"the prices of {model} are not an object")
    for name, price in prices.items():
        if name not in PRICE_NAMES:
            raise ValueError(f"{name!r} of {model} is not one of {', '.join(PRICE_NAMES)}")
        if not isinstance(price, Decimal) or not 0 <= price <= PRICE_LIMIT:
            raise ValueError(f"{name} of {model} is not a number of dollars per million tokens")
    return dict(prices)


def _names_of(model: str) -> tuple[str, ...]:
    """The names that a price of a model may stand under, the most particular first."""
    id, place = id_of(model), place_of(model)
    return (model, f"vertex:{id}", id) if place.is_agent_platform else (model,)


def _price(prices: Mapping[str, Decimal], modality: str, direction: str) -> Decimal:
    return prices.get(f"{modality}_{direction}", prices.get(f"text_{direction}", Decimal(0)))
