"""What the lobby of a call says of the call that would begin now, and of how to begin it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions_app.user_settings.rows import UserSettings

LINE = re.compile(r'<p class="lobby__settings">(.*?)</p>', re.DOTALL)


def settings_line(client: Client, user: User) -> str:
    client.force_login(user)
    found = LINE.search(client.get("/call/").content.decode())
    assert found is not None
    assert 'href="/settings/#talk"' in found[1]
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def test_the_lobby_leads_to_the_settings_and_says_what_counts(client: Client, alice: User) -> None:
    assert settings_line(client, alice) == "Settings: Voice Kore · Automatic language · Energy full"
    UserSettings.objects.create(user=alice, voice="Puck", language="de-DE")
    assert settings_line(client, alice) == "Settings: Voice Puck · German · Energy full"


def test_what_the_operator_has_locked_counts_before_what_was_chosen(
    client: Client, alice: User, settings: Settings
) -> None:
    UserSettings.objects.create(user=alice, language="de-DE")
    settings.USER_SETTINGS_DEFAULTS, settings.USER_SETTINGS_LOCKED = ["language=fr-FR"], ["language"]
    assert "French" in settings_line(client, alice)


@pytest.mark.parametrize(
    ("query", "times"), [("", 2), ("?take=ticket", 1), ("?continue=00000000-0000-4000-8000-000000000000", 1)]
)
def test_the_lobby_of_a_new_call_suggests_how_to_begin(client: Client, alice: User, query: str, times: int) -> None:
    """The other place is that of the captions, before there are any."""
    client.force_login(alice)
    assert client.get(f"/call/{query}").content.decode().count("You could say:") == times
