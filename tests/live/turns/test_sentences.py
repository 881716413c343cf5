"""Answers cut into what is spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.providers.turns.sentences import CODE_SPOKEN, PIECE_LIMIT, Piece, Sentences, speakable


def cut(*fragments: str) -> list[Piece]:
    sentences = Sentences()
    return [*(piece for fragment in fragments for piece in sentences.take(fragment)), *sentences.end()]


def texts(*fragments: str) -> list[str]:
    return [piece.text for piece in cut(*fragments)]


PROSE = st.lists(
    st.sampled_from(
        [
            *"ab.!?,;: \n*_`#|-1",
            "word ",
            "Word. ",
            "Dr. ",
            "3. ",
            "```",
            "```py\n",
            "。",
            "你好",
            "ß",
            "…",
            "[a](b)",
            "z.B. ",
        ]
    ),
    max_size=120,
)


@given(PROSE, st.randoms(use_true_random=False))
def test_no_character_is_lost_and_no_piece_is_too_long_however_it_comes(fragments: list[str], random: object) -> None:
    whole = "".join(fragments)
    pieces = cut(*fragments)
    assert "".join(piece.text for piece in pieces) == whole
    assert all(len(piece.spoken) <= PIECE_LIMIT for piece in pieces)
    assert all(piece.text for piece in pieces)


@given(st.text(st.sampled_from("abc .!?\n你。"), max_size=900))
def test_no_word_is_lost_of_what_is_spoken(text: str) -> None:
    spoken = "".join(piece.spoken for piece in cut(*text))
    letters = [character for character in text if character.isalnum()]
    assert [character for character in spoken if character.isalnum()] == letters


def test_the_first_sentence_is_there_as_soon_as_the_next_begins() -> None:
    sentences = Sentences()
    assert sentences.take("Hello there. ") == []
    assert [piece.text for piece in sentences.take("How")] == ["Hello there. "]


def test_a_question_is_not_waited_with() -> None:
    assert [piece.text for piece in Sentences().take("Shall we? ")] == ["Shall we? "]


def test_later_sentences_go_together() -> None:
    assert texts("One. ", "Two. ", "Three. ", "Four.") == ["One. ", "Two. Three. Four."]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith is here.",
        "It costs 3.50 euros, z.B. today.",
        "On the 3. October it rains.",
        "J. S. Bach wrote it.",
        "He came at 5 p.m. with her.",
        "Version 1.2.3 is out.",
        "Wait... what is it.",
    ],
)
def test_abbreviations_and_numbers_end_no_sentence(text: str) -> None:
    assert texts(*(f"{word} " for word in text.split()))[0].strip() in (text, "Wait...")


def test_scripts_without_blanks_are_cut_at_their_own_stops() -> None:
    assert texts("你好。", "今天天气很好。") == ["你好。", "今天天气很好。"]
    assert max(map(len, texts("字" * 600))) == PIECE_LIMIT


def test_a_long_sentence_is_cut_where_one_may_pause() -> None:
    first, *_ = texts("word " * 40 + "end, " + "more " * 40)
    assert first.endswith("end, ")


def test_code_is_named_and_not_read() -> None:
    pieces = cut("Look here:\n", "``", "`py\nprint(1)\n", "```", "\nThat is it.")
    assert [piece.spoken for piece in pieces] == ["Look here:", CODE_SPOKEN, "That is it."]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Bold** and _soft_ and `code`.", "Bold and soft and code."),
        ("# Title\n", "Title"),
        ("- one\n- two", "one two"),
        ("See [the page](https://a.example/b).", "See the page."),
        ("2*3 and snake_case stay", "2*3 and snake_case stay"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", "a, b 1, 2"),
        ("***", ""),
    ],
)
def test_marks_of_markdown_are_not_heard(written: str, spoken: str) -> None:
    assert speakable(written) == spoken
