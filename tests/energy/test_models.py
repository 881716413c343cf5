"""What the database itself refuses, whichever it is."""

from __future__ import annotations

import datetime
import uuid
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from energy.models import EnergyChange, EnergyState, LiveSlot, ModelQuota, Notice, Persona
from tests.energy.conftest import NOON

pytestmark = pytest.mark.django_db

CHANGE = {"mode": "call", "previous": 3, "level": 2, "word": "reduced", "reason": "manual"}
LATER = NOON + datetime.timedelta(hours=1)


def refuses(kind: type[models.Model], /, **fields: Any) -> bool:
    try:
        with transaction.atomic():
            kind._default_manager.create(**fields)
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("fields", [{"mode": "fax", "level": 1}, {"mode": "call", "level": 10}])
def test_a_level_that_does_not_exist_is_refused(fields: dict[str, Any], alice: User) -> None:
    assert refuses(EnergyState, user=alice, **fields)


def test_a_user_has_one_level_in_each_mode(alice: User, bob: User) -> None:
    assert not refuses(EnergyState, user=alice, mode="call", level=3)
    assert refuses(EnergyState, user=alice, mode="call", level=2)
    assert not refuses(EnergyState, user=alice, mode="text", level=2)
    assert not refuses(EnergyState, user=bob, mode="call", level=2)


@pytest.mark.parametrize(
    ("fields", "is_refused"),
    [({}, False), ({"level": 3}, True), ({"reason": "whim"}, True), ({"mode": ""}, True)],
)
def test_a_change_has_a_reason_and_changes_something(fields: dict[str, Any], is_refused: bool, alice: User) -> None:
    assert refuses(EnergyChange, user=alice, **{**CHANGE, **fields}) is is_refused


@pytest.mark.parametrize(
    ("fields", "is_refused"),
    [
        ({}, False),
        ({"kind": "day", "spent_since": NOON, "resets_at": LATER}, False),
        ({"kind": "day"}, True),
        ({"kind": "day", "spent_since": NOON}, True),
        ({"spent_since": NOON, "resets_at": LATER}, True),
        ({"prober": uuid.uuid4(), "probe_until": LATER}, False),
        ({"prober": uuid.uuid4()}, True),
    ],
)
def test_a_spent_model_has_its_times_and_a_lease_its_end(fields: dict[str, Any], is_refused: bool) -> None:
    assert refuses(ModelQuota, project="p", model="m", **fields) is is_refused


def test_a_model_has_one_row_a_project() -> None:
    assert not refuses(ModelQuota, project="p", model="m")
    assert refuses(ModelQuota, project="p", model="m")
    assert not refuses(ModelQuota, project="q", model="m")


def test_a_page_has_one_place(alice: User, bob: User) -> None:
    holder = uuid.uuid4()
    assert not refuses(LiveSlot, holder=holder, user=alice, mode="call", owner="worker")
    assert refuses(LiveSlot, holder=holder, user=bob, mode="text", owner="worker")


def test_one_persona_is_the_default_and_says_one_thing_on_an_occasion() -> None:
    Persona.objects.all().delete()
    assert not refuses(Persona, slug="a", name="A", is_default=True)
    assert refuses(Persona, slug="b", name="B", is_default=True)
    assert not refuses(Persona, slug="c", name="C")
    persona = Persona.objects.get(slug="c")
    notice = {"persona": persona, "mode": "call", "level": 2, "occasion": "lower"}
    assert not refuses(Notice, **notice, text="one")
    assert refuses(Notice, **notice, text="two")


def test_a_notice_with_a_placeholder_that_means_nothing_is_not_saved_by_a_form() -> None:
    persona = Persona.objects.create(slug="d", name="D")
    notice = Notice(persona=persona, mode="call", level=2, occasion="lower", text="Hello {user}")
    with pytest.raises(ValidationError, match=r"\{user\} means nothing here"):
        notice.full_clean()


def test_missing_credit_that_was_noted_as_quota_is_forgotten() -> None:
    """Rows from before it stopped conversations instead."""
    forget = import_module("energy.migrations.0003_missing_credit_is_no_quota").forget
    for model, kind in (("a", "billing"), ("b", "day")):
        ModelQuota.objects.create(project="p", model=model, kind=kind, spent_since=NOON, resets_at=LATER)
    forget(apps, None)
    assert ModelQuota.objects.get().model == "b"
