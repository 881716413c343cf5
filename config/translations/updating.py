"""Brings the files of translators up to date with what is marked."""

from __future__ import annotations

from babel.messages.catalog import Catalog

from config.translations.extraction import catalogue_of
from config.translations.files import is_translated, read


def brought_up_to_date(locale: str, domain: str) -> tuple[Catalog, int]:
    """What is marked now, with the translations there are; and how many have none."""
    catalogue = read(locale, domain)
    catalogue.update(catalogue_of(domain), no_fuzzy_matching=True)
    return catalogue, sum(1 for message in catalogue if message.id and not is_translated(message.string))
