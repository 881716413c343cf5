"""Lines of our own that are kept in English, and read in another language."""

from __future__ import annotations

import datetime

import pytest
from django.utils import translation

from energy.fair_use import FairUseLimit, FairUseRefusal
from energy.ladders import ladder_of
from energy.levels import LevelChange, Mode, Reason
from energy.notices import delivered_personas, fill
from sessions_app import services, stored_words
from sessions_app.live.explanations import explanation_of
from sessions_app.live.providers.questions.connection import TOO_MANY
from sessions_app.live.transcript import TurnCode
from tests.translations.pseudo import read

NOW = datetime.datetime(2026, 11, 20, 15, 30, tzinfo=datetime.UTC)
TOMORROW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)


def change(mode: Mode, resets_at: datetime.datetime | None) -> LevelChange:
    ladder = ladder_of(mode)
    return LevelChange(ladder.level(2), ladder.level(1), Reason.RATE_LIMIT_EXCEEDED, NOW, resets_at)


NOTICES = [
    fill(text, change(mode, resets_at), "UTC")
    for _, texts in delivered_personas().values()
    for (mode, _, _), text in texts.items()
    for resets_at in (None, NOW, TOMORROW)
]
KEPT = [
    *(explanation_of(code) for code in (TurnCode.NO_ANSWER, TurnCode.REFUSED, TurnCode.RECORDING_GONE)),
    explanation_of(TurnCode.REFUSED, "BLOCKLIST"),
    services.GOES_ON_TEXT,
    TOO_MANY,
    FairUseRefusal(FairUseLimit.TOKENS, 900, TOMORROW).in_words(NOW, "UTC"),
    FairUseRefusal(FairUseLimit.SESSIONS, 2, None).in_words(NOW, "UTC"),
]


@pytest.mark.parametrize("kept", KEPT)
def test_what_is_kept_in_english_is_told_in_the_language_of_its_reader(kept: str, pseudo_language: str) -> None:
    with translation.override(pseudo_language):
        told = stored_words.in_words(kept)
    assert told != kept
    assert read(told) == kept


def test_every_notice_that_comes_with_holdline_is_told_in_the_language_of_its_reader(pseudo_language: str) -> None:
    with translation.override(pseudo_language):
        told = {kept: stored_words.in_words(kept) for kept in NOTICES}
    assert {kept: read(words) for kept, words in told.items()} == {kept: kept for kept in told}
    assert not [kept for kept, words in told.items() if words == kept]


@pytest.mark.parametrize("kept", [*KEPT, *NOTICES[::20]])
def test_in_english_it_is_told_as_it_is_kept(kept: str) -> None:
    assert stored_words.in_words(kept) == kept


def test_what_an_operator_has_written_is_told_as_it_is(pseudo_language: str) -> None:
    with translation.override(pseudo_language):
        assert stored_words.in_words("Down we go, to gemini-live.") == "Down we go, to gemini-live."


def test_what_stands_in_a_line_is_told_with_it(pseudo_language: str) -> None:
    with translation.override(pseudo_language):
        told = stored_words.in_words("The call is back at reduced energy, on gemini-live, until further notice.")
    assert "gemini-live" in told
    assert "reduced" not in told.split()
    assert "until further notice" not in told
