"""The compiled catalogues of all languages, made from `config/locale` when a process starts and none has made them yet.

They lie in the data directory under the fingerprint of what they were made from, so that neither an installation nor an
upgrade has a step for them, and two versions beside each other have each their own.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path

logger = logging.getLogger(__name__)

SOURCES = Path(__file__).resolve().parent.parent / "locale"
DOMAINS = ("django", "djangojs")
"""Of the server and its pages, and of the pages' scripts."""

PSEUDO_LANGUAGE = "ar-xb"
"""Words turned round, to see what a language written from right to left does to a page; never offered to users."""

KEPT = 5
"""Compiled catalogues of former versions that stay, for processes that have not ended yet."""


def fingerprint() -> str:
    """Of everything that compiled catalogues are made from."""
    files = [*sorted(SOURCES.rglob("*.po")), *sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def ensure_compiled(target: Path) -> None:
    """Compile all languages into this folder unless it is there. Without it, pages are in English."""
    if target.is_dir():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
        try:
            _compile_all(made)
            made.chmod(0o755)
            os.rename(made, target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        if not target.is_dir():  # else another process was quicker
            logger.warning("pages are in English alone, for the other languages cannot be kept: %s", error)
        return
    _forget_former(target)


def _compile_all(folder: Path) -> None:
    # Loaded by the one process that compiles: it takes a tenth of a second.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    from config.translations.pseudo import turned_round

    for source in sorted(SOURCES.rglob("*.po")):
        locale = source.parent.parent.name
        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=locale)
        for name, one in ((locale, catalogue), (_locale_of_pseudo_language(), turned_round(catalogue))):
            file = folder / name / "LC_MESSAGES" / f"{source.stem}.mo"
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as stream:
                write_mo(stream, one)


def _locale_of_pseudo_language() -> str:
    language, _, variant = PSEUDO_LANGUAGE.partition("-")
    return f"{language}_{variant.upper()}"


def _forget_former(target: Path) -> None:
    others = [one for one in target.parent.iterdir() if one != target]  # also what a killed process has left
    for former in sorted(others, key=lambda one: one.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(former, ignore_errors=True)
