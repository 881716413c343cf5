"""One estimate of tokens, for any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.memory import text_tokens
from sessions_app.live.tokens import estimate_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("twelve chars", 3),
        ("abcd" * 10, 10),
        ("今日は天気がいい", 8),
        ("Grüße", 3),
        ("🙂", 1),
        ("\ud83d", 1),
    ],
)
def test_four_ascii_characters_make_a_token_and_any_other_is_one(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(st.text())
def test_the_provider_that_tests_talk_to_counts_alike(text: str) -> None:
    """Or the proof that a resumed session remembers would be tried on figures that no model reports."""
    assert estimate_tokens(text) == text_tokens(text)
