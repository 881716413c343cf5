"""What somebody types becomes words to look for, and an index of pieces leaves out no text that has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarization.folding import fold
from summarization.search_words import MOST_PIECES, MOST_WORDS, occurs, pieces_of_text, pieces_of_word, words_of

TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("ab 1_.-天気날씨อากาศé")), max_size=60
)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Two  words", ("two", "words")),
        ("“Hot dog” stand", ("hot dog", "stand")),
        ('"unfinished phrase', ("unfinished", "phrase")),
        (".example", (".example",)),
        ("_case my_file C++ C#", ("_case", "my_file", "c++", "c#")),
        ("(heron), heron! heron", ("heron",)),
        ("今日の天気は？", ("今日の天気は",)),
        ("O’Neill", ("o'neill",)),
        ("🎉", ("🎉",)),
        ("50 €", ("50", "€")),
        ("& hotel !!", ("hotel",)),
        *((signs, ()) for signs in ("", "  ", "!!", "_", "$ %", '""', '"?!"', "...", "«»", "\x00", "́")),
    ],
)
def test_what_is_looked_for(typed: str, words: tuple[str, ...]) -> None:
    assert words_of(typed) == words


def test_no_more_words_and_pieces_than_an_index_is_asked_for() -> None:
    assert len(words_of(" ".join(f"word{number}" for number in range(50)))) == MOST_WORDS
    assert len(pieces_of_word(fold("x1y2z3" * 50))) <= MOST_PIECES


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_every_length_of_a_word_has_a_piece(size: int) -> None:
    assert pieces_of_word("harbourside"[:size])
    assert pieces_of_word("今日の天気は晴れです"[:size])


@given(TEXTS, TEXTS, TEXTS)
def test_a_text_has_the_pieces_of_every_word_in_it(before: str, word: str, after: str) -> None:
    text = fold(f"{before}{word} {after}")
    for sought in words_of(word):
        if occurs([sought], text):
            assert set(pieces_of_word(sought)) <= pieces_of_text(text)
            assert pieces_of_word(sought)


@given(TEXTS)
def test_pieces_are_short_and_have_neither_blanks_nor_signs_of_ascii(text: str) -> None:
    assert all(len(piece) <= 5 for piece in pieces_of_text(fold(text)))
    assert not [piece for piece in pieces_of_text(fold(text)) if not (piece.isalnum() or not piece.isascii())]


@given(TEXTS)
def test_words_are_folded_and_asking_for_them_again_finds_the_same(text: str) -> None:
    assert all(fold(word) == word for word in words_of(text))
