"""What the requests of one exchange cost: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from sessions_app.live.providers.upstream import UsageReported


class Meter:
    """What one request to `model` has cost so far."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.latest: UsageReported | None = None

    def read(self, usage: UsageReported | None) -> None:
        """Each report of a request is of all of it so far; None says nothing."""
        self.latest = usage or self.latest


class UsageAccount:
    """Adds up what requests cost, by model."""

    def __init__(self) -> None:
        self._meters: list[Meter] = []

    def meter(self, model: str) -> Meter:
        """For a request that begins."""
        meter = Meter(model)
        self._meters.append(meter)
        return meter

    def has_of(self, model: str) -> bool:
        """Whether something was counted of a model since it was last taken."""
        return any(meter.model == model and meter.latest is not None for meter in self._meters)

    def take(self, own_model: str) -> list[UsageReported]:
        """What was counted since the last time. That of `own_model` names no model, and is the last."""
        meters, self._meters = self._meters, []
        sums: dict[str, UsageReported] = {}
        for meter in meters:
            if meter.latest is not None:
                before = sums.get(meter.model)
                sums[meter.model] = meter.latest if before is None else _sum(before, meter.latest)
        own = sums.pop(own_model, None)
        others = [replace(usage, model=model) for model, usage in sums.items()]
        return others if own is None else [*others, own]


def _sum(one: UsageReported, other: UsageReported) -> UsageReported:
    return UsageReported(
        prompt_tokens=_added(one.prompt_tokens, other.prompt_tokens),
        response_tokens=_added(one.response_tokens, other.response_tokens),
        thoughts_tokens=_added(one.thoughts_tokens, other.thoughts_tokens),
        total_tokens=_added(one.total_tokens, other.total_tokens),
        prompt_tokens_by_modality=_merged(one.prompt_tokens_by_modality, other.prompt_tokens_by_modality),
        response_tokens_by_modality=_merged(one.response_tokens_by_modality, other.response_tokens_by_modality),
        tool_use_tokens=_added(one.tool_use_tokens, other.tool_use_tokens),
        cached_tokens=_added(one.cached_tokens, other.cached_tokens),
        cache_made_tokens=_added(one.cache_made_tokens, other.cache_made_tokens),
        cache_token_seconds=_added(one.cache_token_seconds, other.cache_token_seconds),
        tool_use_tokens_by_modality=_merged(one.tool_use_tokens_by_modality, other.tool_use_tokens_by_modality),
        cached_tokens_by_modality=_merged(one.cached_tokens_by_modality, other.cached_tokens_by_modality),
    )


def _added(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def _merged(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))
