"""The fake energy bar behaves as the real one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from energy.levels import LevelChange, Mode, Reason
from energy.quota import Refusal
from energy.services import EnergyBarService
from tests.fakes.energy import NEWEST, OLDER, OLDEST, FakeEnergy

pytestmark = pytest.mark.django_db(transaction=True)

DAY = Refusal("per day")
STEPS = {
    "spent to the end": [("lower", NEWEST), ("lower", OLDER), ("lower", OLDEST), ("raise", ""), ("restore", "")],
    "twice the same": [("lower", NEWEST), ("lower", NEWEST), ("avoid", "")],
    "an unknown model": [("next", NEWEST), ("raise", ""), ("lower", OLDER), ("raise", "")],
}


def perform(energy: EnergyBarService | FakeEnergy, what: str, model: str) -> LevelChange | None:
    match what:
        case "lower":
            return energy.lower(Mode.CALL, DAY, model)
        case "next":
            return energy.next_model(Mode.CALL, model, "unknown-model")
        case "raise":
            return energy.raise_if_possible(Mode.CALL)
        case "avoid":
            return energy.avoid_spent(Mode.CALL)
        case _:
            return energy.restore(Mode.CALL, Reason.SESSION_RESET)


def seen(change: LevelChange | None) -> tuple[int, int, str] | None:
    return None if change is None else (change.previous.number, change.level.number, change.reason)


@pytest.mark.parametrize("story", STEPS)
def test_it_goes_where_the_real_one_goes(story: str, alice: User) -> None:
    real, fake = EnergyBarService(alice.pk), FakeEnergy()
    real.load(Mode.CALL)
    real.succeeded(NEWEST)
    for what, model in STEPS[story]:
        assert seen(perform(real, what, model)) == seen(perform(fake, what, model)), (what, model)
        assert real.get_level(Mode.CALL) == fake.get_level(Mode.CALL)
        assert (real.get_resets_at(Mode.CALL) is None) == (fake.get_resets_at(Mode.CALL) is None)
