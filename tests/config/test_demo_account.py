"""The account that `./run` tells people to log in with."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

PASSWORD = "bavok-tifen-dulap-mokis"


@pytest.fixture(autouse=True)
def given_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", PASSWORD)


@pytest.mark.django_db
def test_the_password_that_is_given_logs_in() -> None:
    call_command("ensure_demo_account")
    user = authenticate(username="demo", password=PASSWORD)
    assert user is not None
    assert not user.is_staff


@pytest.mark.django_db
def test_a_password_that_was_changed_is_put_back(django_user_model: type[User]) -> None:
    call_command("ensure_demo_account")
    user = django_user_model.objects.get(username="demo")
    user.set_password("something else")
    user.save()
    call_command("ensure_demo_account")
    assert authenticate(username="demo", password=PASSWORD) == user


@pytest.mark.django_db
def test_nothing_changes_when_nothing_is_missing(django_user_model: type[User]) -> None:
    """A new hash would end the sessions of everybody who is logged in as demo."""
    call_command("ensure_demo_account")
    before = django_user_model.objects.get(username="demo").password
    call_command("ensure_demo_account")
    assert django_user_model.objects.get(username="demo").password == before


@pytest.mark.django_db
def test_without_a_password_nothing_is_made_and_the_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, django_user_model: type[User]
) -> None:
    monkeypatch.delenv("DEMO_PASSWORD")
    with pytest.raises(CommandError, match="DEMO_PASSWORD"):
        call_command("ensure_demo_account")
    assert not django_user_model.objects.exists()
