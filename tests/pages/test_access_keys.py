"""Personal access keys: made and shown once, listed, revoked, and refused as soon as their right ends."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sessions_app.accounts import access_keys
from sessions_app.accounts.deletion import delete_account
from sessions_app.models import AccessKey
from tests.services.cast import PASSWORD

NEW = "/account/keys/new/"
API = "/api/tokens/"


@pytest.fixture(autouse=True)
def switched_on(settings: Settings) -> None:
    settings.EPHEMERAL_TOKENS = True


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def make(browser: Client, name: str = "laptop") -> str:
    """A key, by its page."""
    page = browser.post(NEW, {"name": name, "password": PASSWORD})
    assert "no-store" in page["Cache-Control"]
    shown = re.search(r"hl_[\w-]{43}", page.content.decode())
    assert shown is not None, page.content.decode()
    return shown[0]


def status(key: str, **headers: str) -> int:
    """What a program is answered that shows this key."""
    return Client().get(API, headers={"Authorization": f"Bearer {key}"} | headers).status_code


def test_a_key_lets_a_program_ask_is_shown_once_and_kept_as_a_digest(browser: Client) -> None:
    key = make(browser)
    assert status(key) == 200
    page = browser.get("/account/").content.decode()
    assert "laptop" in page
    assert key[:7] in page
    assert key not in page
    assert key not in str(list(AccessKey.objects.values()))


def test_the_account_page_tells_whether_a_key_is_used(browser: Client) -> None:
    key = make(browser)
    assert "not used yet" in browser.get("/account/").content.decode()
    status(key)
    used_at = AccessKey.objects.get().last_used_at
    status(key)
    assert AccessKey.objects.get().last_used_at == used_at
    assert "last used" in browser.get("/account/").content.decode()


def test_a_key_asks_for_nothing_but_tokens(browser: Client) -> None:
    key = make(browser)
    answer = Client().get("/account/", headers={"Authorization": f"Bearer {key}"})
    assert answer["Location"].startswith("/accounts/login/")


def test_a_wrong_key_is_refused_whatever_cookies_come_with_it(browser: Client) -> None:
    key = make(browser)
    for sent in (f"Bearer {key}x", f"Token {key}", key, "Bearer", "Bearer \udcff"):
        answer = browser.get(API, headers={"Authorization": sent})
        assert answer.status_code == 401, sent
        assert answer.json()["error"]["code"] == "bad_key"
        assert answer["WWW-Authenticate"] == "Bearer"
    assert status(key, Cookie="sessionid=nonsense") == 200


def test_a_program_with_a_key_needs_no_token_against_forgery(browser: Client) -> None:
    key = make(browser)
    careful = Client(enforce_csrf_checks=True)
    answer = careful.post(API, "[]", "application/json", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["error"]["code"] == "bad_value"


# -- its end -----------------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_at_once(browser: Client) -> None:
    key = make(browser)
    assert browser.post(f"/account/keys/{AccessKey.objects.get().pk}/revoke/")["Location"] == "/account/"
    assert status(key) == 401
    assert "laptop" not in browser.get("/account/").content.decode()


def test_a_key_ends_with_the_password_however_that_is_changed(browser: Client, alice: User) -> None:
    key = make(browser)
    alice.set_password("quite-another-secret-2")
    alice.save()
    assert status(key) == 401
    browser.force_login(alice)
    assert "laptop" not in browser.get("/account/").content.decode()
    alice.refresh_from_db()
    assert access_keys.make(alice, "laptop").row.pk == AccessKey.objects.get().pk, "what is void is in nobody's way"


def test_a_key_ends_with_the_account(browser: Client, alice: User) -> None:
    key = make(browser)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert status(key) == 401
    delete_account(alice)
    assert status(key) == 401
    assert not AccessKey.objects.exists()


def test_a_key_outlives_a_change_of_the_servers_key_as_log_ins_do(browser: Client, settings: Settings) -> None:
    key = make(browser)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]
    assert status(key) == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert status(key) == 401


def test_nobody_revokes_what_is_anothers(browser: Client, bob: User) -> None:
    key = make(browser)
    stranger = Client()
    stranger.force_login(bob)
    for id in (AccessKey.objects.get().pk, uuid.uuid4()):
        assert stranger.post(f"/account/keys/{id}/revoke/").status_code == 404
    assert status(key) == 200


def test_an_operator_revokes_by_deleting_and_sees_no_digest(browser: Client, sam: User) -> None:
    key = make(browser)
    row = AccessKey.objects.get()
    operator = Client()
    operator.force_login(sam)
    page = operator.get(f"/admin/sessions_app/accesskey/{row.pk}/change/").content.decode()
    assert "laptop" in page
    assert row.digest not in page
    assert row.password_trace not in page
    operator.post(f"/admin/sessions_app/accesskey/{row.pk}/delete/", {"post": "yes"})
    assert status(key) == 401


# -- making one --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "laptop", "password": "wrong"}, "This is not your password."),
        ({"name": " ", "password": PASSWORD}, "This field is required."),
        ({"name": "x" * 61, "password": PASSWORD}, "at most 60 characters"),
        ({"name": "first", "password": PASSWORD}, "You have a key of this name."),
    ],
)
def test_what_is_wrong_is_said_and_no_key_made(browser: Client, fields: dict[str, str], words: str) -> None:
    make(browser, "first")
    assert words in browser.post(NEW, fields).content.decode()
    assert AccessKey.objects.count() == 1


def test_a_user_has_ten_keys_at_most(browser: Client, alice: User) -> None:
    for number in range(10):
        access_keys.make(alice, f"key {number}")
    page = browser.post(NEW, {"name": "one more", "password": PASSWORD}).content.decode()
    assert "You have 10 keys already. Revoke one that is not used any more." in page
    assert AccessKey.objects.count() == 10


def test_two_users_may_call_a_key_the_same(alice: User, bob: User) -> None:
    assert access_keys.make(alice, "laptop").value != access_keys.make(bob, "laptop").value


def test_without_tokens_there_is_no_use_for_keys_and_old_ones_can_still_be_revoked(
    browser: Client, settings: Settings
) -> None:
    settings.EPHEMERAL_TOKENS = False
    assert "Access keys" not in browser.get("/account/").content.decode()
    settings.EPHEMERAL_TOKENS = True
    assert "You have none." in browser.get("/account/").content.decode()
    make(browser)
    settings.EPHEMERAL_TOKENS = False
    page = browser.get("/account/").content.decode()
    assert "Revoke" in page
    assert "Make a key" not in page
    assert browser.get(NEW).status_code == 404


def test_a_visitor_is_sent_to_log_in() -> None:
    assert Client().get(NEW)["Location"] == f"/accounts/login/?next={NEW}"


def test_that_a_key_was_used_is_written_again_after_a_while(alice: User) -> None:
    made = access_keys.make(alice, "laptop")
    long_ago = timezone.now() - timedelta(hours=1)
    AccessKey.objects.filter(pk=made.row.pk).update(last_used_at=long_ago)
    found = access_keys.find(made.value, AccessKey.Use.TOKENS)
    assert found is not None
    assert AccessKey.objects.get().last_used_at != long_ago


def test_where_keys_are_for_several_things_their_user_says_for_which(browser: Client, settings: Settings) -> None:
    settings.MCP = True
    assert "What it lets a program do" in browser.get(NEW).content.decode()
    page = browser.post(NEW, {"name": "laptop", "use": "mcp", "password": PASSWORD}).content.decode()
    key = re.findall(r"hl_[\w-]{43}", page)[0]
    assert AccessKey.objects.get().use == "mcp"
    assert status(key) == 401, "it reads conversations, and makes no tokens"
    assert "Read and ask, by MCP" in browser.get("/account/").content.decode()
    refused = browser.post(NEW, {"name": "other", "use": "everything", "password": PASSWORD})
    assert "everything is not one of the available choices" in refused.content.decode()


def test_where_they_are_for_mcp_alone_nobody_is_asked(browser: Client, settings: Settings) -> None:
    settings.EPHEMERAL_TOKENS, settings.MCP = False, True
    page = browser.get(NEW).content.decode()
    assert "reads all your conversations" in page
    assert "What it lets a program do" not in page
    make(browser)
    assert AccessKey.objects.get().use == "mcp"
