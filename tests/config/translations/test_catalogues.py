"""The words of other languages: compiled by whoever starts first, whole, and never worse than English."""

from __future__ import annotations

import gettext
import stat
from collections.abc import Iterable
from pathlib import Path
from threading import Barrier, Thread

import pytest
from babel.messages.catalog import Catalog
from babel.messages.checkers import checkers

from config.translations import catalogues
from config.translations.extraction import catalogue_of
from config.translations.files import is_translated, locales, read
from sessions_app.user_settings.terms import PAGE_LANGUAGES

EACH = [(locale, domain) for locale in locales() for domain in catalogues.DOMAINS]


def keys(catalogue: Catalog) -> set[tuple[str | None, str | tuple[str, ...]]]:
    return {(one.context, one.id if isinstance(one.id, str) else tuple(one.id)) for one in catalogue if one.id}


def test_there_is_a_catalogue_for_every_language_that_pages_can_be_had_in() -> None:
    assert [*locales()] == sorted(code for code in PAGE_LANGUAGES if code != "en")


@pytest.mark.parametrize(("locale", "domain"), EACH)
def test_what_is_marked_is_in_the_catalogue_and_nothing_else(locale: str, domain: str) -> None:
    marked, there = keys(catalogue_of(domain)), keys(read(locale, domain))
    assert marked == there, "./run manage makemessages brings it up to date"


@pytest.mark.parametrize(("locale", "domain"), EACH)
def test_everything_is_translated_with_the_places_of_the_original(locale: str, domain: str) -> None:
    catalogue = read(locale, domain)
    missing = [one.id for one in catalogue if one.id and not is_translated(one.string)]
    assert missing == []
    for one in catalogue:
        for check in checkers:
            check(catalogue, one)
    assert [one.id for one in catalogue if one.id and one.fuzzy] == []


def test_a_catalogue_is_compiled_once_for_all_processes_that_start_together(tmp_path: Path) -> None:
    target, together = tmp_path / "locale" / catalogues.fingerprint(), Barrier(3)

    def start() -> None:
        together.wait()
        catalogues.ensure_compiled(target)

    starting = [Thread(target=start) for _ in range(3)]
    for one in starting:
        one.start()
    for one in starting:
        one.join()
    assert [one.name for one in target.parent.iterdir()] == [target.name]
    for locale in (*locales(), "ar_XB"):
        for domain in catalogues.DOMAINS:
            gettext.translation(domain, str(target), [locale])


def test_of_former_catalogues_five_stay(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"former-{number}").mkdir()
        (tmp_path / f".making-{number}").mkdir()
    catalogues.ensure_compiled(tmp_path / "now")
    assert len([*tmp_path.iterdir()]) == 1 + catalogues.KEPT


def test_where_nothing_can_be_kept_the_log_says_so_and_the_process_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "locale"
    in_the_way.write_text("")
    catalogues.ensure_compiled(in_the_way / "now")
    assert "pages are in English alone" in caplog.text


def test_a_compiled_catalogue_can_be_read_by_other_users_of_the_machine(tmp_path: Path) -> None:
    catalogues.ensure_compiled(tmp_path / "now")
    assert stat.S_IMODE((tmp_path / "now").stat().st_mode) == 0o755


@pytest.mark.parametrize(("locale", "domain"), EACH)
def test_no_translation_brings_a_quotation_mark_that_would_end_an_attribute(locale: str, domain: str) -> None:
    def has_mark(words: str | Iterable[str]) -> bool:
        return '"' in "".join(words)

    messages = [one for one in read(locale, domain) if one.id]
    assert [one.id for one in messages if has_mark(one.string or "") and not has_mark(one.id)] == []
