"""In which language a page is, and in which its scripts and its socket speak."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from config.translations.catalogues import PSEUDO_LANGUAGE
from config.translations.languages import version
from sessions_app.user_settings import page_language, service
from sessions_app.user_settings.page_fields import form_of
from sessions_app.user_settings.page_language import language_of_socket
from sessions_app.user_settings.terms import UserSettings

GERMAN = {"Accept-Language": "fr-CH, de-AT;q=0.9, en;q=0.8"}


@pytest.fixture
def reader(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def language_of(page: bytes) -> str:
    found = re.search(rb'<html lang="([^"]+)"', page)
    assert found
    return found.group(1).decode()


def choose(user: User, language: str) -> None:
    service.save(user.pk, UserSettings(page_language=language), service.rules_of_the_server())


@pytest.mark.django_db
def test_a_visitor_reads_in_the_first_language_of_the_browser_that_there_is(client: Client) -> None:
    answer = client.get("/accounts/login/", headers=GERMAN)
    assert (language_of(answer.content), answer["Content-Language"]) == ("de", "de")
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["", "*", "xx", "de" * 400, "en;q=nonsense", "\x00de", "tlh, zz;q=0.1"])
def test_whatever_else_a_browser_asks_for_is_answered_in_english(client: Client, header: str) -> None:
    assert language_of(client.get("/accounts/login/", headers={"Accept-Language": header}).content) == "en"


def test_what_a_user_has_chosen_counts_before_the_browser(reader: Client, alice: User) -> None:
    assert language_of(reader.get("/settings/", headers=GERMAN).content) == "de"
    choose(alice, "en")
    assert language_of(reader.get("/settings/", headers=GERMAN).content) == "en"


def test_the_choice_is_made_in_the_settings_and_counts_at_once(reader: Client, alice: User) -> None:
    page = reader.get("/settings/")
    assert b'name="page_language"' in page.content
    kept = service.settings_for(alice.pk)
    form = form_of(replace(kept, page_language="de"))
    answer = reader.post("/settings/", form, follow=True)
    assert language_of(answer.content) == "de"
    assert "Gespeichert." in answer.content.decode()
    assert "Saved." not in answer.content.decode()


def test_who_asks_without_a_session_costs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        assert client.get("/manifest.webmanifest").status_code == 200


def test_settings_that_cannot_be_read_leave_the_language_of_the_browser(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: object) -> UserSettings:
        raise DatabaseError

    monkeypatch.setattr(page_language, "settings_of_request", fail)
    assert language_of(reader.get("/privacy-is-no-page/", headers=GERMAN).content) == "de"


@pytest.mark.django_db
def test_the_scripts_of_an_english_page_load_no_words_and_those_of_another_do_first(client: Client) -> None:
    english, german = client.get("/").content, client.get("/", headers=GERMAN).content
    assert b"/words/" not in english
    words, module = german.index(b'<script src="/words/de.'), german.index(b'<script type="module"')
    assert words < module


@pytest.mark.django_db
def test_the_words_of_scripts_are_kept_for_ever_under_the_address_that_a_page_has(client: Client) -> None:
    found = re.search(rb'<script src="([^"]+)"', client.get("/", headers=GERMAN).content)
    assert found
    answer = client.get(found.group(1).decode())
    assert answer["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer["Cache-Control"]
    assert "immutable" not in client.get("/words/de.0123456789abcdef.js").get("Cache-Control", "")
    assert client.get("/words/xx.0123456789abcdef.js").status_code == 404


@pytest.mark.django_db
def test_the_words_of_scripts_come_compressed_to_browsers_that_take_them_so(reader: Client) -> None:
    address = reverse("words", args=("de", version()))
    plain, compressed = reader.get(address), reader.get(address, headers={"accept-encoding": "gzip, br"})
    assert "Content-Encoding" not in plain
    assert compressed["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.content) == plain.content
    assert "Accept-Encoding" in compressed["Vary"]


@pytest.mark.django_db
def test_the_words_of_scripts_are_in_the_language_of_their_address(reader: Client) -> None:
    assert reader.get(reverse("words", args=("de", version())))["Content-Language"] == "de"


@pytest.mark.django_db
def test_a_page_in_a_language_from_right_to_left_says_so(client: Client, settings: Settings) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, (PSEUDO_LANGUAGE, "Pseudo")]
    page = client.get("/accounts/login/", headers={"Accept-Language": PSEUDO_LANGUAGE}).content
    assert f'<html lang="{PSEUDO_LANGUAGE}" dir="rtl"'.encode() in page


@pytest.mark.parametrize(
    ("query", "language"),
    [
        (b"language=de", "de"),
        (b"a=b&language=de&language=en", "de"),
        (b"", "en"),
        (b"language=", "en"),
        (b"language=xx", "en"),
        (b"language=../../de", "en"),
        (b"\xff\xfe=%ff&&&language", "en"),
    ],
)
def test_a_socket_speaks_the_language_that_its_address_names_if_there_is_one(query: bytes, language: str) -> None:
    assert language_of_socket(query) == language


def test_the_address_of_a_socket_names_the_language_of_its_page(reader: Client) -> None:
    for path in ("/text/", "/call/", "/session/"):
        assert b"/?language=de" in reader.get(path, headers=GERMAN).content, path
        assert b"?language=" not in reader.get(path).content, path


def test_a_form_from_before_there_was_a_choice_of_language_is_saved_all_the_same(reader: Client, alice: User) -> None:
    choose(alice, "de")
    form = form_of(replace(service.settings_for(alice.pk), theme="dark"))
    del form["page_language"]
    reader.post("/settings/", form)
    kept = service.settings_for(alice.pk)
    assert (kept.theme, kept.page_language) == ("dark", "de")
