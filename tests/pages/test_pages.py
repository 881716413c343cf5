"""Who gets which page, and what the pages tell their scripts."""

import re
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from energy.levels import Mode
from sessions_app.models import Conversation

PAGES_OF_USERS = ["/text/", "/call/"]


@pytest.mark.parametrize("path", PAGES_OF_USERS)
def test_a_visitor_is_sent_to_log_in_and_back(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={path}"


def test_a_visitor_reads_what_it_is_and_where_to_log_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "on a line that does not drop" in response.content.decode()
    assert 'href="/accounts/login/"' in response.content.decode()


def test_a_user_finds_both_doors_at_home(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = client.get("/").content.decode()
    assert 'class="door door--call" href="/call/"' in page
    assert 'class="door door--text" href="/text/"' in page


@pytest.mark.parametrize(("path", "mode"), [("/text/", "text"), ("/call/", "call")])
def test_a_page_tells_its_script_where_everything_is(client: Client, alice: User, path: str, mode: str) -> None:
    client.force_login(alice)
    root = re.search(r"<html[^>]*>", client.get(path).content.decode())
    assert root is not None
    facts = dict(re.findall(r'data-([a-z-]+)="([^"]*)"', root[0]))
    assert facts["mode"] == mode
    assert facts["ws-path"] == f"/ws/{mode}/"
    assert facts["login-url"] == "/accounts/login/"
    for worklet in ("capture-worklet", "playback-worklet"):
        assert finders.find(facts[worklet].removeprefix("/static/"))


@pytest.mark.parametrize("path", ["/", *PAGES_OF_USERS])
def test_a_page_with_somebodys_data_is_kept_in_no_cache(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/", *PAGES_OF_USERS])
def test_a_page_holds_no_inline_script_or_style(client: Client, alice: User, path: str) -> None:
    if path in PAGES_OF_USERS:
        client.force_login(alice)
    page = client.get(path).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)


@pytest.mark.parametrize("path", ["/", "/accounts/login/", *PAGES_OF_USERS])
def test_every_file_that_a_page_names_is_there(client: Client, alice: User, path: str) -> None:
    if path in PAGES_OF_USERS:
        client.force_login(alice)
    page = client.get(path).content.decode()
    names = re.findall(r'(?:href|src)="/static/([^"]+)"', page)
    assert names
    assert [name for name in names if not finders.find(name)] == []


@pytest.mark.parametrize("path", ["/", *PAGES_OF_USERS])
def test_pages_take_no_forms(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    assert client.post(path).status_code == 405


def test_an_unknown_address_gets_a_page_of_ours(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Nobody at this number" in response.content.decode()


def test_a_form_without_its_token_gets_a_page_of_ours(alice: User) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"username": "alice", "password": "x"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_error_page_needs_nothing_from_the_request(status: int) -> None:
    assert 'href="/"' in render_to_string(f"{status}.html")


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_error_page_says_its_language_without_the_request(status: int) -> None:
    with override("de"):
        assert '<html lang="de"' in render_to_string(f"{status}.html")


def talk(user: User, mode: Mode, **fields: Any) -> Conversation:
    """A conversation in which something was said."""
    conversation = Conversation.objects.create(user=user, mode=mode, **fields)
    conversation.turns.create(number=0, role="user", text="Hello", status="complete", at=timezone.now())
    return conversation


def test_home_tells_what_is_still_there(client: Client, alice: User) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        talk(alice, Mode.TEXT)
        talk(alice, Mode.CALL, status="ended", ended_at=timezone.now())
        client.force_login(alice)
        page = client.get("/").content.decode()
    assert "Your conversation is still there. Last word: now." in page
    assert "Last call: now." in page


def test_home_tells_nothing_of_what_was_cleared_was_silent_or_is_somebody_elses(
    client: Client, alice: User, bob: User
) -> None:
    talk(alice, Mode.TEXT, status="ended", ended_at=timezone.now())
    Conversation.objects.create(user=alice, mode=Mode.CALL)
    talk(bob, Mode.TEXT)
    talk(bob, Mode.CALL)
    client.force_login(alice)
    page = client.get("/").content.decode()
    assert "Your conversation is still there" not in page
    assert "Last call" not in page
