"""The account that `./run` tells people to log in with."""

from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django.fixtures import Settings


@pytest.fixture
def password_file(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "demo_password"


@pytest.mark.django_db
def test_the_password_in_the_data_directory_logs_in(password_file: Path) -> None:
    call_command("ensure_demo_account")
    user = authenticate(username="demo", password=password_file.read_text().strip())
    assert user is not None
    assert not user.is_staff
    assert password_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_a_password_that_was_changed_is_put_back(password_file: Path, django_user_model: type[User]) -> None:
    call_command("ensure_demo_account")
    user = django_user_model.objects.get(username="demo")
    user.set_password("something else")
    user.save()
    call_command("ensure_demo_account")
    assert authenticate(username="demo", password=password_file.read_text().strip()) == user


@pytest.mark.django_db
def test_nothing_changes_when_nothing_is_missing(password_file: Path, django_user_model: type[User]) -> None:
    """A new hash would end the sessions of everybody who is logged in as demo."""
    call_command("ensure_demo_account")
    before = django_user_model.objects.get(username="demo").password
    call_command("ensure_demo_account")
    assert django_user_model.objects.get(username="demo").password == before
