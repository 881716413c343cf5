"""Transcripts become questions, answers become summaries: pure."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.tokens import estimate_tokens
from sessions_app.live.transcript import Role, Turn, TurnStatus
from summarization import prompts
from summarization.titles import TITLE_LIMIT_CHARACTERS, first_words, title_from

SPOKEN = st.builds(
    Turn,
    number=st.integers(0, 10_000),
    role=st.sampled_from(Role),
    text=st.text(max_size=300),
    status=st.sampled_from(TurnStatus),
    at_ms=st.just(0),
)


def said(text: str, role: Role = Role.USER, status: TurnStatus = TurnStatus.COMPLETE) -> Turn:
    return Turn(0, role, text, status, 0)


def test_a_script_has_a_line_for_each_turn_and_none_of_ours() -> None:
    turns = (
        said("Hello\nthere"),
        said("Good evening. How", Role.MODEL, TurnStatus.INTERRUPTED),
        said("The line was gone for 3 s.", Role.SYSTEM),
        said("  "),
        said("Stop"),
    )
    assert prompts.as_script(turns) == "User: Hello there\nModel: Good evening. How [cut off]\nUser: Stop"


@given(st.lists(SPOKEN, max_size=30), st.integers(5, 200))
def test_pieces_hold_every_character_once_and_none_is_too_long(turns: list[Turn], limit: int) -> None:
    script = prompts.as_script(turns)
    pieces = prompts.pieces(script, limit)
    assert "".join(pieces).replace("\n", "") == "".join(script.splitlines())
    assert all(estimate_tokens(piece) <= limit for piece in pieces)
    assert all(pieces)


@given(st.lists(SPOKEN, max_size=30))
def test_a_transcript_that_fits_is_one_piece(turns: list[Turn]) -> None:
    script = "\n".join(prompts.as_script(turns).splitlines())
    limit = sum(estimate_tokens(line) + 1 for line in script.splitlines())
    assert prompts.pieces(script, limit) == ((script,) if script else ())


@given(st.lists(SPOKEN, max_size=30))
def test_a_short_transcript_is_its_own_summary_and_a_long_one_is_not(turns: list[Turn]) -> None:
    summary = prompts.verbatim_summary(turns)
    script = prompts.as_script(turns)
    assert (summary is None) == (estimate_tokens(script) > prompts.VERBATIM_LIMIT_TOKENS)
    if summary is not None:
        assert summary.summary == script
        assert len(summary.title) <= TITLE_LIMIT_CHARACTERS


def test_the_title_is_what_the_user_said_first() -> None:
    turns = (said("Hello, I am here.", Role.MODEL), said("one two three four five six seven eight nine"))
    assert title_from(first_words(turns)) == "one two three four five six …"
    assert title_from(first_words(turns[:1])) == "Hello, I am here."
    assert title_from(first_words(())) == ""


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Hi there! What is the weather like in Rome?", "What is the weather like in …"),
        ("Good morning. Thanks.", "Good morning. Thanks."),
        ("Will it rain?", "Will it rain?"),
        ("こんにちは。明日の天気はどうですか。それだけです。", "明日の天気はどうですか。"),
        ("...", "..."),
        ("Then, after all of that, this, and more", "Then, after all of that, this …"),
        ("", ""),
        ("x" * 500 + " y" * 10, "x" * 60 + " …"),
    ],
)
def test_a_title_is_the_first_sentence_that_says_something_and_short(said: str, title: str) -> None:
    assert title_from(said) == title
    assert len(title_from(said)) <= TITLE_LIMIT_CHARACTERS


def test_a_question_holds_the_recap_before_the_script() -> None:
    prompt = prompts.recap_prompt("User: Hello", "The user's name is Ada.")
    assert prompt.text.index("Ada") < prompt.text.index("User: Hello")
    assert "so far" not in prompts.summary_prompt("User: Hello").text


def test_an_answer_is_read_and_cleaned() -> None:
    answer = {
        "title": " A call\x00 ",
        "summary": "It was \ud800short.",
        "open_points": ["", "Why?"],
        "facts": ["A is B."],
    }
    summary = prompts.read_summary(json.dumps(answer), "a-model")
    assert summary == prompts.Summary("A call", "It was short.", ("Why?",), ("A is B.",), "a-model")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no JSON at all",
        "[]",
        "null",
        "{}",
        '{"title": "x", "summary": ""}',
        '{"title": "", "summary": "x"}',
        '{"title": "x", "summary": " \\u0000 "}',
        '{"title": "x", "summary": "\\ud800"}',
        '{"title": "x", "summary": ["y"]}',
        '{"title": "x", "summary": "y", "facts": "z"}',
        '{"title": "x", "summary": "y", "open_points": [1]}',
    ],
)
def test_an_answer_that_says_nothing_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match="the answer"):
        prompts.read_summary(answer, "a-model")


@given(st.lists(st.text(max_size=80), max_size=40), st.integers(1, 200))
def test_a_recap_that_is_cut_keeps_to_its_limit_and_to_its_order(lines: list[str], limit: int) -> None:
    recap = "\n".join(lines)
    kept = prompts.within_limit(recap, limit)
    assert estimate_tokens(kept) <= limit
    rest = iter(recap)
    assert all(character in rest for character in kept)
    assert kept == recap or estimate_tokens(recap) > limit


def test_the_oldest_lines_of_a_recap_go_first_and_facts_have_the_larger_part() -> None:
    recap = "Long ago.\n- Her name is Ada.\nYesterday.\nToday.\n- She likes tea.\n- She has a dog."
    assert prompts.within_limit(recap, 1_000) == recap
    assert prompts.within_limit(recap, 18) == "Yesterday.\nToday.\n- She likes tea.\n- She has a dog."
    assert prompts.within_limit(recap, 11) == "Today.\n- She has a dog."


def test_a_recap_lists_each_fact_once() -> None:
    answer = {"summary": "They talked.", "facts": ["A is B.", "C is D.", "A is B."]}
    assert prompts.read_recap(json.dumps(answer)) == "They talked.\n- A is B.\n- C is D."
