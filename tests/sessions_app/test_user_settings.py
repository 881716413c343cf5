"""What users have chosen as rows: saved, undone, taken back, and held to its bounds by the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.db import DatabaseError, transaction
from django.utils import timezone
from pytest_django import Settings

from energy.levels import LevelChange, Mode, Reason
from energy.services import EnergyBarService, notice_for
from sessions_app import models
from sessions_app.user_settings import service
from sessions_app.user_settings.terms import NAMES, UserSettings

pytestmark = pytest.mark.django_db


def chosen(**values: Any) -> UserSettings:
    return replace(service.rules_of_the_server().defaults, **values)


def save(user: User, **values: Any) -> bool:
    return service.save(user.pk, chosen(**values), service.rules_of_the_server())


def counts(user: User) -> UserSettings:
    return service.settings_for(user.pk)


def test_every_setting_has_a_column_and_every_column_a_setting() -> None:
    own = {"user", "revision", "previous", "saved_at"}
    assert {field.name for field in models.UserSettings._meta.fields} - own == set(NAMES)


def test_a_row_is_made_with_the_first_saving_and_counts_for_its_user_alone(alice: User, bob: User) -> None:
    assert counts(alice) == chosen()
    assert not models.UserSettings.objects.exists()
    assert save(alice, voice="Puck", interruptions=False, silence_ms=900, compression_ratio=0.25)
    assert counts(alice) == chosen(voice="Puck", interruptions=False, silence_ms=900, compression_ratio=0.25)
    assert counts(bob) == chosen()


def test_what_was_not_chosen_follows_the_operator(alice: User, settings: Settings) -> None:
    save(alice, theme="dark")
    settings.ASSISTANT_VOICE = "Puck"
    settings.USER_SETTINGS_DEFAULTS = ["answer_length=short", "theme=light"]
    assert counts(alice) == chosen(theme="dark")
    assert (counts(alice).voice, counts(alice).answer_length) == ("Puck", "short")


def test_saving_what_is_there_already_is_no_change(alice: User) -> None:
    assert save(alice, theme="dark")
    assert not save(alice, theme="dark")
    assert service.kept_by(alice.pk, service.rules_of_the_server()).revision == 1


def test_an_undo_brings_back_what_stood_before_once(alice: User) -> None:
    save(alice, voice="Puck", instruction="Be brief.", captions=False)
    save(alice, voice="Zephyr")
    kept = service.kept_by(alice.pk, service.rules_of_the_server())
    assert kept.can_undo
    assert service.undo(alice.pk, kept.revision)
    assert counts(alice) == chosen(voice="Puck", instruction="Be brief.", captions=False)
    assert not service.undo(alice.pk, kept.revision), "it is not the last one any more"
    assert not service.kept_by(alice.pk, service.rules_of_the_server()).can_undo


def test_an_undo_does_not_undo_what_was_saved_elsewhere_since(alice: User) -> None:
    save(alice, voice="Puck")
    save(alice, voice="Zephyr")
    assert not service.undo(alice.pk, 1)
    assert counts(alice).voice == "Zephyr"


def test_back_to_the_defaults_can_be_undone_too(alice: User) -> None:
    save(alice, voice="Puck")
    assert service.reset(alice.pk, service.rules_of_the_server())
    assert counts(alice) == chosen()
    assert not service.reset(alice.pk, service.rules_of_the_server())
    assert service.undo(alice.pk, 2)
    assert counts(alice).voice == "Puck"


def test_what_the_operator_holds_fast_comes_back_when_it_may_be_chosen_again(alice: User, settings: Settings) -> None:
    save(alice, instruction="Be brief.", theme="dark")
    settings.USER_SETTINGS_LOCKED = ["instruction"]
    assert counts(alice) == chosen(theme="dark")
    save(alice, theme="light")
    settings.USER_SETTINGS_LOCKED = []
    assert counts(alice) == chosen(instruction="Be brief.", theme="light")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answer_length", "endless"),
        ("start_sensitivity", "medium"),
        ("end_sensitivity", "medium"),
        ("theme", "pink"),
        ("silence_ms", 99),
        ("trigger_tokens", 128_001),
        ("compression_ratio", 0.95),
        ("history_days", 36_501),
        ("instruction", "x" * 1_001),
    ],
)
def test_the_database_refuses_what_nobody_may_choose(alice: User, name: str, value: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        models.UserSettings.objects.create(user=alice, **{name: value})


def test_defaults_that_cannot_be_read_are_an_error_of_the_set_up(settings: Settings) -> None:
    settings.USER_SETTINGS_DEFAULTS = ["theme=pink"]
    errors = [error for error in run_checks() if error.id == "holdline.E307"]
    assert [str(error.msg) for error in errors] == [
        "USER_SETTINGS_DEFAULTS: theme cannot be 'pink'. Choose one of these. It is one of device, light, dark."
    ]


def test_notices_are_in_the_words_that_were_chosen(alice: User) -> None:
    bar = EnergyBarService(alice.pk)
    top = bar.get_top_level(Mode.CALL)
    lower = bar.handle_rate_limit_error(Mode.CALL)
    change = LevelChange(top, lower, Reason.RATE_LIMIT_EXCEEDED, timezone.now())
    plain = notice_for(change, counts(alice).persona)
    save(alice, persona="assistant")
    assert notice_for(change, counts(alice).persona).startswith("My best model")
    assert plain.startswith("The quota of the best model")
