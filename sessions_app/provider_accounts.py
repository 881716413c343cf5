"""Who asks a provider for the models of a place, as the settings have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from energy.places import Place

if TYPE_CHECKING:
    from sessions_app.live.providers.accounts import Account, CloudProject


def has_account(place: Place) -> bool:
    """Whether anybody can ask there."""
    if place.is_agent_platform:
        return bool(settings.GOOGLE_CLOUD_PROJECT and place.location)
    return bool(settings.GEMINI_API_KEY)


def account_at(place: Place) -> Account:
    """Who asks; one that is missing is an empty key. Loads the SDK where the place is of Agent Platform."""
    if not place.is_agent_platform or not has_account(place):
        return "" if place.is_agent_platform else str(settings.GEMINI_API_KEY)
    from sessions_app.live.providers.accounts import CloudProject

    return CloudProject(settings.GOOGLE_CLOUD_PROJECT, place.location, settings.GOOGLE_CLOUD_ACCESS_TOKEN)


def project_at(place: Place) -> CloudProject | None:
    """Who asks on Agent Platform; None where nobody can. Loads the SDK."""
    account = account_at(place)
    return None if isinstance(account, str) else account


def version_at(place: Place) -> str:
    """The version of the API there."""
    version = settings.AGENT_PLATFORM_API_VERSION if place.is_agent_platform else settings.GEMINI_API_VERSION
    return str(version)
