"""The models that a provider lists, and which of them can be talked with, as far as it says."""

from __future__ import annotations

import httpx2
from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai import errors, types

from energy.levels import Kind, UnknownModel, profile_of
from sessions_app.live.providers.accounts import Account, CloudProject, client_for

METHODS = {Kind.LIVE: "bidiGenerateContent", Kind.TURNS: "generateContent"}
"""By which a model of each kind is talked with."""

PAGE_SIZE = 1_000
TIMEOUT_MS = 20_000
_PREFIX = "models/"
_PREFIX_THERE = "publishers/google/models/"
_VERSION_THERE = "v1beta1"
"""`publishers.models.list` of Agent Platform is in no other ("Vertex AI REST API", read 2026-11)."""

_UNAUTHENTICATED = 401


class CatalogueUnavailable(Exception):
    """The list could not be had; the text says why, in the provider's words or the network's.

    `has_credentials`: false where it is for want of any that are taken.
    """

    def __init__(self, text: str, *, has_credentials: bool = True) -> None:
        super().__init__(text)
        self.has_credentials = has_credentials


def models_by_id(api_key: str, api_version: str) -> dict[str, bool]:
    """Every model of the project by its id, and whether it can be talked with: live, unless a profile says that it is
    one for turns. Blocks; asks the network.

    Raises `CatalogueUnavailable`.
    """
    listed = _listed(api_key, api_version)
    methods = {(model.name or "").removeprefix(_PREFIX): model.supported_actions or [] for model in listed}
    return {model: _method_of(model) in known for model, known in methods.items()}


def ids_there(project: CloudProject) -> frozenset[str]:
    """The ids of the models of Agent Platform that its address for a region lists, whatever can be done with them:
    nothing is said of that, nor whether it has others. Blocks; asks the network.

    Raises `CatalogueUnavailable`.
    """
    return frozenset((model.name or "").removeprefix(_PREFIX_THERE) for model in _listed(project, _VERSION_THERE))


def _listed(account: Account, api_version: str) -> list[types.Model]:
    options = types.HttpOptions(api_version=api_version, timeout=TIMEOUT_MS)
    try:
        with client_for(account, options) as client:
            return list(client.models.list(config=types.ListModelsConfig(page_size=PAGE_SIZE)))
    except errors.APIError as error:
        text = f"{error.code} {error.message or error.status or ''}".strip()
        raise CatalogueUnavailable(text, has_credentials=error.code != _UNAUTHENTICATED) from error
    except GoogleAuthError as error:
        may_be_renewed = error.retryable or isinstance(error, TransportError)
        raise CatalogueUnavailable(f"no credentials: {error}", has_credentials=may_be_renewed) from error
    except (OSError, httpx2.HTTPError) as error:
        raise CatalogueUnavailable(str(error) or type(error).__name__) from error


def _method_of(model: str) -> str:
    try:
        return METHODS[profile_of(model).kind]
    except UnknownModel:
        return METHODS[Kind.LIVE]
