"""The energy bar of one live session, and the checks of its settings."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from energy.checks import check_ladders
from energy.levels import Mode
from energy.services import EnergyBarService


@pytest.mark.parametrize("mode", Mode)
def test_a_session_begins_at_the_top_and_steps_down_to_nothing(mode: Mode) -> None:
    energy = EnergyBarService()
    assert energy.get_level(mode) == energy.get_top_level(mode)
    seen = [energy.get_current_model(mode)]
    while not energy.handle_rate_limit_error(mode).is_exhausted:
        seen.append(energy.get_current_model(mode))
    assert len(set(seen)) == len(seen) == energy.get_top_level(mode).number
    assert energy.get_current_model(mode) == ""


def test_modes_do_not_draw_on_each_other() -> None:
    energy = EnergyBarService()
    energy.handle_rate_limit_error(Mode.CALL)
    assert energy.get_level(Mode.TEXT) == energy.get_top_level(Mode.TEXT)


def test_a_reset_goes_back_to_the_top() -> None:
    energy = EnergyBarService()
    energy.handle_rate_limit_error(Mode.TEXT)
    assert energy.reset_energy_level(Mode.TEXT) == energy.get_top_level(Mode.TEXT) == energy.get_level(Mode.TEXT)


def test_the_ladders_as_delivered_are_sound() -> None:
    assert check_ladders() == []


def test_a_ladder_with_a_step_too_few_is_named(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {**settings.ENERGY_LADDERS, Mode.CALL: ["gemini-3.8-live"]}
    (error,) = check_ladders()
    assert error.id == "holdline.E201"
    assert error.msg.startswith("CALL_MODELS: ")


def test_an_unknown_model_is_named_with_those_that_are_known(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {**settings.ENERGY_LADDERS, Mode.TEXT: ["gemini-3.8-live", "gpt-live"]}
    (error,) = check_ladders()
    assert error.id == "holdline.E202"
    assert "gpt-live" in error.msg
    assert "gemini-3.8-live" in str(error.hint)
