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


def catalogue_for_scripts(request: HttpRequest) -> dict[str, Any]:
    """For templates: `words_url`, the address of what scripts say; empty in English, in which they are written."""

    def address() -> str:
        language = get_language() or settings.LANGUAGE_CODE
        return "" if language == settings.LANGUAGE_CODE else reverse("words", args=(language, version()))

    return {"words_url": SimpleLazyObject(address)}
