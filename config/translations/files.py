"""The `.po` files: read and written."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from config.translations.catalogues import SOURCES

WIDTH = 120


def po_file(locale: str, domain: str) -> Path:
    return SOURCES / locale / "LC_MESSAGES" / f"{domain}.po"


def locales() -> list[str]:
    """Those that there are translations for."""
    return sorted(one.name for one in SOURCES.iterdir() if one.is_dir())


def read(locale: str, domain: str) -> Catalog:
    """Empty where there is no such file yet."""
    file = po_file(locale, domain)
    if not file.exists():
        return Catalog(locale=locale, project="Holdline", charset="utf-8", fuzzy=False)
    with file.open("rb") as stream:
        return read_po(stream, locale=locale, domain=domain)


def is_translated(string: str | list[str] | tuple[str, ...] | None) -> bool:
    """Whether there is a translation, in all its numbers."""
    return bool(string) and all(string or ())


def write(catalogue: Catalog, file: Path) -> None:
    """Without lines and days, which would change with every edit elsewhere."""
    file.parent.mkdir(parents=True, exist_ok=True)
    catalogue.header_comment = ""
    with file.open("wb") as stream:
        write_po(stream, catalogue, width=WIDTH, include_lineno=False, ignore_obsolete=True, omit_header=False)
    lines = file.read_text().splitlines(keepends=True)
    days = ('"POT-Creation-Date:', '"PO-Revision-Date:', '"Generated-By:', '"Last-Translator:', '"Language-Team:')
    file.write_text("".join(line for line in lines if not line.startswith(days) and line != "#\n"))
