"""What was found is shown in its sentence, as it was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarization.folding import fold
from summarization.passages import PASSAGE_CHARACTERS, Piece, marked, passage
from summarization.search_words import words_of

TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("ab. ßé天気。\n")), max_size=80)


def told(text: str, typed: str) -> str:
    """The passage with its hits in brackets."""
    return "".join(f"[{piece.text}]" if piece.is_hit else piece.text for piece in passage(text, words_of(typed)))


@pytest.mark.parametrize(
    ("text", "typed", "shown"),
    [
        ("Good morning. The  heron\tstands. It flies.", "heron", "The [heron] stands."),
        ("Das HÔTEL, das Ho\u0302tel!", "hotel", "Das [HÔTEL], das [Ho\u0302tel]!"),
        ("今日は雨。明日の天気は晴れ。それだけ。", "天気", "明日の[天気]は晴れ。"),
        ("First line\nSecond with a heron\nThird", "heron", "Second with a [heron]"),
        ("Die Straße", "strasse", "Die [Straße]"),
        ("It costs 3.50 at well-known.example", "known.ex", "It costs 3.50 at well-[known.ex]ample"),
        ("abab abab", "aba bab", "[abab] [abab]"),
        ("Stop. It was over", '"stop. it"', "[Stop. It] was over"),
        ("nothing of it", "heron", "nothing of it"),
        ("", "heron", ""),
    ],
)
def test_a_hit_is_shown_in_its_sentence(text: str, typed: str, shown: str) -> None:
    assert told(text, typed) == shown


def test_of_a_long_sentence_the_part_around_the_hit_is_shown() -> None:
    pieces = passage("word " * 40 + "Heron(1) " + "word " * 80, ("heron(1",))
    assert pieces[0] == Piece("… ")
    assert pieces[1].text.startswith("word ")
    assert pieces[2] == Piece("Heron(1", is_hit=True)
    assert pieces[-1] == Piece(" …")


def test_a_long_text_without_a_blank_is_cut_near_the_hit() -> None:
    pieces = passage("好" * 300 + "天気" + "好" * 300, ("天気",))
    assert Piece("天気", is_hit=True) in pieces
    assert sum(len(piece.text) for piece in pieces) < PASSAGE_CHARACTERS + 10


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_marked_has_the_word_and_nothing_of_the_text_is_lost(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    sought = words_of(word)
    pieces = marked(text, sought)
    assert "".join(piece.text for piece in pieces) == text
    assert bool(sought) <= any(piece.is_hit for piece in pieces)
    assert all(any(one in fold(piece.text) for one in sought) for piece in pieces if piece.is_hit)
    assert bool(sought) <= any(piece.is_hit for piece in passage(text, sought))


def test_a_hit_far_into_a_long_text_is_found_and_shown() -> None:
    assert told("word " * 20_000 + "heron", "heron").endswith("[heron]")
