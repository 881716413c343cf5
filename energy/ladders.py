"""The ladders of the settings, as they are today."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from energy.levels import Ladder, Mode, in_service


def ladder_of(mode: Mode) -> Ladder:
    """The ladder of a mode, without models whose announced end has come: nobody loses a step to one.

    Nor has it models in turns in a process that dials with tokens and has no key: tokens are for Live connections.
    """
    ladder = Ladder(mode, in_service(settings.ENERGY_LADDERS[mode], timezone.now().date()))
    if settings.GEMINI_DIAL_WITH_TOKENS and not settings.GEMINI_API_KEY and ladder.live_models:
        return Ladder(mode, ladder.live_models)
    return ladder


def live_models_in_service() -> tuple[str, ...]:
    """Those that are talked with over Live connections."""
    return tuple(dict.fromkeys(model for mode in Mode for model in ladder_of(mode).live_models))


def models_in_service() -> tuple[str, ...]:
    """The models of all ladders as they are today, each once, best first."""
    return tuple(dict.fromkeys(model for mode in Mode for model in ladder_of(mode).models))
