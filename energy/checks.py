"""System checks of the settings of energy.

Ids:
    holdline.E201  a ladder is too short or too long
    holdline.W201  a model on a ladder has ended, or is announced to
    holdline.E202  a model on a ladder is unknown
    holdline.E203  TOKEN_PRICES cannot be read
    holdline.E204  the time zone of the provider's quota is not known to this system
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.utils import timezone

from energy.levels import PROFILES, Ladder, Mode, UnknownModel, ends_ahead, models_of, profile_of
from energy.prices import parse_prices
from energy.quota import QUOTA_ZONE


@register()
def check_ladders(**kwargs: Any) -> list[Error]:
    """Every ladder has a length that it may have, and every model in it is one that can be talked to."""
    return [error for mode in Mode for error in _check_ladder(mode, settings.ENERGY_LADDERS[mode])]


@register()
def check_ends(**kwargs: Any) -> list[Warning]:
    """No model of a ladder has ended, or is announced to within a month."""
    today = timezone.now().date()
    warnings = []
    for end in ends_ahead(models_of(settings.ENERGY_LADDERS), today):
        hint = "Put another in its place in CALL_MODELS and TEXT_MODELS, or take it off."
        warnings.append(Warning(f"{end.in_words(today)}.", hint=hint, id="holdline.W201"))
    return warnings


@register()
def check_prices(**kwargs: Any) -> list[Error]:
    """The price table can be read."""
    try:
        parse_prices(settings.TOKEN_PRICES)
    except ValueError as error:
        hint = 'Write {"gemini-3.8-live": {"audio_in": 3, "audio_out": 12}}, in dollars per million tokens.'
        return [Error(f"TOKEN_PRICES: {error}.", hint=hint, id="holdline.E203")]
    return []


@register()
def check_time_zone(**kwargs: Any) -> list[Error]:
    """When a day's quota returns can be told."""
    try:
        ZoneInfo(QUOTA_ZONE)
    except ZoneInfoNotFoundError:
        hint = "Install the system's tzdata, or the package tzdata."
        return [Error(f"The time zone {QUOTA_ZONE} is not known here.", hint=hint, id="holdline.E204")]
    return []


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
