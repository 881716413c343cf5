"""Who asks Gemini: a key of the Developer API, or a project of Agent Platform (Vertex AI)."""

from __future__ import annotations

from dataclasses import dataclass, field

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials


@dataclass(frozen=True, slots=True)
class CloudProject:
    """A project in a location of Agent Platform.

    `token`: a fixed access token, which nobody renews; empty for the credentials that Google's libraries find by
    themselves (Application Default Credentials, `GOOGLE_APPLICATION_CREDENTIALS`), which are renewed.
    """

    project: str
    location: str
    token: str = field(default="", repr=False)


Account = str | CloudProject
"""A key, or a project. The base URL and the trusted certificates come from the environment, as the SDK documents."""


def client_for(account: Account, options: types.HttpOptions) -> genai.Client:
    """A client of the SDK, which would else choose the side by its own variables (`GOOGLE_GENAI_USE_VERTEXAI`)."""
    if isinstance(account, str):
        return genai.Client(vertexai=False, api_key=account, http_options=options)
    credentials = Credentials(account.token) if account.token else None
    return genai.Client(
        vertexai=True,
        project=account.project,
        location=account.location,
        credentials=credentials,
        http_options=options,
    )
