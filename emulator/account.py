"""What was used by now, for each model, as a bill would count it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulator.wire import Json


@dataclass
class _Usage:
    """Of one model. Tokens are counted by modality; those of prompts include the cached ones."""

    requests: int = 0
    prompt_tokens: Counter[str] = field(default_factory=Counter)
    cached_tokens: Counter[str] = field(default_factory=Counter)
    output_tokens: Counter[str] = field(default_factory=Counter)
    thought_tokens: int = 0


class Account:
    """Adds up the `usageMetadata` of answers over REST and of turns of Live sessions."""

    def __init__(self) -> None:
        self._models: dict[str, _Usage] = {}

    def add(self, model: str, usage: Json) -> None:
        """Count an answer of `model`. Output whose modality is not told is text."""
        used = self._models.setdefault(model, _Usage())
        used.requests += 1
        used.prompt_tokens += _by_modality(usage.get("promptTokensDetails", ()))
        used.cached_tokens += _by_modality(usage.get("cacheTokensDetails", ()))
        output = usage.get("candidatesTokensDetails") or usage.get("responseTokensDetails")
        plain = [{"modality": "TEXT", "tokenCount": usage.get("candidatesTokenCount", 0)}]
        used.output_tokens += _by_modality(output or plain)
        used.thought_tokens += usage.get("thoughtsTokenCount", 0)

    def by_model(self, cache_token_seconds: Mapping[str, float]) -> Json:
        """Everything that was counted, beside what keeping caches has cost by now, in tokens times seconds."""
        names = [*self._models, *(name for name in cache_token_seconds if name not in self._models)]
        return {name: self._shown(name, cache_token_seconds.get(name, 0.0)) for name in names}

    def clear(self) -> None:
        """Begin at nothing."""
        self._models.clear()

    def _shown(self, model: str, cache_token_seconds: float) -> Json:
        used = self._models.get(model, _Usage())
        return {
            "requests": used.requests,
            "prompt_tokens": dict(used.prompt_tokens),
            "cached_tokens": dict(used.cached_tokens),
            "output_tokens": dict(used.output_tokens),
            "thought_tokens": used.thought_tokens,
            "cache_token_seconds": round(cache_token_seconds, 3),
        }


def _by_modality(details: Iterable[Json]) -> Counter[str]:
    return Counter({detail["modality"]: detail["tokenCount"] for detail in details})
