"""Tokens of each turn, from what the provider reports: pure.

Most models report turn by turn; the prompt of a turn is the whole context, which is billed again with every turn. Some
add up over the connection, and whoever sums their reports counts twice. Nothing in a report says which it is: it shows
in how the reports of one connection follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

TEXT = "TEXT"
AUDIO = "AUDIO"

REPORTS_FOR_CERTAINTY = 3
"""So many reports in a row that fit a sum are taken for one. Turn by turn, replies do not keep getting longer while the
prompt keeps at least doubling."""


@dataclass(frozen=True, slots=True)
class Report:
    """Token counts as the provider gave them for a turn; 0 where it gave none. Keys of the details are modalities.

    The total of the provider leaves thoughts out. They are billed as text that was put out. The prompt includes what
    was cached and leaves out the results of tools, which are taken in like it (the SDK's `types.UsageMetadata`, 3.4.0).
    What making and keeping explicit context caches took is in neither: it is counted by us, for each turn by itself.
    """

    prompt_tokens: int = 0
    response_tokens: int = 0
    thoughts_tokens: int = 0
    prompt_tokens_by_modality: Mapping[str, int] = field(default_factory=dict)
    response_tokens_by_modality: Mapping[str, int] = field(default_factory=dict)
    tool_use_tokens: int = 0
    cached_tokens: int = 0
    tool_use_tokens_by_modality: Mapping[str, int] = field(default_factory=dict)
    cached_tokens_by_modality: Mapping[str, int] = field(default_factory=dict)
    cache_made_tokens: int = 0
    cache_token_seconds: int = 0

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Report:
        """From a stored report: `UsageReported.as_data()` of `sessions_app`, which leaves out what is 0."""
        return cls(
            prompt_tokens=data.get("prompt_tokens") or 0,
            response_tokens=data.get("response_tokens") or 0,
            thoughts_tokens=data.get("thoughts_tokens") or 0,
            prompt_tokens_by_modality=dict(data.get("prompt_tokens_by_modality") or {}),
            response_tokens_by_modality=dict(data.get("response_tokens_by_modality") or {}),
            tool_use_tokens=data.get("tool_use_tokens") or 0,
            cached_tokens=data.get("cached_tokens") or 0,
            tool_use_tokens_by_modality=dict(data.get("tool_use_tokens_by_modality") or {}),
            cached_tokens_by_modality=dict(data.get("cached_tokens_by_modality") or {}),
            cache_made_tokens=data.get("cache_made_tokens") or 0,
            cache_token_seconds=data.get("cache_token_seconds") or 0,
        )


@dataclass(frozen=True, slots=True)
class TurnTokens:
    """What one turn, or several, took in and put out, by modality; thoughts count as text put out.

    `tool_use` and `cached` are parts of `input`: results of tools, and what the provider had kept from before. What the
    making of a context cache takes in is input, too. `kept_token_seconds`: tokens in one, times the seconds of that.
    """

    input: Mapping[str, int] = field(default_factory=dict)
    output: Mapping[str, int] = field(default_factory=dict)
    tool_use: Mapping[str, int] = field(default_factory=dict)
    cached: Mapping[str, int] = field(default_factory=dict)
    kept_token_seconds: int = 0

    @property
    def total(self) -> int:
        return sum(self.input.values()) + sum(self.output.values())

    def __add__(self, other: TurnTokens) -> TurnTokens:
        return TurnTokens(
            _sum(self.input, other.input),
            _sum(self.output, other.output),
            _sum(self.tool_use, other.tool_use),
            _sum(self.cached, other.cached),
            self.kept_token_seconds + other.kept_token_seconds,
        )

    def as_data(self) -> dict[str, dict[str, int]]:
        return {"input": dict(self.input), "output": dict(self.output)}


def turns_of(reports: Sequence[Report]) -> tuple[TurnTokens, ...]:
    """The tokens of each turn of one connection, of which these are all reports so far, in order.

    A later report can show that the connection adds up; then earlier turns are restated.
    """
    turns = [_as_told(report) for report in reports]
    if adds_up(reports):
        turns[1:] = [_difference(later, earlier) for earlier, later in pairwise(turns)]
    return tuple(turn + _of_caches(report) for turn, report in zip(turns, reports, strict=True))


def adds_up(reports: Sequence[Report]) -> bool:
    """Whether the reports of one connection are sums over it.

    In a sum no count ever falls, and each report exceeds the last by a prompt that is no shorter than the one before.
    """
    if len(reports) < REPORTS_FOR_CERTAINTY:
        return False
    prompts = [0, *(report.prompt_tokens for report in reports)]
    growth = [later - earlier for earlier, later in pairwise(prompts)]
    replies_rise = all(later.response_tokens >= earlier.response_tokens for earlier, later in pairwise(reports))
    thoughts_rise = all(later.thoughts_tokens >= earlier.thoughts_tokens for earlier, later in pairwise(reports))
    return replies_rise and thoughts_rise and growth[0] > 0 and all(b >= a for a, b in pairwise(growth))


def _as_told(report: Report) -> TurnTokens:
    """What a report says by itself. Details may lack some of the sum: of prompts that is text, of replies sound."""
    output = _completed(report.response_tokens_by_modality, report.response_tokens, AUDIO)
    prompt = _completed(report.prompt_tokens_by_modality, report.prompt_tokens, TEXT)
    tool_use = _completed(report.tool_use_tokens_by_modality, report.tool_use_tokens, TEXT)
    cached = _completed(report.cached_tokens_by_modality, report.cached_tokens, TEXT)
    return TurnTokens(
        input=_sum(prompt, tool_use),
        output=_sum(output, {TEXT: report.thoughts_tokens}),
        tool_use=tool_use,
        cached={name: min(count, prompt[name]) for name, count in cached.items() if name in prompt},
    )


def _of_caches(report: Report) -> TurnTokens:
    made = _completed({}, report.cache_made_tokens, TEXT)
    return TurnTokens(input=made, kept_token_seconds=report.cache_token_seconds)


def _completed(details: Mapping[str, int], total: int, rest: str) -> dict[str, int]:
    return _sum(details, {rest: max(0, total - sum(details.values()))})


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    sums = {modality: one.get(modality, 0) + other.get(modality, 0) for modality in (*one, *other)}
    return {modality: count for modality, count in sums.items() if count}


def _difference(later: TurnTokens, earlier: TurnTokens) -> TurnTokens:
    return TurnTokens(
        _less(later.input, earlier.input),
        _less(later.output, earlier.output),
        _less(later.tool_use, earlier.tool_use),
        _less(later.cached, earlier.cached),
    )


def _less(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {
        modality: count - other.get(modality, 0) for modality, count in one.items() if count > other.get(modality, 0)
    }
