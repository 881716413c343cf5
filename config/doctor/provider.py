"""The key, and whether the provider has the models of the ladders and will have them."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from config.doctor.findings import Finding, failed, not_set, ok, warning
from energy import ledger
from energy.levels import announced_end, are_voices_wanted, ends_ahead, models_of
from energy.places import Place, id_of, place_of
from sessions_app.provider_accounts import project_at


@dataclass(frozen=True, slots=True)
class _Work:
    """What some models are there for besides talking, in words that follow on "that", "to" and their names.

    `setting`: has the models. `without`: what it means that there are none, if it has to be said.
    """

    setting: str
    does: str
    do: str
    purpose: str
    without: str = ""


_RECORDINGS = _Work(
    "RECORDING_MODELS",
    "answers questions about recordings",
    "answer questions about recordings",
    "for questions about recordings",
)
_SUMMARIES = _Work("SUMMARY_MODELS", "writes summaries", "write summaries", "for summaries")
_VOICES = _Work(
    "TURNS_VOICE_MODELS",
    "speaks the answers of models in turns",
    "speak answers in turns",
    "to speak answers in turns",
    without=": they are only read",
)


def look() -> Iterator[Finding]:
    """The first finding is about the key, the others about one model each."""
    models = models_of(settings.ENERGY_LADDERS)
    for place in dict.fromkeys(place_of(model) for model in models if _is_there(model)):
        yield from _of_agent_platform(place, [model for model in models if place_of(model) == place])
    if not all(map(_is_there, models)):
        yield from _of_the_developer_api(models)


def _of_agent_platform(place: Place, models: Sequence[str]) -> Iterator[Finding]:
    """What a region lists is there. What it does not may be there as well; what can be done with it is not said."""
    project = project_at(place)
    if project is None:
        yield failed("nobody asks Agent Platform", "Set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION.")
        return
    from sessions_app.live.providers.catalogue import CatalogueUnavailable, ids_there

    where = f"Agent Platform in {place.location}"
    try:
        listed = ids_there(project)
    except CatalogueUnavailable as error:
        if not error.has_credentials:
            yield failed(f"{where} takes no credentials: {error}", "See 'Setting it up' in docs/agent-platform.md.")
            return
        yield not_set(f"{where} does not list its models ({error}): manage.py doctor --live dials them")
        return
    yield ok(f"{where} takes the credentials")
    for model in models:
        yield _about(model, True, timezone.now()) if id_of(model) in listed else not_listed(model)


def not_listed(model: str) -> Finding:
    """Agent Platform lists no model of a region by what can be done with it, and not all."""
    return not_set(f"{model} is not in the list there, which need not have all: manage.py doctor --live dials it")


def _of_the_developer_api(models: Sequence[str]) -> Iterator[Finding]:
    if not settings.GEMINI_API_KEY and settings.GEMINI_DIAL_WITH_TOKENS and settings.GEMINI_TOKEN_SERVICE_URL:
        yield not_set("GEMINI_API_KEY: this process dials with tokens of another one. Look at models there")
        return
    if not settings.GEMINI_API_KEY:
        yield failed("there is none", "Set GEMINI_API_KEY; nobody can talk without it.")
        return
    # Loads the SDK, which takes a while and is of no use without a key.
    from sessions_app.live.providers.catalogue import CatalogueUnavailable, models_by_id

    where = f" of {settings.GOOGLE_GEMINI_BASE_URL}" if settings.GOOGLE_GEMINI_BASE_URL else ""
    try:
        listed = models_by_id(settings.GEMINI_API_KEY, settings.GEMINI_API_VERSION)
    except CatalogueUnavailable as error:
        yield failed(
            f"the provider{where} does not list its models: {error}",
            "See 'The provider refuses' in docs/operations.md if it says so, else the way to it.",
        )
        return
    yield ok(f"the provider{where} takes it")
    for model in models:
        if not _is_there(model):
            yield _about(model, listed.get(model), timezone.now())
    if settings.RECORDINGS:
        yield _about_those_for(_RECORDINGS, listed)
    yield _about_those_for(_SUMMARIES, listed)
    if are_voices_wanted(models):
        yield _about_those_for(_VOICES, listed)


def _is_there(model: str) -> bool:
    return place_of(model).is_agent_platform


def _about_those_for(work: _Work, listed: Container[str]) -> Finding:
    """Each of its models is asked when the one before it fails."""
    models = getattr(settings, work.setting)
    there = [model for model in models if model in listed or _is_there(model)]
    missing = ", ".join(model for model in models if model not in there)
    if not there:
        return failed(f"none that {work.does} is listed ({missing}){work.without}", f"Name others in {work.setting}.")
    if missing:
        return warning(f"{missing} is not listed, and was to {work.do}", f"Take it off {work.setting}.")
    return ok(f"{', '.join(there)} {work.purpose}")


def _about(model: str, is_usable: bool | None, now: datetime.datetime) -> Finding:
    """`is_usable`: what the provider lists of it; None when it does not."""
    if not is_usable:
        why = "is not listed" if is_usable is None else "cannot be talked with"
        return failed(f"{model} {why}", "Take it off CALL_MODELS and TEXT_MODELS, then manage.py check_models.")
    today, end = now.date(), announced_end(model)
    for ahead in ends_ahead([model], today):
        return warning(ahead.in_words(today), "Put another in its place in CALL_MODELS, TEXT_MODELS.")
    state = ledger.states_of([model])[model]
    if state.is_spent and state.resets_at is not None and state.resets_at > now:
        until = f"{state.resets_at:%Y-%m-%d %H:%M %Z}"
        return warning(f"{model} is spent ({state.kind}) until {until}", "See 'Everybody is at level 0'.")
    return ok(f"{model}, {f'until {end}' if end else 'without an announced end'}")
