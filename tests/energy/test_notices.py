"""What is said about a change of level: the texts that come with Holdline, and those in rows."""

from __future__ import annotations

import datetime
import itertools

import pytest
from django.core.exceptions import ValidationError

from energy.days import time_in_words
from energy.levels import LADDER_LIMIT, Ladder, LevelChange, Mode, Reason
from energy.models import Notice, Persona
from energy.notices import (
    Key,
    Occasion,
    check_placeholders,
    delivered_personas,
    delivered_text,
    fill,
    key_of,
    occasion_of,
)
from energy.services import notice_for
from tests.energy.test_levels import MODELS

NOW = datetime.datetime(2026, 11, 20, 15, 30, tzinfo=datetime.UTC)
LATER = datetime.datetime(2026, 11, 21, 8, 0, tzinfo=datetime.UTC)


def a_change(mode: Mode, previous: int, level: int, reason: Reason = Reason.RATE_LIMIT_EXCEEDED) -> LevelChange:
    return change_on(Ladder(mode, MODELS[mode]), previous, level, reason)


def change_on(ladder: Ladder, previous: int, level: int, reason: Reason) -> LevelChange:
    return LevelChange(ladder.level(previous), ladder.level(level), reason, NOW, LATER)


def every_change() -> list[LevelChange]:
    return [
        a_change(mode, previous, level, reason)
        for reason in Reason
        for mode in Mode
        for previous in range(len(MODELS[mode]) + 1)
        for level in range(len(MODELS[mode]) + 1)
        if previous != level
    ]


@pytest.mark.parametrize(
    ("previous", "level", "reason", "occasion"),
    [
        (3, 2, Reason.RATE_LIMIT_EXCEEDED, "lower"),
        (3, 1, Reason.SESSION_RESET, "lower"),
        (1, 0, Reason.RATE_LIMIT_EXCEEDED, "exhausted"),
        (3, 2, Reason.MANUAL, "replaced"),
        (1, 0, Reason.MANUAL, "replaced"),
        (0, 1, Reason.SESSION_RESET, "restored"),
        (2, 3, Reason.QUOTA_RESET, "restored"),
        (1, 3, Reason.MANUAL, "restored"),
    ],
)
def test_what_happened_is_told_by_the_two_levels_and_the_reason(
    previous: int, level: int, reason: Reason, occasion: str
) -> None:
    assert occasion_of(a_change(Mode.CALL, previous, level, reason)) == occasion


@pytest.mark.parametrize("length", range(1, LADDER_LIMIT + 1))
def test_a_ladder_of_any_length_has_words_for_everything_that_can_happen(length: int) -> None:
    for mode in Mode:
        ladder = Ladder(mode, [f"gemini-3.8-live-{number}" for number in range(length)])
        for previous, level in itertools.permutations(range(length + 1), 2):
            for reason in Reason:
                key = key_of(change_on(ladder, previous, level, reason))
                assert delivered_text("default", key)


def test_there_are_four_personas_and_each_has_words_for_everything_that_can_happen() -> None:
    personas = delivered_personas()
    assert {"default", "assistant"} < set(personas)
    assert len(personas) == 4
    for slug in personas:
        for change in every_change():
            said = fill(delivered_text(slug, key_of(change)), change, "UTC")
            assert said
            assert "{" not in said
    keys = [set(texts) for _, texts in personas.values()]
    assert all(others == keys[0] for others in keys)


def test_every_delivered_text_has_placeholders_that_are_known_and_says_until_when_quota_is_gone() -> None:
    for _, texts in delivered_personas().values():
        for (_, _, occasion), text in texts.items():
            check_placeholders(text)
            assert "{resets_at}" in text or occasion in (Occasion.RESTORED, Occasion.REPLACED, Occasion.IN_TURNS)
            assert len(text) <= 300


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        (NOW + datetime.timedelta(hours=1), "UTC", "16:30 UTC"),
        (LATER, "UTC", "Saturday 08:00 UTC"),
        (LATER, "America/Los_Angeles", "Saturday 00:00 PST"),
        (None, "UTC", "further notice"),
    ],
)
def test_times_are_in_words(moment: datetime.datetime | None, zone: str, words: str) -> None:
    assert time_in_words(moment, NOW, zone) == words


@pytest.mark.parametrize("text", ["{word.__class__}", "{0}", "{}", "{user}", "{word!r}", "{word:>9}", "{word", "a } b"])
def test_a_placeholder_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        check_placeholders(text)


@pytest.mark.django_db
class TestRows:
    def test_what_comes_with_holdline_is_there_to_be_edited(self) -> None:
        assert set(Persona.objects.values_list("slug", flat=True)) == set(delivered_personas())
        assert Persona.objects.get(is_default=True).slug == "default"
        assert Notice.objects.count() == sum(len(texts) for _, texts in delivered_personas().values())

    def test_an_edited_notice_is_said(self) -> None:
        Notice.objects.filter(persona__slug="gardener", mode="call", level=2, occasion="lower").update(
            text="Down to {word} on {model} until {resets_at}."
        )
        said = notice_for(a_change(Mode.CALL, 3, 2), "gardener")
        assert said == "Down to reduced on gemini-3.8-live-extended-thinking until Saturday 08:00 UTC."

    def test_the_persona_that_is_the_default_speaks_where_none_is_named(self) -> None:
        Persona.objects.filter(is_default=True).update(is_default=False)
        Persona.objects.filter(slug="operator").update(is_default=True)
        assert notice_for(a_change(Mode.TEXT, 2, 0)).startswith("All lines")

    def test_without_rows_the_texts_of_the_file_are_said(self) -> None:
        Persona.objects.all().delete()
        for change in every_change():
            assert notice_for(change)
        assert notice_for(a_change(Mode.CALL, 1, 0), "assistant").startswith("I have used up")
        assert notice_for(a_change(Mode.CALL, 1, 0), "somebody").startswith("The quota of every model")

    def test_a_persona_of_the_operators_own_borrows_what_it_has_no_words_for(self) -> None:
        Persona.objects.create(slug="pirate", name="Pirate")
        assert notice_for(a_change(Mode.CALL, 3, 2), "pirate") == notice_for(a_change(Mode.CALL, 3, 2), "default")


def test_a_change_that_has_no_text_at_all_is_a_mistake_of_ours() -> None:
    key: Key = (Mode.CALL, 9, Occasion.LOWER)
    with pytest.raises(KeyError):
        delivered_text("default", key)
