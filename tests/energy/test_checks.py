"""The system checks of the settings of energy."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from energy.checks import check_ends, check_ladders, check_prices, check_time_zone
from energy.levels import Mode


def test_the_settings_as_delivered_are_sound() -> None:
    assert [*check_ladders(), *check_ends(), *check_prices(), *check_time_zone()] == []


def test_a_ladder_with_a_step_too_many_is_named(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {**settings.ENERGY_LADDERS, Mode.CALL: ["gemini-3.8-live"] * 10}
    (error,) = check_ladders()
    assert error.id == "holdline.E201"
    assert error.msg.startswith("CALL_MODELS: ")


def test_an_unknown_model_is_named_with_those_that_are_known(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {**settings.ENERGY_LADDERS, Mode.TEXT: ["gemini-3.8-live", "gpt-live"]}
    (error,) = check_ladders()
    assert error.id == "holdline.E202"
    assert "gpt-live" in error.msg
    assert "gemini-3.8-live" in str(error.hint)


def test_a_model_that_has_ended_is_named_and_the_rest_is_sound(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {**settings.ENERGY_LADDERS, Mode.TEXT: ["gemini-3.1-flash-live-preview"]}
    (warning,) = check_ends()
    assert warning.id == "holdline.W201"
    assert warning.msg == "gemini-3.1-flash-live-preview has ended on 2026-11-17 and is left out."
    assert check_ladders() == []


def test_prices_that_cannot_be_read_are_named_with_an_example_that_can(settings: Settings) -> None:
    settings.TOKEN_PRICES = "cheap"
    (error,) = check_prices()
    assert (error.id, error.msg) == ("holdline.E203", "TOKEN_PRICES: it is not JSON.")
    settings.TOKEN_PRICES = str(error.hint)[str(error.hint).index("{") : str(error.hint).rindex("}") + 1]
    assert check_prices() == []


@pytest.fixture
def no_time_zones(tmp_path: Path) -> Iterator[None]:
    """A system without tzdata."""
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_time_zones")
def test_a_system_without_time_zones_is_named() -> None:
    (error,) = check_time_zone()
    assert error.id == "holdline.E204"
    assert "tzdata" in str(error.hint)
