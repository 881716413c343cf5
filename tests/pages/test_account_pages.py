"""The pages about one's own account."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_app.models import BrowserSession
from tests.services.cast import PASSWORD

NEW_PASSWORD = "quite-another-secret-2"
PAGES = ["/account/", "/account/email/", "/account/password/", "/account/delete/"]
CHANGE = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}


@pytest.fixture
def browser(alice: User) -> Client:
    """A browser of Alice's."""
    return another_browser(alice)


def another_browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def is_logged_in(client: Client) -> bool:
    return client.get("/text/").status_code == 200


def row_of(client: Client) -> BrowserSession:
    return BrowserSession.objects.get(session_id=client.cookies["sessionid"].value)


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_is_sent_to_log_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("path", PAGES)
def test_they_are_kept_in_no_cache_and_hold_no_inline_script(browser: Client, path: str) -> None:
    response = browser.get(path)
    assert "no-store" in response["Cache-Control"]
    page = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)


def test_every_page_leads_to_them(browser: Client) -> None:
    assert 'href="/account/"' in browser.get("/").content.decode()


def test_the_page_says_who_one_is_and_holds_no_secret(browser: Client, alice: User) -> None:
    other = another_browser(alice)
    page = browser.get("/account/").content.decode()
    assert "alice" in page
    assert page.count("This browser") == 1
    assert str(row_of(other).pk) in page
    for client in (browser, other):
        assert client.cookies["sessionid"].value not in page


# -- the address -------------------------------------------------------------------------------------------------------


def test_an_address_is_given_changed_and_taken_back_with_the_password(browser: Client, alice: User) -> None:
    for address in ("alice@example.org", "a.l@example.com", ""):
        response = browser.post("/account/email/", {"email": address, "password": PASSWORD})
        assert response["Location"] == "/account/"
        alice.refresh_from_db()
        assert alice.email == address


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": "alice@example.org", "password": "wrong"}, "This is not your password."),
        ({"email": "alice@example.org"}, "This field is required."),
        ({"email": "no address", "password": PASSWORD}, "Enter a valid email address."),
        ({"email": "a\x00@example.org", "password": PASSWORD}, "Null characters are not allowed."),
        ({"email": f"{'a' * 64}@{'b.' * 120}example.org", "password": PASSWORD}, "at most 254 characters"),
    ],
)
def test_an_address_that_is_refused_is_said_beside_its_field(
    browser: Client, alice: User, fields: dict[str, str], words: str
) -> None:
    page = browser.post("/account/email/", fields).content.decode()
    assert words in page
    assert 'aria-invalid="true"' in page
    alice.refresh_from_db()
    assert alice.email == ""


def test_an_address_can_be_given_at_sign_up(client: Client, db: None) -> None:
    form = {"username": "carol", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post("/accounts/signup/", {**form, "email": "carol@example.org"})
    assert User.objects.get(username="carol").email == "carol@example.org"


# -- the password ------------------------------------------------------------------------------------------------------


def test_a_new_password_logs_out_every_other_browser_at_once(browser: Client, alice: User, bob: User) -> None:
    other, bobs = another_browser(alice), another_browser(bob)
    key = browser.cookies["sessionid"].value
    response = browser.post("/account/password/", CHANGE, follow=True)
    assert "Your password was changed" in response.content.decode()
    assert browser.cookies["sessionid"].value != key
    assert is_logged_in(browser)
    assert not is_logged_in(other)
    assert is_logged_in(bobs)
    assert list(BrowserSession.objects.filter(user=alice)) == [row_of(browser)]
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"old_password": "wrong"}, "This is not your password."),
        ({"new_password1": "123", "new_password2": "123"}, "too short"),
        ({"new_password2": "something-else"}, "The two new passwords are not the same."),
        ({"new_password1": "alice1234", "new_password2": "alice1234"}, "too similar"),
    ],
)
def test_a_password_that_is_refused_changes_nothing(
    browser: Client, alice: User, fields: dict[str, str], words: str
) -> None:
    other = another_browser(alice)
    assert words in browser.post("/account/password/", {**CHANGE, **fields}).content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert is_logged_in(other)


def test_the_password_form_helps_password_managers(browser: Client) -> None:
    page = browser.get("/account/password/").content.decode()
    assert page.count('autocomplete="current-password"') == 1
    assert page.count('autocomplete="new-password"') == 2
    assert 'value="alice" autocomplete="username"' in page


# -- the browsers ------------------------------------------------------------------------------------------------------


def test_another_browser_is_logged_out_by_its_button(browser: Client, alice: User) -> None:
    other, third = another_browser(alice), another_browser(alice)
    response = browser.post(f"/account/browsers/{row_of(other).pk}/log-out/", follow=True)
    assert "That browser is logged out" in response.content.decode()
    assert [is_logged_in(client) for client in (browser, other, third)] == [True, False, True]


def test_all_other_browsers_are_logged_out_by_one_button(browser: Client, alice: User) -> None:
    assert "Log out everywhere else" not in browser.get("/account/").content.decode()
    others = [another_browser(alice) for _ in range(2)]
    assert "Log out everywhere else" in browser.get("/account/").content.decode()
    browser.post("/account/browsers/log-out/")
    assert [is_logged_in(client) for client in (browser, *others)] == [True, False, False]


def test_a_strangers_browser_and_one_that_is_not_there_get_the_same_answer(browser: Client, bob: User) -> None:
    bobs = another_browser(bob)
    for id in (row_of(bobs).pk, uuid.uuid4()):
        assert browser.post(f"/account/browsers/{id}/log-out/").status_code == 404
    assert is_logged_in(bobs)


@pytest.mark.parametrize("path", ["/account/browsers/log-out/", f"/account/browsers/{uuid.UUID(int=1)}/log-out/"])
def test_logging_out_elsewhere_takes_a_form(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 405


def test_operators_change_their_password_where_everybody_does(client: Client, sam: User) -> None:
    client.force_login(sam)
    assert "/admin/password_change/" in client.get("/admin/").content.decode()
    assert client.get("/admin/password_change/")["Location"] == "/account/password/"
    assert client.get("/admin/password_change/done/")["Location"] == "/account/"


# -- the end -----------------------------------------------------------------------------------------------------------


def test_the_account_is_deleted_with_the_password_and_a_sentence_says_so(browser: Client, alice: User) -> None:
    other = another_browser(alice)
    response = browser.post("/account/delete/", {"password": PASSWORD}, follow=True)
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert "Your account is gone" in response.content.decode()
    assert not User.objects.exists()
    assert not is_logged_in(browser)
    assert not is_logged_in(other)


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_password_nothing_is_deleted(browser: Client, alice: User, password: str) -> None:
    page = browser.post("/account/delete/", {"password": password}).content.decode()
    assert 'aria-invalid="true"' in page
    assert is_logged_in(browser)


def test_the_only_superuser_is_told_why_not(client: Client, sam: User) -> None:
    client.force_login(sam)
    assert "This account has to stay" in client.get("/account/delete/").content.decode()
    response = client.post("/account/delete/", {"password": PASSWORD})
    assert response.status_code == 409
    assert "This account has to stay" in response.content.decode()
    assert User.objects.filter(username="sam", is_active=True).exists()
