"""In which browsers somebody is logged in: what is noted of them, and that they can be logged out."""

from __future__ import annotations

import datetime
import importlib
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from sessions_app.accounts import browsers
from sessions_app.cleanup import clear_ended_sessions
from sessions_app.models import BrowserSession

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MOMENT = datetime.datetime(2026, 9, 1, 12, 0, tzinfo=datetime.UTC)
MIGRATION = importlib.import_module("sessions_app.migrations.0008_browser_sessions")


def logged_in(user: User, user_agent: str = "") -> Client:
    client = Client(headers={"user-agent": user_agent})
    client.force_login(user)
    return client


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def row_of(client: Client) -> BrowserSession:
    return BrowserSession.objects.get(session_id=key_of(client))


def test_a_log_in_by_the_form_is_noted_with_the_words_of_the_browser(client: Client, alice: User) -> None:
    form = {"username": "alice", "password": "correct-horse-battery-1"}
    client.post("/accounts/login/", form, headers={"user-agent": FIREFOX})
    row = row_of(client)
    assert (row.user, row.browser) == (alice, "Firefox on Linux")


def test_that_a_browser_was_seen_is_written_every_five_minutes_at_most(
    alice: User, django_assert_num_queries: Any
) -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        client = logged_in(alice)
        clock.shift(299)
        client.get("/text/")
        assert row_of(client).seen_at == MOMENT
        with django_assert_num_queries(4):  # the session, the user, their settings, and when the browser was seen
            client.get("/text/")
        clock.shift(1)
        client.get("/text/")
        row = row_of(client)
        assert row.seen_at - MOMENT == datetime.timedelta(seconds=300)
        assert row.logged_in_at == MOMENT


def test_a_session_that_nobody_noted_is_noted_when_it_is_seen(alice: User) -> None:
    client = logged_in(alice)
    BrowserSession.objects.all().delete()
    client.get("/text/")
    assert row_of(client).user == alice


def test_what_asks_nothing_of_a_session_costs_nothing(
    client: Client, alice: User, django_assert_num_queries: Any
) -> None:
    client.force_login(alice)
    with django_assert_num_queries(0):
        client.get("/healthz")


def test_logging_out_leaves_no_row(alice: User) -> None:
    client = logged_in(alice)
    client.get("/text/")
    client.post("/accounts/logout/")
    assert not BrowserSession.objects.exists()


def test_the_list_has_this_browser_first_then_the_last_seen_and_nobody_elses(alice: User, bob: User) -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        this = logged_in(alice)
        clock.shift(3600)
        earlier = logged_in(alice)
        clock.shift(3600)
        later = logged_in(alice)
        logged_in(bob)
        found = browsers.browsers_of(alice, key_of(this))
    assert [browser.id for browser in found] == [row_of(client).pk for client in (this, later, earlier)]
    assert [browser.is_this_one for browser in found] == [True, False, False]


def test_sessions_that_let_nobody_in_do_not_count(alice: User) -> None:
    old = logged_in(alice)
    alice.set_password("another-one-entirely")
    alice.save()
    expired = logged_in(alice)
    Session.objects.filter(pk=key_of(expired)).update(expire_date=timezone.now() - datetime.timedelta(seconds=1))
    living = logged_in(alice)
    for client in (old, living):
        client.get("/healthz")
    # The session is stored with the hash of the password at the end of the request that logs in.
    assert [browser.id for browser in browsers.browsers_of(alice, None)] == [row_of(living).pk]


def test_the_list_is_bounded(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "SHOWN", 2)
    for _ in range(4):
        logged_in(alice)
    assert len(browsers.browsers_of(alice, None)) == 2
    assert browsers.log_out_everywhere(alice) == 4


def test_one_browser_is_logged_out_and_the_others_stay(alice: User, bob: User) -> None:
    leaving, staying, bobs = logged_in(alice), logged_in(alice), logged_in(bob)
    assert browsers.log_out(alice, row_of(leaving).pk)
    assert leaving.get("/text/").status_code == 302
    assert staying.get("/text/").status_code == 200
    assert bobs.get("/text/").status_code == 200


def test_nobody_logs_another_users_browser_out(alice: User, bob: User) -> None:
    bobs = logged_in(bob)
    assert not browsers.log_out(alice, row_of(bobs).pk)
    assert bobs.get("/text/").status_code == 200


def test_everywhere_else_leaves_this_browser_and_other_users_alone(alice: User, bob: User) -> None:
    this, bobs, *others = logged_in(alice), logged_in(bob), logged_in(alice), logged_in(alice)
    assert browsers.log_out_others(alice, key_of(this)) == 2
    assert this.get("/text/").status_code == 200
    assert bobs.get("/text/").status_code == 200
    assert [client.get("/text/").status_code for client in others] == [302, 302]


def test_what_has_expired_is_deleted_with_its_row(alice: User) -> None:
    expired, living = logged_in(alice), logged_in(alice)
    Session.objects.filter(pk=key_of(expired)).update(expire_date=timezone.now() - datetime.timedelta(seconds=1))
    clear_ended_sessions()
    assert list(BrowserSession.objects.all()) == [row_of(living)]


def test_the_upgrade_notes_who_is_logged_in_already(alice: User) -> None:
    with time_machine.travel(MOMENT, tick=False):
        client = logged_in(alice)
        client.get("/text/")
        BrowserSession.objects.all().delete()
        SessionStore().create()  # somebody who is not logged in
        gone = SessionStore()
        gone["_auth_user_id"] = "999999"
        gone.create()
        MIGRATION.note_those_who_are_logged_in(apps, None)
        row = BrowserSession.objects.get()
    assert (row.user, row.session_id, row.logged_in_at) == (alice, key_of(client), MOMENT)
