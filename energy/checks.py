"""System checks of the ladders in settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from energy.levels import PROFILES, Ladder, Mode, UnknownModel, profile_of


@register()
def check_ladders(**kwargs: Any) -> list[Error]:
    """Every ladder has its length, and every model in it is one that can be talked to."""
    return [error for mode in Mode for error in _check_ladder(mode, settings.ENERGY_LADDERS[mode])]


def _check_ladder(mode: Mode, models: list[str]) -> list[Error]:
    variable = f"{mode.upper()}_MODELS"
    errors = []
    try:
        Ladder(mode, models)
    except ValueError as error:
        errors.append(Error(f"{variable}: {error}.", hint="Give model ids, comma-separated.", id="holdline.E201"))
    for model in models:
        try:
            profile_of(model)
        except UnknownModel as error:
            known = ", ".join(f"{profile.prefix}…" for profile in PROFILES)
            errors.append(Error(f"{variable}: {error}.", hint=f"Known are: {known}.", id="holdline.E202"))
    return errors
