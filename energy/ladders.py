"""The ladders of the settings, as they are today."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from energy.levels import Ladder, Mode, in_service


def ladder_of(mode: Mode) -> Ladder:
    """The ladder of a mode, without models whose announced end has come: nobody loses a step to one."""
    return Ladder(mode, in_service(settings.ENERGY_LADDERS[mode], timezone.now().date()))


def models_in_service() -> tuple[str, ...]:
    """The models of all ladders as they are today, each once, best first."""
    return tuple(dict.fromkeys(model for mode in Mode for model in ladder_of(mode).models))
