"""In which languages pages can be had."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language


def version() -> str:
    """Of all catalogues: another one whenever a word in them is."""
    return settings.LOCALE_PATHS[0].name


def is_offered(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def language_of_page(request: HttpRequest) -> dict[str, Any]:
    """For templates, what a page in another language than English, in which all is written, needs beside its words.

    `words_url`: the address of what its scripts say. `socket_query`: how the address of its socket ends.
    """
    return {"words_url": SimpleLazyObject(_words_url), "socket_query": SimpleLazyObject(_socket_query)}


def _words_url() -> str:
    language = _other_language()
    return reverse("words", args=(language, version())) if language else ""


def _socket_query() -> str:
    language = _other_language()
    return f"?language={language}" if language else ""


def _other_language() -> str:
    language = get_language() or settings.LANGUAGE_CODE
    return "" if language == settings.LANGUAGE_CODE else language
