"""Ask the provider whether it has the models of the ladders, and tell the quota ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from energy import ledger
from energy.ladders import ladder_of, models_in_service
from energy.levels import Mode, are_voices_wanted
from energy.places import Place, id_of, place_of
from energy.quota import ModelState
from sessions_app.live.providers.catalogue import CatalogueUnavailable, ids_there, models_by_id
from sessions_app.provider_accounts import project_at


class Command(BaseCommand):
    help = (
        "List the models of the energy ladders: whether the provider has them, whether they can be talked with, and "
        "whether their quota is spent; and those that speak the answers of models in turns. Agent Platform lists some "
        "of its models, and not what can be done with them. Ends with code 1 when a model of a ladder cannot be used, "
        "or nobody is there who speaks."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        is_key_needed = not all(place_of(model).is_agent_platform for model in models_in_service())
        try:
            listed = models_by_id(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION) if is_key_needed else {}
        except CatalogueUnavailable as error:
            raise CommandError(f"The provider does not list its models: {error}") from error
        ladders = [ladder_of(mode) for mode in Mode]
        models = models_in_service()
        unlisted = _unlisted_there(models)
        unusable = [model for model in models if not listed.get(model) and not place_of(model).is_agent_platform]
        ledger.forget_missing(model for model in models if model not in unusable)
        for model in unusable:
            ledger.note_missing(model, "cannot be talked with" if model in listed else "not listed", timezone.now())
        states = ledger.states_of(models)
        for ladder in ladders:
            for level in ladder.all_above(ladder.level(0)):
                is_usable = place_of(level.model).is_agent_platform or listed.get(level.model)
                found = _in_words(is_usable, states[level.model])
                if level.model in unlisted:
                    found += ", and not in the list there, which need not have all"
                self.stdout.write(f"{ladder.mode} {level.number}  {level.model}  {found}")
        silent = self._tell_voices(listed) if are_voices_wanted(models) else ""
        if unusable:
            raise CommandError(f"These models cannot be used: {', '.join(unusable)}.{silent}")
        if silent:
            raise CommandError(silent.strip())

    def _tell_voices(self, listed: Mapping[str, bool]) -> str:
        """What to say where nobody is there who speaks answers in turns."""
        models = settings.TURNS_VOICE_MODELS
        there = [model for model in models if model in listed or place_of(model).is_agent_platform]
        for model in models:
            self.stdout.write(f"voice  {model}  {'ready' if model in there else 'not listed'}")
        if there:
            return ""
        return " None of TURNS_VOICE_MODELS is there: answers in turns are only read."


def _unlisted_there(models: Iterable[str]) -> set[str]:
    """Those of Agent Platform that are not listed in their region. Raises CommandError where nobody may ask there."""
    by_place: defaultdict[Place, list[str]] = defaultdict(list)
    for model in models:
        if place_of(model).is_agent_platform:
            by_place[place_of(model)].append(model)
    unlisted: set[str] = set()
    for place, there in by_place.items():
        project = project_at(place)
        if project is None:
            raise CommandError(f"Nobody asks Agent Platform for {', '.join(there)}: see manage.py check.")
        try:
            listed = ids_there(project)
        except CatalogueUnavailable as error:
            if not error.has_credentials:
                raise CommandError(f"Agent Platform in {place.location} takes no credentials: {error}") from error
            continue
        unlisted.update(model for model in there if id_of(model) not in listed)
    return unlisted


def _in_words(is_usable: bool | None, state: ModelState) -> str:
    if not is_usable:
        return "not listed" if is_usable is None else "cannot be talked with"
    if state.is_spent and state.resets_at is not None:
        return f"spent ({state.kind}) until {state.resets_at:%Y-%m-%d %H:%M %Z}"
    return "ready"
