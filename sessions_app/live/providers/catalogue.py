"""The models that the API lists for a key, and which of them hold Live sessions."""

from __future__ import annotations

import httpx2
from google import genai
from google.genai import errors, types

LIVE_METHOD = "bidiGenerateContent"
PAGE_SIZE = 1_000
TIMEOUT_MS = 20_000
_PREFIX = "models/"


class CatalogueUnavailable(Exception):
    """The list could not be had; the text says why, in the provider's words or the network's."""


def live_models_by_id(api_key: str, api_version: str) -> dict[str, bool]:
    """Every model of the project by its id, and whether it can be talked to live. Blocks; asks the network.

    Raises `CatalogueUnavailable`.
    """
    options = types.HttpOptions(api_version=api_version, timeout=TIMEOUT_MS)
    try:
        with genai.Client(api_key=api_key, http_options=options) as client:
            listed = list(client.models.list(config=types.ListModelsConfig(page_size=PAGE_SIZE)))
    except errors.APIError as error:
        raise CatalogueUnavailable(f"{error.code} {error.message or error.status or ''}".strip()) from error
    except (OSError, httpx2.HTTPError) as error:
        raise CatalogueUnavailable(str(error) or type(error).__name__) from error
    return {
        (model.name or "").removeprefix(_PREFIX): LIVE_METHOD in (model.supported_actions or ()) for model in listed
    }
