"""System checks of what live sessions need, and of what users may choose for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning

from energy.levels import is_in_turns, models_of
from energy.places import id_of, place_of
from sessions_app.user_settings import terms

SHORTEST_SECRET = 32
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@register()
def check_api_key(**kwargs: Any) -> list[CheckWarning]:
    """Without a key every page works but the conversation itself, unless somebody else makes tokens with it, or no
    model is of the Developer API."""
    is_needed = any(not place_of(model).is_agent_platform for model in models_of(settings.ENERGY_LADDERS))
    has_tokens = settings.GEMINI_DIAL_WITH_TOKENS and settings.GEMINI_TOKEN_SERVICE_URL
    if settings.GEMINI_API_KEY or has_tokens or not is_needed:
        return []
    return [
        CheckWarning(
            "GEMINI_API_KEY is not set: no conversation can be opened.",
            hint="Set GEMINI_API_KEY, or start with ./run, which brings an emulator.",
            id="holdline.W301",
        )
    ]


@register()
def check_agent_platform(**kwargs: Any) -> list[CheckMessage]:
    """Whoever names models of Agent Platform says in which project and where, and with what they may be asked."""
    of_recordings = settings.RECORDING_MODELS if settings.RECORDINGS else ()
    others = (*settings.SUMMARY_MODELS, *settings.TURNS_VOICE_MODELS, *of_recordings)
    models = (*models_of(settings.ENERGY_LADDERS), *others)
    return list(_of_agent_platform([model for model in models if place_of(model).is_agent_platform]))


def _of_agent_platform(models: list[str]) -> Iterator[CheckMessage]:
    if not models:
        return
    if not settings.GOOGLE_CLOUD_PROJECT:
        yield Error(
            f"{models[0]} is a model of Agent Platform, and GOOGLE_CLOUD_PROJECT is not set.",
            hint="Set it to the id of the project, or take GOOGLE_GENAI_USE_VERTEXAI and the prefix away.",
            id="holdline.E308",
        )
    nowhere = next((model for model in models if not place_of(model).location), None)
    if nowhere is not None:
        yield Error(
            f"{nowhere} is a model of Agent Platform, and nobody says in which location.",
            hint="Set GOOGLE_CLOUD_LOCATION, us-central1 for instance, or write vertex@us-central1:... before its id.",
            id="holdline.E309",
        )
    nowhere_live = next((model for model in models if _is_live_and_global(model)), None)
    if nowhere_live is not None:
        yield CheckWarning(
            f"{nowhere_live}: by the documentation few Live models are served in the location global.",
            hint="Name a region, us-central1 for instance, or look with manage.py doctor --live whether it is there.",
            id="holdline.W311",
        )
    if settings.GOOGLE_CLOUD_ACCESS_TOKEN and not settings.GOOGLE_VERTEX_BASE_URL:
        yield CheckWarning(
            "GOOGLE_CLOUD_ACCESS_TOKEN is set: within an hour it is over, and nobody renews it.",
            hint="Leave it out for Application Default Credentials, or set GOOGLE_APPLICATION_CREDENTIALS.",
            id="holdline.W310",
        )


@register()
def check_tokens_for_users(**kwargs: Any) -> list[CheckWarning]:
    """Tokens are of the Developer API alone."""
    is_live_there = any(
        not place_of(model).is_agent_platform and not is_in_turns(model) for model in models_of(settings.ENERGY_LADDERS)
    )
    if not settings.EPHEMERAL_TOKENS or is_live_there:
        return []
    return [
        CheckWarning(
            "EPHEMERAL_TOKENS is set, and no Live model of the ladders is of the Developer API: none can be made.",
            hint="Leave it out, or name such a model in CALL_MODELS: Agent Platform has no ephemeral tokens.",
            id="holdline.W312",
        )
    ]


def _is_live_and_global(model: str) -> bool:
    return place_of(model).location == "global" and "-live" in id_of(model)


@register()
def check_tokens_of_dials(**kwargs: Any) -> list[CheckMessage]:
    """Settings of tokens that contradict each other."""
    return [*_of_who_asks(), *_of_the_service()]


def _of_who_asks() -> Iterator[CheckMessage]:
    if not settings.GEMINI_TOKEN_SERVICE_URL:
        return
    if not settings.GEMINI_DIAL_WITH_TOKENS:
        yield Error(
            "GEMINI_TOKEN_SERVICE_URL is set, and GEMINI_DIAL_WITH_TOKENS is not: nobody would ask there.",
            hint="Set GEMINI_DIAL_WITH_TOKENS=1 as well, or neither.",
            id="holdline.E302",
        )
    if not settings.GEMINI_TOKEN_SERVICE_SECRET:
        yield _no_secret("GEMINI_TOKEN_SERVICE_URL")
    url = urlsplit(settings.GEMINI_TOKEN_SERVICE_URL)
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        yield CheckWarning(
            "GEMINI_TOKEN_SERVICE_URL is http: its secret and the tokens can be read on the way.",
            hint="Use https, unless nobody else is on the network between the two.",
            id="holdline.W305",
        )
    needs_key = [
        *(["summaries"] if settings.TASKS_IN_PROCESS else []),
        *(["questions about recordings"] if settings.RECORDINGS else []),
        *(["tokens for users"] if settings.EPHEMERAL_TOKENS else []),
    ]
    if needs_key and not settings.GEMINI_API_KEY:
        yield CheckWarning(
            f"GEMINI_API_KEY is not set: calls get along by tokens, but {' and '.join(needs_key)} need the key.",
            hint="A worker that has it writes summaries (REDIS_URL); the others need it in this process, or are 0.",
            id="holdline.W306",
        )


def _of_the_service() -> Iterator[CheckMessage]:
    if not settings.GEMINI_TOKEN_SERVICE:
        return
    if not settings.GEMINI_API_KEY:
        yield Error(
            "GEMINI_TOKEN_SERVICE is set, and GEMINI_API_KEY is not: there is nothing to make tokens with.",
            hint="Set GEMINI_API_KEY in the process that is the service.",
            id="holdline.E304",
        )
    if len(settings.GEMINI_TOKEN_SERVICE_SECRET) < SHORTEST_SECRET:
        yield _no_secret("GEMINI_TOKEN_SERVICE")


def _no_secret(name: str) -> Error:
    return Error(
        f"{name} is set, and GEMINI_TOKEN_SERVICE_SECRET is not, or is shorter than {SHORTEST_SECRET} characters.",
        hint="Set it to the same on both sides: openssl rand -hex 32 makes one.",
        id="holdline.E303",
    )


@register()
def check_recording_models(**kwargs: Any) -> list[CheckMessage]:
    """Live models take no files."""
    live = [model for model in settings.RECORDING_MODELS if "-live" in id_of(model)] if settings.RECORDINGS else []
    hint = "Name models that answer in turns in RECORDING_MODELS, such as gemini-3.8-flash."
    return [
        Error(f"{model} takes no files, and is to listen to recordings.", hint=hint, id="holdline.E313")
        for model in live
    ]


@register()
def check_defaults_of_user_settings(**kwargs: Any) -> list[Error]:
    """What counts for users who have chosen nothing can be read."""
    try:
        terms.read_defaults(settings.USER_SETTINGS_DEFAULTS, settings.ASSISTANT_VOICE)
    except terms.Refused as refusal:
        hint = "Write answer_length=short,theme=dark, as .env.example says."
        return [Error(f"USER_SETTINGS_DEFAULTS: {refusal}", hint=hint, id="holdline.E307")]
    return []
