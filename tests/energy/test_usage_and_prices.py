"""Tokens of each turn from either way of reporting, and what they cost: pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.prices import PriceTable, parse_prices
from energy.usage import Report, TurnTokens, adds_up, turns_of

RECORDED_BARGE_IN = [
    Report(1201, 109, 34, {"TEXT": 1200, "AUDIO": 1}, {"AUDIO": 109}),
    Report(1352, 44, 18, {"TEXT": 1345, "AUDIO": 7}, {"AUDIO": 44}),
]
"""Of gemini-2.5-flash-native-audio: turn by turn."""


def added_up(reports: list[Report]) -> list[Report]:
    """What a model that adds up over the connection would have reported."""
    sums: list[Report] = []
    for report in reports:
        before = sums[-1] if sums else Report()
        sums.append(
            Report(
                before.prompt_tokens + report.prompt_tokens,
                before.response_tokens + report.response_tokens,
                before.thoughts_tokens + report.thoughts_tokens,
                _plus(before.prompt_tokens_by_modality, report.prompt_tokens_by_modality),
                _plus(before.response_tokens_by_modality, report.response_tokens_by_modality),
            )
        )
    return sums


def _plus(one: Any, other: Any) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {*one, *other}}


def a_talk(*parts: tuple[int, int]) -> list[Report]:
    """Reports turn by turn: each part is what the user added and what the model answered, in tokens of audio."""
    reports, context = [], 0
    for added, answered in parts:
        context += added
        reports.append(
            Report(300 + context, answered, 0, {"TEXT": 300, "AUDIO": context}, {"AUDIO": answered}),
        )
        context += answered
    return reports


def test_recorded_reports_are_taken_turn_by_turn() -> None:
    assert turns_of(RECORDED_BARGE_IN) == (
        TurnTokens({"TEXT": 1200, "AUDIO": 1}, {"AUDIO": 109, "TEXT": 34}),
        TurnTokens({"TEXT": 1345, "AUDIO": 7}, {"AUDIO": 44, "TEXT": 18}),
    )


def test_reports_that_add_up_are_taken_apart() -> None:
    talk = a_talk((50, 120), (30, 80), (60, 200), (10, 40))
    assert turns_of(added_up(talk)) == turns_of(talk)


def test_the_first_two_reports_are_believed_and_restated_once_it_is_certain() -> None:
    reports = added_up(a_talk((50, 120), (30, 80), (60, 200)))
    early, late = turns_of(reports[:2]), turns_of(reports)
    assert early[1].input["TEXT"] == 600
    assert late[1].input["TEXT"] == 300
    assert sum(turn.total for turn in late) < sum(turn.total for turn in turns_of(reports[:2]) + late[2:])


def test_a_long_talk_turn_by_turn_is_not_taken_for_a_sum() -> None:
    talk = a_talk(*((200, 100 + 10 * turn) for turn in range(20)))
    assert not adds_up(talk)
    assert turns_of(talk)[-1].input == talk[-1].prompt_tokens_by_modality


def test_a_context_that_is_cut_is_not_taken_for_a_sum() -> None:
    talk = a_talk((50, 120), (30, 130), (60, 200))
    assert not adds_up([*added_up(talk), Report(400, 20)])


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        ({}, TurnTokens()),
        ({"prompt_tokens": 187, "prompt_tokens_by_modality": {"TEXT": 154}}, TurnTokens({"TEXT": 187}, {})),
        (
            {
                "prompt_tokens": 24,
                "response_tokens": 5,
                "prompt_tokens_by_modality": {"TEXT": 24},
                "response_tokens_by_modality": {"TEXT": 5, "AUDIO": 0},
            },
            TurnTokens({"TEXT": 24}, {"TEXT": 5}),
        ),
        ({"prompt_tokens": 10, "response_tokens": 7}, TurnTokens({"TEXT": 10}, {"AUDIO": 7})),
        ({"thoughts_tokens": 9, "turn": 4, "total_tokens": 30}, TurnTokens({}, {"TEXT": 9})),
    ],
)
def test_what_a_report_leaves_out_is_not_lost(data: dict[str, Any], tokens: TurnTokens) -> None:
    assert turns_of([Report.of(data)]) == (tokens,)


def test_tokens_of_tools_are_taken_in_beside_the_prompt_and_cached_ones_are_part_of_it() -> None:
    """By the SDK's words on `UsageMetadata`: the prompt includes what was cached, the total adds what tools gave."""
    report = Report.of(
        {
            "prompt_tokens": 151,
            "response_tokens": 10,
            "tool_use_tokens": 18_329,
            "tool_use_tokens_by_modality": {"TEXT": 18_000},
            "cached_tokens": 120,
            "cached_tokens_by_modality": {"AUDIO": 40, "TEXT": 60},
            "prompt_tokens_by_modality": {"AUDIO": 30, "TEXT": 121},
        }
    )
    (turn,) = turns_of([report])
    assert turn.input == {"TEXT": 121 + 18_329, "AUDIO": 30}
    assert turn.tool_use == {"TEXT": 18_329}
    assert turn.cached == {"TEXT": 80, "AUDIO": 30}, "no more than the prompt has"
    assert turn.total == 151 + 18_329 + 10


def test_tokens_of_tools_and_cached_ones_that_add_up_are_taken_apart() -> None:
    sums = [
        Report(prompt, replies, tool_use_tokens=tools, cached_tokens=cached)
        for prompt, replies, tools, cached in ((100, 10, 5, 0), (250, 20, 5, 60), (460, 30, 12, 160))
    ]
    assert [(dict(turn.tool_use), dict(turn.cached)) for turn in turns_of(sums)] == [
        ({"TEXT": 5}, {}),
        ({}, {"TEXT": 60}),
        ({"TEXT": 7}, {"TEXT": 100}),
    ]


def test_turns_add_up_by_modality() -> None:
    both = TurnTokens({"TEXT": 1}, {"AUDIO": 2}) + TurnTokens({"TEXT": 3, "IMAGE": 4}, {})
    assert both == TurnTokens({"TEXT": 4, "IMAGE": 4}, {"AUDIO": 2})
    assert both.total == 10
    assert both.as_data() == {"input": {"TEXT": 4, "IMAGE": 4}, "output": {"AUDIO": 2}}


@given(st.lists(st.tuples(st.integers(1, 2_000), st.integers(1, 2_000)), min_size=3, max_size=12))
def test_a_sum_is_always_recognised_and_counts_nothing_twice(parts: list[tuple[int, int]]) -> None:
    talk = a_talk(*parts)
    sums = added_up(talk)
    total = sum((turn.total for turn in turns_of(sums)), 0)
    assert total == sums[-1].prompt_tokens + sums[-1].response_tokens


PRICES = parse_prices(
    '{"gemini-3.8-live": {"text_in": 0.5, "audio_in": 3, "text_out": 2, "audio_out": 12},'
    ' "gemini-3.8-live-extended-thinking": {"text_in": 1}, "gemini": {"audio_out": 0.0000004}}'
)


def test_tokens_cost_what_the_table_says_in_millionths_of_a_dollar() -> None:
    tokens = TurnTokens({"TEXT": 1_000, "AUDIO": 200}, {"AUDIO": 50, "TEXT": 10})
    assert PRICES.cost_micro_usd("gemini-3.8-live", tokens) == 500 + 600 + 600 + 20
    assert PRICES.cost_micro_usd("gemini-3.8-live-002", tokens) == 1_720


def test_cached_tokens_cost_what_the_table_says_of_them_and_else_what_the_others_do() -> None:
    table = parse_prices('{"m": {"text_in": 2, "text_cached": 0.5, "audio_in": 4}}')
    tokens = TurnTokens({"TEXT": 1_000, "AUDIO": 100}, {}, cached={"TEXT": 400, "AUDIO": 50})
    assert table.cost_micro_usd("m", tokens) == 600 * 2 + 400 // 2 + 100 * 4


def test_a_modality_without_a_price_costs_what_text_does() -> None:
    assert PRICES.cost_micro_usd("gemini-3.8-live", TurnTokens({"IMAGE": 10}, {})) == 5


def test_the_most_particular_beginning_of_a_models_name_counts() -> None:
    assert PRICES.prices_of("gemini-3.8-live-extended-thinking") == {"text_in": Decimal(1)}
    assert PRICES.prices_of("gemini-3.8-livelier") == {"audio_out": Decimal("0.0000004")}
    assert PRICES.prices_of("gpt") == {}


def test_without_prices_nothing_costs_anything() -> None:
    assert parse_prices("  ") == PriceTable({})
    assert parse_prices("").cost_micro_usd("gemini-3.8-live", TurnTokens({"TEXT": 10**9}, {})) == 0


def test_fractions_are_rounded_once_at_the_end() -> None:
    table = parse_prices('{"m": {"text_in": 0.1, "audio_in": 0.1, "text_out": 0.1, "audio_out": 0.2}}')
    assert table.cost_micro_usd("m", TurnTokens({"TEXT": 1, "AUDIO": 1}, {"TEXT": 1, "AUDIO": 1})) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"m": 3}', "the prices of m"),
        ('{"m": {"smell_in": 1}}', "'smell_in' of m"),
        ('{"m": {"text_in": "1"}}', "text_in of m"),
        ('{"m": {"text_in": -1}}', "text_in of m"),
        ('{"m": {"text_in": true}}', "text_in of m"),
        ('{"m": {"text_in": NaN}}', "text_in of m"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_prices(text)


def test_making_a_context_cache_costs_what_is_taken_in_and_keeping_it_what_the_table_says() -> None:
    table = parse_prices('{"gemini-3.8-flash": {"text_in": 1, "text_cached": 0.1, "storage_hour": 0.5}}')
    told = {
        "prompt_tokens": 2_000,
        "cached_tokens": 1_500,
        "cache_made_tokens": 1_500,
        "cache_token_seconds": 7_200_000,
    }
    (turn,) = turns_of([Report.of(told)])
    assert turn == TurnTokens({"TEXT": 3_500}, {}, cached={"TEXT": 1_500}, kept_token_seconds=7_200_000)
    assert table.cost_micro_usd("gemini-3.8-flash", turn) == 500 + 150 + 1_500 + 1_000
    assert parse_prices('{"gemini-3.8-flash": {"text_in": 1}}').cost_micro_usd("gemini-3.8-flash", turn) == 3_500


def test_what_caches_took_is_of_its_turn_also_where_reports_add_up() -> None:
    sums = [Report(prompt, prompt // 10, cache_made_tokens=made) for prompt, made in ((100, 0), (300, 1_500), (700, 0))]
    assert [turn.input["TEXT"] for turn in turns_of(sums)] == [100, 200 + 1_500, 400]
