"""What people see who try too often, and who must never be kept out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import OperationalError, connection
from django.test import Client
from django.utils.http import urlsafe_base64_encode
from pytest_django import Settings

from sessions_app.accounts import reset_mail
from sessions_app.models import Conversation, Throttle
from tests.pages.history_rows import converse
from tests.services.cast import PASSWORD

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HERE = "203.0.113.7"
TOO_MANY = 429
NEW_PASSWORD = "a-long-enough-secret"
KNOWN_BROWSER_HINT = "A browser in which you have logged in before lets you in at once."


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[time_machine.Traveller]:
    """Time stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def log_in(browser: Client, name: str = "alice", typed: str = "wrong", address: str = HERE) -> Any:
    form = {"username": name, "password": typed}
    return browser.post("/accounts/login/", form, REMOTE_ADDR=address)


def attack(name: str = "alice", times: int = 7) -> list[Any]:
    """Wrong tries on an account, each from another address and a browser that nobody knows."""
    return [log_in(Client(), name, address=f"198.51.100.{number}") for number in range(times)]


def known_browser(name: str = "alice") -> Client:
    """One in which somebody has logged in, and out again."""
    browser = Client()
    assert log_in(browser, name, PASSWORD).status_code == 302
    browser.post("/accounts/logout/")
    return browser


def main_of(response: Any) -> str:
    words = re.sub(r"<[^>]+>", " ", response.content.decode().split("<main", 1)[1])
    return " ".join(words.split())


# -- log-in ------------------------------------------------------------------------------------------------------------


def test_sixty_wrong_passwords_are_looked_at_five_times(alice: User) -> None:
    assert [answer.status_code for answer in attack(times=60)] == [200] * 5 + [TOO_MANY] * 55


def test_whoever_has_to_wait_is_told_how_long_on_the_form_they_have_filled_in(
    client: Client, alice: User, clock: time_machine.Traveller
) -> None:
    attack()
    clock.shift(1)
    attack(times=1)
    answer = log_in(client)
    assert (answer.status_code, answer["Retry-After"]) == (TOO_MANY, "2")
    assert f"Too many tries. You can try again in 2 seconds. {KNOWN_BROWSER_HINT}" in main_of(answer)
    assert 'value="alice"' in answer.content.decode()
    assert "wrong" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_the_right_password_has_to_wait_too_where_nobody_knows_the_browser(client: Client, alice: User) -> None:
    """Else the tries of an attacker would only be slower to look at."""
    attack()
    assert log_in(client, typed=PASSWORD).status_code == TOO_MANY


def test_after_the_wait_the_right_password_lets_in(client: Client, alice: User, clock: time_machine.Traveller) -> None:
    attack()
    clock.shift(int(log_in(client, typed=PASSWORD)["Retry-After"]))
    assert log_in(client, typed=PASSWORD).status_code == 302


def test_no_attack_keeps_anybody_out_of_a_browser_that_is_known(alice: User) -> None:
    browser = known_browser()
    for number in range(22):
        log_in(Client(), f"name{number}")  # from the address of the known browser
    attack()
    assert log_in(Client(), typed=PASSWORD).status_code == TOO_MANY
    assert log_in(browser, typed=PASSWORD)["Location"] == "/"


def test_a_known_browser_has_a_limit_of_its_own_and_is_told_of_no_other(alice: User) -> None:
    browser = known_browser()
    answers = [log_in(browser) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [TOO_MANY]
    assert "Too many tries. You can try again in 1 second." in main_of(answers[-1])
    assert KNOWN_BROWSER_HINT not in main_of(answers[-1])
    assert log_in(Client(), typed=PASSWORD).status_code == 302


def test_a_known_browser_is_no_help_with_the_account_of_somebody_else(alice: User, bob: User) -> None:
    attack("alice")
    assert log_in(known_browser("bob"), "alice", PASSWORD).status_code == TOO_MANY


def test_who_logs_in_from_a_known_browser_gives_strangers_no_new_tries(alice: User) -> None:
    """Somebody who is attacked logs in several times a day, and the attack must not begin anew each time."""
    browser = known_browser()
    attack()
    assert log_in(browser, typed=PASSWORD).status_code == 302
    assert {answer.status_code for answer in attack()} == {TOO_MANY}


def test_a_success_forgets_the_mistakes_before_it(alice: User) -> None:
    for _ in range(3):
        for _ in range(4):
            assert log_in(Client()).status_code == 200
        assert log_in(Client(), typed=PASSWORD).status_code == 302


def test_names_that_nobody_has_are_limited_like_others_and_get_the_same_answer(alice: User) -> None:
    def answers(name: str) -> list[tuple[int, str]]:
        return [(answer.status_code, main_of(answer).replace(name, "")) for answer in attack(name, 8)]

    assert answers("alice") == answers("nobody")


def test_no_password_is_hashed_for_whoever_has_to_wait(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is meant to take its time, which an attacker must not take from the server."""
    hashed: list[str] = []
    encode = hashers.MD5PasswordHasher.encode

    def noted(self: hashers.MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", noted)
    for name in ("alice", "nobody"):
        attack(name)
    assert len(hashed) == 10


def test_a_name_in_another_case_is_another_accounts_and_so_are_its_tries(client: Client, alice: User) -> None:
    """If a backend took the two for one, each way to write a name would give five more tries."""
    assert log_in(client, "ALICE", PASSWORD).status_code == 200


@pytest.mark.parametrize("name", ["ａｌｉｃｅ", "  alice "])
def test_ways_to_write_a_name_that_the_form_takes_for_one_share_their_tries(alice: User, name: str) -> None:
    attack(times=5)
    assert log_in(Client(), name).status_code == TOO_MANY


def test_a_form_without_a_name_or_a_password_is_no_try(client: Client) -> None:
    for form in ({"username": "alice"}, {"password": "x"}, {}):
        assert client.post("/accounts/login/", form).status_code == 200
    assert not Throttle.objects.exists()


def test_nobody_gets_new_tries_by_claiming_another_address(client: Client, alice: User) -> None:
    answers = []
    for number in range(25):
        form = {"username": f"name{number}", "password": "x"}
        answers.append(client.post("/accounts/login/", form, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}"))
    assert [answer.status_code for answer in answers] == [200] * 20 + [TOO_MANY] * 5


def test_while_tries_cannot_be_counted_nobody_is_let_in(client: Client, alice: User) -> None:
    """A limit that goes when the database is under pressure would go under attack."""

    def refuse_to_count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "sessions_app_throttle" in sql and not sql.startswith("SELECT"):
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse_to_count), pytest.raises(OperationalError):
        log_in(client, typed=PASSWORD)
    assert "sessionid" not in client.cookies


def test_an_operator_lets_somebody_in_again(client: Client, alice: User, sam: User) -> None:
    attack()
    client.force_login(sam)
    shown = client.get("/admin/sessions_app/throttle/").content.decode()
    assert "log-in" in shown
    assert ">alice<" in shown
    row = Throttle.objects.get(scope="account")
    form = {"action": "forget_throttles", "_selected_action": [row.pk]}
    answer = client.post("/admin/sessions_app/throttle/", form, follow=True)
    assert "1 counts were forgotten." in answer.content.decode()
    assert log_in(Client(), typed=PASSWORD).status_code == 302


def test_counts_are_written_by_nobody_in_the_admin(client: Client, sam: User, alice: User) -> None:
    attack(times=1)
    client.force_login(sam)
    assert client.get("/admin/sessions_app/throttle/add/").status_code == 403
    page = client.get(f"/admin/sessions_app/throttle/{Throttle.objects.first().pk}/change/").content.decode()  # type: ignore[union-attr]
    assert Throttle.objects.first().digest not in page  # type: ignore[union-attr]
    assert 'name="_save"' not in page


# -- the door of operators ---------------------------------------------------------------------------------------------


def test_operators_log_in_by_the_same_page_and_come_to_where_they_wanted(client: Client, sam: User) -> None:
    answer = client.get("/admin/sessions_app/turn/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/sessions_app/turn/"
    form = {"username": "sam", "password": PASSWORD, "next": "/admin/sessions_app/conversation/"}
    answer = client.post("/accounts/login/", form, follow=True)
    assert (answer.status_code, answer.redirect_chain) == (200, [("/admin/sessions_app/conversation/", 302)])


def test_no_password_is_looked_at_by_the_admin_itself(client: Client, sam: User, alice: User) -> None:
    form = {"username": "sam", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form)["Location"] == "/accounts/login/?next=/admin/"
    client.force_login(alice)
    assert client.post("/admin/login/", form).status_code == 403
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_user_in_the_admin_is_told_who_they_are_and_can_log_in_as_somebody_else(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.get("/admin/sessions_app/conversation/", follow=True)
    assert answer.status_code == 403
    assert "You are logged in as alice, who may not see the admin." in main_of(answer)
    answer = client.post("/accounts/logout/", {"next": "/admin/sessions_app/conversation/"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/sessions_app/conversation/"


def test_an_operator_who_is_logged_in_is_sent_on_to_the_admin_and_to_no_other_site(client: Client, sam: User) -> None:
    client.force_login(sam)
    assert client.get("/admin/login/?next=/admin/auth/user/")["Location"] == "/admin/auth/user/"
    assert client.get("/admin/login/?next=https://example.com/")["Location"] == "/admin/"
    assert client.get("/admin/login/?next=nowhere.at.all")["Location"] == "nowhere.at.all"


# -- sign-up -----------------------------------------------------------------------------------------------------------


def sign_up(name: str, secret: str = NEW_PASSWORD, browser: Client | None = None) -> Any:
    form = {"username": name, "password1": secret, "password2": secret}
    return (browser or Client()).post("/accounts/signup/", form)


def test_of_many_accounts_from_one_address_twenty_are_made(settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    answers = [sign_up(f"guest{number}") for number in range(24)]
    assert [answer.status_code for answer in answers] == [302] * 20 + [TOO_MANY] * 4
    assert User.objects.count() == 20
    assert "Too many new accounts. You can try again in 10 seconds." in main_of(answers[-1])
    assert 'value="guest23"' in answers[-1].content.decode()
    assert answers[-1]["Retry-After"] == "10"


def test_an_account_that_is_not_made_is_not_counted(settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    for _ in range(30):
        assert sign_up("guest", "123").status_code == 200
    assert sign_up("guest").status_code == 302


def test_the_browser_in_which_an_account_was_made_is_known(client: Client, settings: Settings) -> None:
    settings.SIGNUP_OPEN = True
    sign_up("carol", browser=client)
    client.post("/accounts/logout/")
    attack("carol")
    assert log_in(client, "carol", NEW_PASSWORD).status_code == 302


# -- the account's own pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("email/", {"email": "alice@example.com", "password": PASSWORD}),
        ("delete/", {"password": PASSWORD}),
        ("password/", {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}),
    ],
    ids=["e-mail", "delete", "password"],
)
def test_a_page_that_was_left_open_is_no_place_to_guess_the_password(
    client: Client, alice: User, clock: time_machine.Traveller, path: str, fields: dict[str, str]
) -> None:
    client.force_login(alice)
    asked = next(name for name in fields if name in {"password", "old_password"})
    for _ in range(5):
        assert "This is not your password" in main_of(client.post(f"/account/{path}", fields | {asked: "wrong"}))
    told = main_of(client.post(f"/account/{path}", fields))
    assert "Too many tries. You can try again in 1 second." in told
    clock.shift(timedelta(seconds=1))
    assert client.post(f"/account/{path}", fields).status_code == 302


@pytest.fixture
def mails_asked_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    settings.SENDS_MAIL = True
    asked: list[str] = []
    monkeypatch.setattr(reset_mail, "send_later", lambda address, host, is_secure: asked.append(address))
    return asked


def test_mails_for_new_passwords_are_few_for_an_account_whoever_asks(mails_asked_for: list[str]) -> None:
    answers = [ask_for_mail("Alice@example.com" if number % 2 else "alice@example.com") for number in range(5)]
    assert [answer.status_code for answer in answers] == [302] * 3 + [TOO_MANY] * 2
    assert "Too many tries. You can try again in 60 seconds." in main_of(answers[-1])
    assert 'value="alice@example.com"' in answers[-1].content.decode()
    assert ask_for_mail("bob@example.com").status_code == 302
    assert len(mails_asked_for) == 4


def test_mails_for_new_passwords_are_few_from_an_address(mails_asked_for: list[str]) -> None:
    answers = [ask_for_mail(f"guest{number}@example.com") for number in range(7)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [TOO_MANY] * 2


def ask_for_mail(address: str) -> Any:
    return Client().post("/accounts/reset/", {"email": address})


def test_whoever_set_a_new_password_by_mail_gets_in_while_strangers_try(client: Client, alice: User) -> None:
    attack("alice")
    assert log_in(client, "alice").status_code == TOO_MANY
    token = default_token_generator.make_token(alice)
    link = client.get(f"/accounts/reset/{urlsafe_base64_encode(str(alice.pk).encode())}/{token}/")["Location"]
    client.post(link, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
    assert log_in(client, "alice", NEW_PASSWORD).status_code == 302


# -- history -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/history/?q=plum", "/history/{id}/export.md", "/history/{id}/export.json"])
def test_who_asks_for_too_much_is_told_when_to_go_on_and_gets_the_same_again(
    client: Client, alice: User, bob: User, clock: time_machine.Traveller, path: str
) -> None:
    client.force_login(alice)
    address = path.format(id=converse(alice, "PLUM").pk)
    for _ in range(60):
        assert client.get(address).status_code == 200
    answer = client.get(address)
    assert (answer.status_code, answer["Retry-After"]) == (TOO_MANY, "1")
    assert "You can try again in 1 second." in main_of(answer)
    assert f'href="{address}"' in answer.content.decode()
    assert client.get("/history/").status_code == 200
    clock.shift(timedelta(seconds=1))
    assert client.get(address).status_code == 200
    client.force_login(bob)
    assert client.get("/history/?q=plum").status_code == 200


def test_a_program_that_asks_for_too_many_files_gets_a_line_of_text(client: Client, alice: User) -> None:
    client.force_login(alice)
    address = f"/history/{converse(alice, 'PLUM').pk}/export.json"
    for _ in range(61):
        answer = client.get(address, headers={"Accept": "application/json"})
    assert answer.status_code == TOO_MANY
    assert answer.content == b"Too many exports. You can try again in 1 second.\n"


def test_nothing_is_deleted_that_was_refused(client: Client, alice: User) -> None:
    client.force_login(alice)
    for _ in range(60):
        client.post("/history/delete-all/")
    conversation = converse(alice, "PLUM")
    for path in ("/history/delete-all/", f"/history/{conversation.pk}/delete/"):
        answer = client.post(path)
        assert answer.status_code == TOO_MANY
        assert "Too many deletions. You can try again in 1 second. Nothing was changed." in main_of(answer)
        assert f'href="{path}"' in answer.content.decode()
        assert client.get(path).status_code == 200
    assert Conversation.objects.filter(pk=conversation.pk).exists()
