"""Whether the models of the ladders are there, and stay there, and those that speak for some of them: told to the
operator in the log, once a day.

The ledger is not told: what a catalogue leaves out may answer all the same, and nobody is to be refused for it.
`manage.py check_models`, which somebody reads, does tell it.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from energy.levels import are_voices_wanted, ends_ahead, in_service, models_of
from energy.places import place_of

logger = logging.getLogger(__name__)


def warn_of_models() -> None:
    """Log a warning for each model of a ladder that has ended, is announced to, or is not listed, and for each that is
    to speak answers in turns and is not. Asks the network."""
    today = timezone.now().date()
    models = models_of(settings.ENERGY_LADDERS)
    for end in ends_ahead(models, today):
        logger.warning("%s: take it off CALL_MODELS and TEXT_MODELS, or put another in its place", end.in_words(today))
    if not settings.GEMINI_API_KEY:
        return
    # Loads the SDK, which workers that write no summary yet have no use for.
    from sessions_app.live.providers.catalogue import CatalogueUnavailable, models_by_id

    try:
        listed = models_by_id(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION)
    except CatalogueUnavailable as error:
        logger.info("the provider does not list its models: %s", error)
        return
    for model in in_service([model for model in models if not place_of(model).is_agent_platform], today):
        if not listed.get(model):
            why = "cannot be talked with" if model in listed else "is not listed by the provider"
            logger.warning("%s of the ladders %s: see manage.py check_models", model, why)
    if are_voices_wanted(models):
        voices = [model for model in settings.TURNS_VOICE_MODELS if not place_of(model).is_agent_platform]
        _warn_of_voices([model for model in voices if model not in listed])


def _warn_of_voices(missing: list[str]) -> None:
    for model in missing:
        logger.warning("%s of TURNS_VOICE_MODELS is not listed by the provider: take it off", model)
    if len(missing) == len(settings.TURNS_VOICE_MODELS):
        logger.warning("none of TURNS_VOICE_MODELS is there: answers in turns are only read")
