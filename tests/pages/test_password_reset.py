"""A new password for somebody who has forgotten theirs, by mail."""

from __future__ import annotations

import datetime
import re

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pytest_django import Settings

from sessions_app.accounts import reset_mail
from sessions_app.user_settings import service
from sessions_app.user_settings.terms import UserSettings
from tests.services.cast import PASSWORD
from tests.services.processes import HANGS_AFTER_S, wait_until

NEW_PASSWORD = "quite-another-secret-2"
NEW = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
ADDRESS = "alice@example.org"


@pytest.fixture(autouse=True)
def sends_mail(settings: Settings) -> None:
    settings.SENDS_MAIL = True


@pytest.fixture
def alice(alice: User) -> User:
    """Alice has given her address."""
    alice.email = ADDRESS
    alice.save()
    return alice


def link_to(address: str = ADDRESS) -> str:
    """The path of the link in the mail that somebody gets who asks for one."""
    reset_mail.send(address, "talk.example", is_secure=True)
    found = re.search(r"https://talk\.example(/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


@pytest.mark.django_db(transaction=True)
def test_a_mail_says_who_asked_where_and_for_how_long(client: Client, alice: User, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Holdline <talk@example.org>"
    response = client.post("/accounts/reset/", {"email": ADDRESS})
    assert response["Location"] == "/accounts/reset/sent/"
    wait_until(lambda: len(mail.outbox) == 1, HANGS_AFTER_S, "the mail")
    sent = mail.outbox[0]
    assert (sent.to, sent.from_email) == ([ADDRESS], "Holdline <talk@example.org>")
    assert sent.subject == "A new password for Holdline"
    text = str(sent.body)
    assert 'account "alice" on testserver' in text
    assert "within 60 minutes" in text
    assert re.search(r"^http://testserver/accounts/reset/\S+/$", text, re.MULTILINE)
    assert "If that was not you, ignore this mail" in text


def languages_of_mails(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """In which language subjects and texts of mails are put together from now on."""
    spoken: list[str | None] = []

    def render(name: str, context: dict[str, object]) -> str:
        spoken.append(translation.get_language())
        return "A mail"

    monkeypatch.setattr(reset_mail, "render_to_string", render)
    return spoken


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_in_the_language_of_the_page_on_which_it_was_asked_for(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = languages_of_mails(monkeypatch)
    client.post("/accounts/reset/", {"email": ADDRESS}, headers={"Accept-Language": "de"})
    wait_until(lambda: len(mail.outbox) == 1, HANGS_AFTER_S, "the mail")
    assert spoken == ["de", "de"]


def test_a_mail_is_in_the_language_that_its_reader_has_chosen(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for it may be a stranger."""
    spoken = languages_of_mails(monkeypatch)
    service.save(alice.pk, UserSettings(page_language="de"), service.rules_of_the_server())
    reset_mail.send(ADDRESS, "talk.example", is_secure=True)
    assert spoken == ["de", "de"]


@pytest.mark.parametrize("address", [ADDRESS, "nobody@example.org"])
def test_the_answer_does_not_tell_whether_the_address_is_known(
    client: Client, alice: User, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that an answer could tell by its words or its time is done when it is over."""
    asked: list[str] = []
    monkeypatch.setattr(reset_mail, "send_later", lambda address, host, is_secure: asked.append(address))
    with CaptureQueriesContext(connection) as queries:
        response = client.post("/accounts/reset/", {"email": address})
    assert response["Location"] == "/accounts/reset/sent/"
    assert asked == [address]
    assert not [query for query in queries if "auth_user" in query["sql"]], "nobody is looked up meanwhile"
    assert "If an account has the address" in client.get("/accounts/reset/sent/").content.decode()


def test_nobody_gets_a_mail_who_has_no_account_or_a_closed_one(alice: User, bob: User) -> None:
    alice.is_active = False
    alice.save()
    for address in (ADDRESS, "nobody@example.org", bob.email):
        reset_mail.send(address, "talk.example", is_secure=True)
    assert mail.outbox == []


def test_the_link_sets_a_new_password_and_ends_every_session(client: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    form = client.get(link_to())["Location"]
    assert form.endswith("/set-password/")
    page = client.get(form)
    assert "no-store" in page["Cache-Control"]
    assert page.content.decode().count('autocomplete="new-password"') == 2
    response = client.post(form, NEW, follow=True)
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert "Your password was changed." in response.content.decode()
    assert other.get("/text/").status_code == 302
    assert client.get("/text/").status_code == 302
    assert client.post("/accounts/login/", {"username": "alice", "password": NEW_PASSWORD})["Location"] == "/"


def test_the_token_stays_in_no_address(client: Client, alice: User) -> None:
    path = link_to()
    token = path.rstrip("/").rpartition("/")[2]
    form = client.get(path)["Location"]
    assert token not in form
    assert token not in client.get(form).content.decode()


@pytest.mark.parametrize("minutes", [59, 61])
def test_a_link_is_good_for_an_hour(client: Client, alice: User, minutes: int) -> None:
    with time_machine.travel(datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC), tick=False) as clock:
        path = link_to()
        clock.shift(minutes * 60)
        response = client.get(path)
    assert (response.status_code == 302) is (minutes < 60)
    if minutes > 60:
        assert "This link is no longer good" in response.content.decode()


def test_when_one_link_was_used_none_is_good_any_more(client: Client, alice: User) -> None:
    used, other = link_to(), link_to()
    client.post(client.get(used)["Location"], NEW)
    for path in (used, other):
        assert "This link is no longer good" in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/accounts/reset/x/y/", "/accounts/reset/MTAwMDAwMDAwMDAwMDAwMDAwMDAw/abc-def/"])
def test_a_link_that_nobody_was_sent_is_no_longer_good_either(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "This link is no longer good" in response.content.decode()


def test_a_poor_password_is_refused_and_the_link_stays_good(client: Client, alice: User) -> None:
    form = client.get(link_to())["Location"]
    page = client.post(form, {"new_password1": "123", "new_password2": "123"}).content.decode()
    assert "too short" in page
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert client.post(form, NEW).status_code == 302


def test_a_mail_server_that_refuses_leaves_no_address_in_the_log(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: EmailBackend, messages: object) -> int:
        raise ConnectionRefusedError(f"no such mailbox: {ADDRESS}")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    reset_mail.send(ADDRESS, "talk.example", is_secure=True)
    assert "ConnectionRefusedError" in caplog.text
    assert ADDRESS not in caplog.text


def test_without_a_mail_server_the_page_says_whom_to_ask(client: Client, settings: Settings) -> None:
    settings.SENDS_MAIL = False
    assert "This server sends no mail." in client.get("/accounts/reset/").content.decode()
    response = client.post("/accounts/reset/", {"email": ADDRESS})
    assert response.status_code == 403
    assert mail.outbox == []


def test_a_laptop_says_where_its_mail_is(client: Client, settings: Settings) -> None:
    assert "var/log/web.log" not in client.get("/accounts/reset/sent/").content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "var/log/web.log" in client.get("/accounts/reset/sent/").content.decode()


def test_the_log_in_page_leads_there(client: Client) -> None:
    assert 'href="/accounts/reset/"' in client.get("/accounts/login/").content.decode()
