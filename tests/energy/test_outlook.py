"""What a page says that somebody would get who began now."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from energy.levels import Mode
from energy.models import ModelQuota
from energy.outlook import next_level
from energy.quota import Refusal
from energy.services import EnergyBarService
from tests.fakes.energy import NEWEST, OLDER

pytestmark = pytest.mark.django_db


def test_the_best_model_that_is_not_spent_is_the_one_to_begin_with_and_nothing_is_claimed(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {Mode.CALL: [NEWEST, OLDER], Mode.TEXT: [NEWEST, OLDER]}
    assert (next_level(Mode.CALL).model, next_level(Mode.CALL).word) == (NEWEST, "full")
    bar = EnergyBarService()
    bar.lower(Mode.CALL, Refusal("Quota exceeded for requests per day"), NEWEST)
    spent = list(ModelQuota.objects.values())
    assert next_level(Mode.CALL).model == OLDER
    assert list(ModelQuota.objects.values()) == spent
    bar.lower(Mode.CALL, Refusal("Quota exceeded for requests per day"), OLDER)
    assert next_level(Mode.CALL).word == "exhausted"
