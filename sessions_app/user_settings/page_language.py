"""In which language a page is: as the user has set it, or else as the browser asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from sessions_app.user_settings.appearance import settings_of_request
from sessions_app.user_settings.terms import OF_THE_DEVICE

logger = logging.getLogger(__name__)

FOR_EVERYBODY = ("/healthz", "/readyz", "/favicon.ico", "/manifest.webmanifest", "/words/", "/csp-reports/")
"""Addresses that answer the same whoever asks: nobody's settings are read for them."""


def speak_to_users(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """To stand behind Django's authentication. What comes without a session's cookie, or asks for what is the same for
    everybody, costs no query."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = _language_for(request)
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def language_of_socket(query_string: bytes) -> str:
    """That of the page which opens a socket, as its address says: also where it has been changed since."""
    asked = parse_qs(query_string.decode("ascii", "replace")).get("language", [""])[0]
    return asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def language_of(chosen: str, request: HttpRequest) -> str:
    """The one that somebody has chosen in the settings, or else that of the browser."""
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return language_accepted(request.headers.get("Accept-Language", ""))


def language_accepted(header: str) -> str:
    """The first of a browser's languages that there is, by its `Accept-Language`, which can be anything."""
    for code, _ in parse_accept_lang_header(header):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def _language_for(request: HttpRequest) -> str:
    chosen = OF_THE_DEVICE
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path_info.startswith(FOR_EVERYBODY):
        try:
            chosen = settings_of_request(request).page_language
        except DatabaseError as error:  # the page itself tells of it, if it needs the database at all
            logger.warning("in which language a user reads cannot be looked up: %s", type(error).__name__)
    return language_of(chosen, request)
