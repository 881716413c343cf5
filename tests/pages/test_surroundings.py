"""What belongs to a site beside its pages: icons, the manifest, what others show of a link, and error pages."""

from __future__ import annotations

import json
import logging
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest
from django.test import Client, RequestFactory

from config.error_pages import own_fault


def test_it_can_be_installed_under_its_name_and_each_of_its_icons_is_there(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    told = json.loads(answer.content)
    assert (told["name"], told["display"], told["start_url"]) == ("Holdline", "standalone", "/")
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    for icon in told["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/"))


def test_the_icon_is_where_browsers_look_for_it_unasked(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/images/favicon.ico"
    assert finders.find("images/favicon.ico")


def test_a_link_to_it_has_a_card_with_a_picture_that_can_be_fetched_from_elsewhere(client: Client) -> None:
    page = client.get("/accounts/login/", HTTP_HOST="testserver").content.decode()
    found = re.search(r'property="og:image" content="([^"]*)"', page)
    assert found is not None
    assert found[1] == "http://testserver/static/images/card.png"
    assert finders.find("images/card.png")


def test_who_is_logged_in_is_sent_no_card(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "og:image" not in client.get("/").content.decode()


def test_the_page_of_a_fault_asks_nothing_of_the_database() -> None:
    """Tests without a mark have none: a query would fail."""
    answer = own_fault(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content
    assert b"stylesheet" in answer.content


def test_a_fault_has_a_page_also_where_the_static_files_have_no_list(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(name: str) -> str:
        raise ValueError(f"Missing staticfiles manifest entry for {name!r}")

    monkeypatch.setattr(staticfiles_storage, "url", missing)
    request: HttpRequest = RequestFactory().get("/")
    with caplog.at_level(logging.ERROR):
        answer = own_fault(request)
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content
    assert b"stylesheet" not in answer.content
    assert "could not be put together" in caplog.text


@pytest.mark.django_db
def test_the_admin_bears_the_name_of_the_product(client: Client, sam: User) -> None:
    client.force_login(sam)
    page = client.get("/admin/sessions_app/conversation/").content.decode()
    assert "Django" not in page
    assert "| Holdline</title>" in page
