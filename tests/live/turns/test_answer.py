"""Answers that stream in as JSON, or as what a model makes of that."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.providers.turns.answer import AnswerReader

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def read(*pieces: str, is_structured: bool = True) -> AnswerReader:
    reader = AnswerReader(is_structured=is_structured)
    for piece in pieces:
        reader.take(piece)
    reader.end()
    return reader


@given(TEXT, TEXT, st.booleans(), st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_json_cut_anywhere_gives_beginnings_of_its_strings(
    heard: str, answer: str, escapes: bool, sizes: list[int]
) -> None:
    raw = json.dumps({"heard": heard, "answer": answer}, ensure_ascii=escapes)
    reader = AnswerReader(is_structured=True)
    shown = ""
    place = 0
    while place < len(raw):
        size = sizes[place % len(sizes)]
        progress = reader.take(raw[place : place + size])
        place += size
        shown += progress.words
        assert answer.startswith(shown)
        assert progress.heard in (None, heard)
        assert not shown or reader.heard == heard
    shown += reader.end().words
    told = answer if answer.strip() else ""
    assert (reader.heard, shown, reader.answer) == (heard, told, told)
    assert not reader.has_ignored_the_schema


@given(TEXT, TEXT, st.integers(0, 200))
def test_json_that_ends_anywhere_keeps_what_came(heard: str, answer: str, end: int) -> None:
    raw = json.dumps({"heard": heard, "answer": answer})[: max(end, 1)]
    reader = read(raw)
    assert answer.startswith(reader.answer)
    assert heard.startswith(reader.heard or "")


def test_the_users_words_are_whole_before_the_answer_begins() -> None:
    reader = AnswerReader(is_structured=True)
    assert reader.take('{"heard": "hello wor').heard is None
    assert reader.take('ld", "ans').heard is None
    progress = reader.take('wer": "Hi')
    assert (progress.heard, progress.words) == ("hello world", "Hi")


def test_a_model_that_ignores_the_schema_has_given_an_answer_all_the_same() -> None:
    reader = read("Hello ", "there.")
    assert (reader.answer, reader.heard, reader.has_ignored_the_schema) == ("Hello there.", None, True)


def test_braces_that_are_no_json_are_an_answer() -> None:
    reader = read("{hm} is", " a brace")
    assert (reader.answer, reader.has_ignored_the_schema) == ("{hm} is a brace", True)


def test_a_fence_around_the_json_is_not_shown() -> None:
    reader = read("```json\n", '{"heard": "a", "answer": "b"}', "\n```")
    assert (reader.heard, reader.answer) == ("a", "b")


def test_plain_words_were_asked_for_and_come() -> None:
    reader = read('{"answer": ', '"x"}', is_structured=False)
    assert (reader.answer, reader.has_ignored_the_schema) == ('{"answer": "x"}', False)


@pytest.mark.parametrize("cut", range(1, 43))
def test_the_users_words_may_come_after_the_answer(cut: int) -> None:
    raw = '{"answer": "Hello.", "heard": "hello world"}'
    reader = AnswerReader(is_structured=True)
    told = [reader.take(raw[:cut]), reader.take(raw[cut:]), reader.end()]
    assert [progress.heard for progress in told if progress.heard is not None] == ["hello world"]
    assert (reader.answer, reader.has_ignored_the_schema) == ("Hello.", False)


@pytest.mark.parametrize("heard", ["", '"heard": null, ', '"said": "a", ', '"heard": ["a"], '])
def test_an_answer_without_the_users_words_leaves_them_to_be_asked_for(heard: str) -> None:
    reader = read(f'{{{heard}"answer": "b"}}')
    assert (reader.heard, reader.answer, reader.has_ignored_the_schema) == (None, "b", True)


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ('[{"heard": "a", "answer": "b"}]', "b"),
        ('\ufeff{"heard": "a", "answer": "b"}', "b"),
        (r"""{"heard": "a", "answer": "I don\'t \\ know"}""", "I don't \\ know"),
        ('{"heard": "a", "answer": "one\ntwo"}', "one\ntwo"),
        (r'{"heard": "a", "answer": "x \ud83d y"}', "x  y"),
    ],
)
def test_what_is_nearly_json_is_not_read_aloud_as_it_stands(raw: str, answer: str) -> None:
    assert ((reader := read(raw)).heard, reader.answer) == ("a", answer)


@pytest.mark.parametrize("is_structured", [True, False])
def test_blanks_are_no_answer(is_structured: bool) -> None:
    assert read("  \n", " ", is_structured=is_structured).answer == ""
