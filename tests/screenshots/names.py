"""What stands on a page, in the language that the page is in."""

from __future__ import annotations

from functools import cache

from playwright.sync_api import Page

from config.translations.catalogues import DOMAINS, PSEUDO_LANGUAGE
from config.translations.files import read
from config.translations.pseudo import turned_round


def named(page: Page, text: str) -> str:
    """The words that the page has for this, which its templates or its scripts say in English."""
    language = page.locator("html").get_attribute("lang") or "en"
    return text if language == "en" else _words(language).get(text, text)


@cache
def _words(language: str) -> dict[str, str]:
    is_pseudo = language == PSEUDO_LANGUAGE
    catalogues = [read("de" if is_pseudo else language, domain) for domain in DOMAINS]
    messages = [one for each in catalogues for one in (turned_round(each) if is_pseudo else each)]
    return {one.id: one.string for one in messages if isinstance(one.id, str) and isinstance(one.string, str)}
