"""A text and what is looked for in it have one form, whatever they were typed with."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarization.folding import fold, fold_with_places

CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("ßẞİıIiςσΣée\u0301ﬁ½ﷺ가각각ㄱㅏガカ゛ﾞｶ\u3099אבשּׁעـى٣３👩\u200d🚀️\u00ad'’´“«—-_.  \n\x00ᾳŉǰ¨ﬃ①ⅣµΩÅ"),
)
TEXTS = st.text(CHARACTERS, max_size=30)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("червоний", "Червоний"),
        ("hotel", "Hôtel"),
        ("hôtel", "HOTEL"),
        (unicodedata.normalize("NFD", "Ünïcödé"), unicodedata.normalize("NFC", "Ünïcödé")),
        ("strasse", "Straße"),
        ("STRASSE", "STRAẞE"),
        ("istanbul", "İstanbul"),
        ("ISTANBUL", "ıstanbul"),
        ("οδοσ", "ΟΔΌΣ"),
        ("οδός", "ΟΔΟΣ"),
        ("مدرسة", "مَدْرَسَة"),
        ("محمد", "محـــمد"),
        ("שלום", "שָׁלוֹם"),
        ("2026", "２０２６"),
        ("2026", "٢٠٢٦"),
        ("office", "oﬃce"),
        ("hotel", "ｈｏｔｅｌ"),
        ("ガス", "ｶﾞｽ"),
        ("o'neill", "O’Neill"),
        ("o'neill", "O´Neill"),
        ("well-known", "well\u2011known"),
        ('"so"', "„so“"),
        ("☀", "☀️"),
        ("smorgas", "Smørgås"),
        ("coeur", "cœur"),
        ("میروم", "می\u200cروم"),
        ("Silbentrennung", "Silben\u00adtrennung"),
        ("one two", " One\u3000\n two\t"),
    ],
)
def test_one_word_is_found_however_it_is_written(typed: str, written: str) -> None:
    assert fold(typed) == fold(written)


@pytest.mark.parametrize(
    ("one", "other"), [("かき", "がき"), ("के", "की"), ("ข้าว", "ขาว"), ("한", "하"), ("cat", "car"), ("a_b", "a b")]
)
def test_what_means_another_thing_stays_another_word(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(TEXTS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_composed_and_decomposed_have_one_fold(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text)) == fold(text)


@given(TEXTS, TEXTS, TEXTS)
def test_what_contains_a_word_contains_its_fold(before: str, word: str, after: str) -> None:
    assert fold(word) in fold(f"{before} {word} {after}")


@given(TEXTS)
def test_the_fold_with_places_is_the_fold_and_its_places_are_in_order(text: str) -> None:
    folded = fold_with_places(text)
    assert folded.text == fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    assert list(folded.starts) == sorted(folded.starts)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))


@given(TEXTS, TEXTS, TEXTS)
def test_a_hit_is_where_the_word_was_written(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    sought = fold(word)
    if sought:
        hits = list(fold_with_places(text).where(sought))
        assert hits
        assert all(sought in fold(text[start:end]) for start, end in hits)


def test_hits_are_places_in_the_text_and_not_in_its_fold() -> None:
    text = "Ein  ﬁnes Hôtel, STRASSE oder Straße"
    folded = fold_with_places(text)
    assert [text[start:end] for start, end in folded.where("strasse")] == ["STRASSE", "Straße"]
    assert [text[start:end] for start, end in folded.where("in")] == ["in", "ﬁn"]
    assert [text[start:end] for start, end in folded.where("fines hotel")] == ["ﬁnes Hôtel"]
