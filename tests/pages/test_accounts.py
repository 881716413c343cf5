"""Logging in and out, and making an account."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.services.cast import PASSWORD

NEW_ACCOUNT = {"username": "carol", "password1": "a-long-enough-secret", "password2": "a-long-enough-secret"}


def test_logging_in_leads_home(client: Client, alice: User) -> None:
    response = client.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"] == "/"


def test_logging_in_leads_to_the_page_that_asked_for_it(client: Client, alice: User) -> None:
    response = client.post("/accounts/login/", {"username": "alice", "password": PASSWORD, "next": "/call/"})
    assert response["Location"] == "/call/"


def test_logging_in_never_leads_to_another_site(client: Client, alice: User) -> None:
    form = {"username": "alice", "password": PASSWORD, "next": "https://example.com/"}
    assert client.post("/accounts/login/", form)["Location"] == "/"


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client: Client, alice: User, name: str) -> None:
    response = client.post("/accounts/login/", {"username": name, "password": "wrong"})
    assert response.status_code == 200
    assert "This name and password do not go together." in response.content.decode()


def test_the_log_in_form_helps_password_managers(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_whoever_is_logged_in_is_sent_on_from_the_log_in_page(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/accounts/login/")["Location"] == "/"


def test_logging_out_takes_a_form_and_ends_the_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert client.get("/text/").status_code == 302


@pytest.mark.django_db
def test_signing_up_makes_an_account_and_logs_in(client: Client, settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    assert client.post("/accounts/signup/", NEW_ACCOUNT)["Location"] == "/"
    assert client.get("/text/").status_code == 200
    carol = get_user_model().objects.get(username="carol")
    assert not carol.is_staff
    assert not carol.is_superuser


@pytest.mark.django_db
def test_signing_up_with_a_poor_password_says_what_is_wrong(client: Client, settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    response = client.post("/accounts/signup/", NEW_ACCOUNT | {"password1": "123", "password2": "123"})
    assert response.status_code == 200
    assert "too short" in response.content.decode()
    assert not get_user_model().objects.filter(username="carol").exists()


@pytest.mark.django_db
def test_signing_up_with_a_name_that_is_taken_is_refused(client: Client, alice: User, settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    response = client.post("/accounts/signup/", NEW_ACCOUNT | {"username": "alice"})
    assert "already exists" in response.content.decode()


@pytest.mark.django_db
def test_while_sign_up_is_closed_the_page_says_so_and_makes_nothing(client: Client, settings: Settings) -> None:
    settings.SIGNUP_OPEN = False
    assert "Sign-up is closed" in client.get("/accounts/signup/").content.decode()
    response = client.post("/accounts/signup/", NEW_ACCOUNT)
    assert response.status_code == 403
    assert not get_user_model().objects.filter(username="carol").exists()


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
def test_sign_up_is_offered_only_while_it_is_open(client: Client, settings: Settings, path: str) -> None:
    settings.SIGNUP_OPEN = True
    assert "/accounts/signup/" in client.get(path).content.decode()
    settings.SIGNUP_OPEN = False
    assert "/accounts/signup/" not in client.get(path).content.decode()
