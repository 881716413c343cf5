"""Browsers in which somebody has logged in before, told by a cookie: strangers' tries never keep them out.

These are OWASP's device cookies. A browser that shows one has its own count of wrong tries, whoever else tries that
account; without one everybody shares the counts of the account and of the address. A cookie is good for the accounts
that have logged in with it, as long as their passwords stay the same, and for nothing but trying: it lets nobody in.
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "known_browser"
PATH = "/accounts/"
SALT = "sessions_app.known_browsers"
VALID_S = 365 * 24 * 3600
ACCOUNTS_IN_A_BROWSER = 5
"""Those who logged in last: a family at one computer."""

DEVICES_OF_AN_ACCOUNT = 256
"""As many counts of devices there can be: somebody with an account must not fill the table by collecting cookies."""

TRACE_CHARACTERS = 32


def device_of(request: HttpRequest, user: User | None) -> str:
    """By what tries of this browser on the account are counted; empty if it does not know the browser, or is none."""
    for user_id, device, trace in _entries(request):
        if user is not None and user_id == user.pk and trace in _traces_of(user):
            return f"{user_id}:{device}"
    return ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Make this browser known to an account that has just proved to be its user's, beside others it is known to."""
    entry = [user.pk, secrets.randbelow(DEVICES_OF_AN_ACCOUNT), _traces_of(user)[0]]
    others = [entry for entry in _entries(request) if entry[0] != user.pk]
    response.set_cookie(
        COOKIE,
        signing.dumps([entry, *others[: ACCOUNTS_IN_A_BROWSER - 1]], salt=SALT),
        max_age=VALID_S,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _entries(request: HttpRequest) -> list[list[Any]]:
    """Id of a user, number of the device, trace of the password: those that this server has signed."""
    try:
        entries: list[list[Any]] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=VALID_S)
    except signing.BadSignature:
        return []
    return entries


def _traces_of(user: User) -> list[str]:
    """What changes with the password, by the present key and by those before it."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return [hash[:TRACE_CHARACTERS] for hash in hashes]
