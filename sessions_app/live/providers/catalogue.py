"""The models that the API lists for a key, and which of them can be talked with."""

from __future__ import annotations

import httpx2
from google.genai import errors, types

from energy.levels import Kind, UnknownModel, profile_of
from sessions_app.live.providers.accounts import client_for

METHODS = {Kind.LIVE: "bidiGenerateContent", Kind.TURNS: "generateContent"}
"""By which a model of each kind is talked with."""

PAGE_SIZE = 1_000
TIMEOUT_MS = 20_000
_PREFIX = "models/"


class CatalogueUnavailable(Exception):
    """The list could not be had; the text says why, in the provider's words or the network's."""


def models_by_id(api_key: str, api_version: str) -> dict[str, bool]:
    """Every model of the project by its id, and whether it can be talked with: live, unless a profile says that it is
    one for turns. Blocks; asks the network.

    Raises `CatalogueUnavailable`.
    """
    options = types.HttpOptions(api_version=api_version, timeout=TIMEOUT_MS)
    try:
        with client_for(api_key, options) as client:
            listed = list(client.models.list(config=types.ListModelsConfig(page_size=PAGE_SIZE)))
    except errors.APIError as error:
        raise CatalogueUnavailable(f"{error.code} {error.message or error.status or ''}".strip()) from error
    except (OSError, httpx2.HTTPError) as error:
        raise CatalogueUnavailable(str(error) or type(error).__name__) from error
    methods = {(model.name or "").removeprefix(_PREFIX): model.supported_actions or [] for model in listed}
    return {model: _method_of(model) in known for model, known in methods.items()}


def _method_of(model: str) -> str:
    try:
        return METHODS[profile_of(model).kind]
    except UnknownModel:
        return METHODS[Kind.LIVE]
