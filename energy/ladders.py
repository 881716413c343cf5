"""The ladders of the settings, as they are today."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from energy import ledger
from energy.levels import Ladder, Mode, in_service, is_in_turns, models_of
from energy.places import place_of


def ladder_of(mode: Mode) -> Ladder:
    """The ladder of a mode, without models whose announced end has come: nobody loses a step to one.

    Nor has it models in turns of the Developer API in a process that dials with tokens and has no key: tokens are for
    Live connections.
    """
    ladder = Ladder(mode, in_service(settings.ENERGY_LADDERS[mode], timezone.now().date()))
    if settings.GEMINI_DIAL_WITH_TOKENS and not settings.GEMINI_API_KEY and ladder.live_models:
        may_be_asked = (model for model in ladder.models if place_of(model).is_agent_platform or not is_in_turns(model))
        return Ladder(mode, tuple(may_be_asked))
    return ladder


def live_models_in_service() -> tuple[str, ...]:
    """Those that are talked with over Live connections."""
    return tuple(dict.fromkeys(model for mode in Mode for model in ladder_of(mode).live_models))


def models_for_tokens() -> tuple[str, ...]:
    """Those of them that ephemeral tokens are for, which Agent Platform has none of."""
    return tuple(model for model in live_models_in_service() if not place_of(model).is_agent_platform)


def projects_in_use() -> frozenset[str]:
    """As the ledger knows them, of the ladders and of the key."""
    return ledger.projects_of(models_of(settings.ENERGY_LADDERS)) | {ledger.project_of_the_key()}


def models_in_service() -> tuple[str, ...]:
    """The models of all ladders as they are today, each once, best first."""
    return tuple(dict.fromkeys(model for mode in Mode for model in ladder_of(mode).models))
