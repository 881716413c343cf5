"""The cookie by which a browser is known: who it is good for, and when not any more."""

from __future__ import annotations

import datetime
from http.cookies import Morsel

import pytest
import time_machine
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from sessions_app.known_browsers import COOKIE, device_of, remember


class Browser:
    """Keeps the cookie."""

    def __init__(self, value: str = "") -> None:
        self.request = RequestFactory().get("/accounts/login/")
        self.request.COOKIES[COOKIE] = value

    def log_in(self, user: User) -> Morsel[str]:
        response = HttpResponse()
        remember(self.request, response, user)
        self.request.COOKIES[COOKIE] = response.cookies[COOKIE].value
        return response.cookies[COOKIE]

    def knows(self, user: User | None) -> bool:
        return device_of(self.request, user) != ""


def test_a_browser_is_known_to_whoever_has_logged_in_with_it(alice: User, bob: User) -> None:
    browser = Browser()
    assert not browser.knows(alice)
    browser.log_in(alice)
    assert browser.knows(alice)
    assert not browser.knows(bob)
    assert not browser.knows(None)


def test_those_who_share_a_browser_do_not_put_each_other_out(alice: User, bob: User) -> None:
    browser = Browser()
    browser.log_in(alice)
    browser.log_in(bob)
    browser.log_in(alice)
    assert browser.knows(alice)
    assert browser.knows(bob)


def test_only_the_last_few_of_many_who_share_a_browser_are_known(alice: User) -> None:
    browser = Browser()
    browser.log_in(alice)
    others = [User.objects.create(username=f"guest{number}", password="!x") for number in range(20)]
    for other in others:
        cookie = browser.log_in(other)
    assert not browser.knows(alice)
    assert [browser.knows(other) for other in others] == [False] * 15 + [True] * 5
    assert len(cookie.value) < 500


def test_a_new_password_makes_every_browser_unknown(alice: User) -> None:
    browser = Browser()
    browser.log_in(alice)
    alice.set_password("another-secret-1")
    assert not browser.knows(alice)


def test_an_old_key_of_the_server_still_counts_while_it_is_among_the_fallbacks(alice: User, settings: Settings) -> None:
    browser = Browser()
    browser.log_in(alice)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key"
    assert not browser.knows(alice)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert browser.knows(alice)


def test_after_a_year_without_a_log_in_it_is_forgotten(alice: User) -> None:
    browser = Browser()
    browser.log_in(alice)
    with time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=366)):
        assert not browser.knows(alice)


@pytest.mark.parametrize("value", ["", "x", "a:b:c", "W10:1tXyZ:AAAA", "é", "x" * 5_000])
def test_a_cookie_that_the_server_has_not_signed_is_none(alice: User, value: str) -> None:
    assert not Browser(value).knows(alice)


def test_no_script_and_no_other_site_gets_the_cookie(alice: User, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    cookie = Browser().log_in(alice)
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["path"] == "/accounts/"
    assert "alice" not in cookie.value
