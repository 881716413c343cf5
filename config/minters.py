"""Who makes the tokens that this process dials with, as the settings have it."""

from __future__ import annotations

from django.conf import settings

from energy.places import Place
from sessions_app.live.providers.minting import Minter


def is_dialled_by_token(place: Place) -> bool:
    """Whether a token of its own lets a connection in there; Agent Platform has none."""
    return settings.GEMINI_DIAL_WITH_TOKENS and not place.is_agent_platform


def minter_of_dials() -> Minter | None:
    """The token service, or the provider itself; None where there is neither an address nor a key.

    Loads the SDK, which takes a second, unless the service is asked.
    """
    if settings.GEMINI_TOKEN_SERVICE_URL:
        from sessions_app.live.providers.token_service import ServiceMinter

        return ServiceMinter(settings.GEMINI_TOKEN_SERVICE_URL, settings.GEMINI_TOKEN_SERVICE_SECRET)
    return minter_with_key()


def minter_with_key() -> Minter | None:
    """The provider, asked with this process's key; None without one. Loads the SDK."""
    if not settings.GEMINI_API_KEY:
        return None
    from sessions_app.live.providers.auth_tokens import GeminiMinter

    return GeminiMinter(settings.GEMINI_API_KEY)
