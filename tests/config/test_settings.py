"""What settings make of the environment."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from config.settings import env
from tests.config.commands import ROOT, SECRET_KEY, clean_environment, run_python

READ_ELSEWHERE = {"PORT", "POSTGRES_PASSWORD"}
"""Variables of `./run` and the Procfile, and of compose.yaml."""


def settings_for(tmp_path: Path, *names: str, **variables: str) -> dict[str, Any]:
    """The named settings, read by a process with these variables."""
    code = (
        "import json, config.settings as s; "
        f"print(json.dumps({{name: getattr(s, name, None) for name in {names!r}}}, default=str))"
    )
    environment = {"HOLDLINE_DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET_KEY, **variables}
    done = run_python("-c", code, environment=clean_environment(**environment))
    assert done.returncode == 0, done.stderr
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


def test_env_example_lists_exactly_the_variables_that_are_read() -> None:
    page = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"^#?([A-Z_]+)=", page, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == env.names | READ_ELSEWHERE


def test_a_laptop_needs_no_service(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "DATABASES", "CHANNEL_LAYERS", "CACHES", "TASKS_IN_PROCESS", "DEBUG")
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "holdline.sqlite3")
    assert settings["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "InMemory" in settings["CHANNEL_LAYERS"]["default"]["BACKEND"]
    assert "locmem" in settings["CACHES"]["default"]["BACKEND"]
    assert settings["TASKS_IN_PROCESS"] is True
    assert settings["DEBUG"] is False


def test_production_uses_the_services_it_is_given(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path,
        *("DATABASES", "CHANNEL_LAYERS", "CACHES", "CELERY_BROKER_URL", "TASKS_IN_PROCESS"),
        DATABASE_URL="postgresql://u:p@db.example/holdline",
        REDIS_URL="redis://redis.example:6379/1",
    )
    database = settings["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert database["CONN_MAX_AGE"] == 0
    assert database["OPTIONS"]["pool"]["max_size"] > 1
    assert "RedisChannelLayer" in settings["CHANNEL_LAYERS"]["default"]["BACKEND"]
    assert settings["CACHES"]["default"]["LOCATION"] == "redis://redis.example:6379/1"
    assert settings["CELERY_BROKER_URL"] == "redis://redis.example:6379/1"
    assert settings["TASKS_IN_PROCESS"] is False


@pytest.mark.parametrize(
    ("variables", "backend", "sends"),
    [
        ({}, "dummy", False),
        ({"DEBUG": "1"}, "console", True),
        ({"EMAIL_URL": "smtps://mail.example", "DEFAULT_FROM_EMAIL": "talk@example.org"}, "smtp", True),
    ],
)
def test_mail_is_sent_where_somebody_takes_it(
    tmp_path: Path, variables: dict[str, str], backend: str, sends: bool
) -> None:
    settings = settings_for(tmp_path, "EMAIL_BACKEND", "SENDS_MAIL", "EMAIL_TIMEOUT", **variables)
    assert settings["EMAIL_BACKEND"] == f"django.core.mail.backends.{backend}.EmailBackend"
    assert settings["SENDS_MAIL"] is sends
    assert settings["EMAIL_TIMEOUT"] == 10


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ALLOWED_HOSTS": "talk.example"}, True),
        ({"ALLOWED_HOSTS": "talk.example,localhost"}, True),
        ({"ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]"}, False),
        ({}, False),
        ({"ALLOWED_HOSTS": "talk.example", "DEBUG": "1"}, False),
        ({"ALLOWED_HOSTS": "talk.example", "HTTPS_ONLY": "0"}, False),
        ({"ALLOWED_HOSTS": "localhost", "HTTPS_ONLY": "1"}, True),
    ],
)
def test_https_is_required_unless_only_this_machine_is_served(
    tmp_path: Path, variables: dict[str, str], expected: bool
) -> None:
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    settings = settings_for(tmp_path, *names, "SECURE_HSTS_SECONDS", **variables)
    assert {settings[name] for name in names} == {expected}
    assert bool(settings["SECURE_HSTS_SECONDS"]) is expected


def test_the_proxy_is_believed_only_when_told_to(tmp_path: Path) -> None:
    name = "SECURE_PROXY_SSL_HEADER"
    assert settings_for(tmp_path, name)[name] is None
    assert settings_for(tmp_path, name, TRUST_PROXY="1")[name] == ["HTTP_X_FORWARDED_PROTO", "https"]


@pytest.mark.parametrize(("variables", "expected"), [({}, False), ({"DEBUG": "1"}, True), ({"SIGNUP_OPEN": "1"}, True)])
def test_sign_up_is_closed_unless_opened(tmp_path: Path, variables: dict[str, str], expected: bool) -> None:
    assert settings_for(tmp_path, "SIGNUP_OPEN", **variables)["SIGNUP_OPEN"] is expected


def test_the_key_of_the_api_has_two_names(tmp_path: Path) -> None:
    name = "GEMINI_API_KEY"
    assert settings_for(tmp_path, name, GOOGLE_API_KEY="a")[name] == "a"
    assert settings_for(tmp_path, name, GOOGLE_API_KEY="a", GEMINI_API_KEY="b")[name] == "b"


def test_handle_keys_are_derived_from_the_secret_and_its_predecessors(tmp_path: Path) -> None:
    name = "HANDLE_FERNET_KEYS"
    before = settings_for(tmp_path, name)[name]
    after = settings_for(tmp_path, name, SECRET_KEY="another-" + SECRET_KEY, SECRET_KEY_FALLBACKS=SECRET_KEY)[name]
    assert len(base64.urlsafe_b64decode(before[0])) == 32
    assert before == settings_for(tmp_path, name)[name]
    assert after[1:] == before
    assert after[0] != before[0]
    assert SECRET_KEY not in before[0]


def test_handle_keys_of_ones_own_replace_the_derived_ones(tmp_path: Path) -> None:
    own = base64.urlsafe_b64encode(bytes(32)).decode()
    assert settings_for(tmp_path, "HANDLE_FERNET_KEYS", HANDLE_KEYS=own)["HANDLE_FERNET_KEYS"] == [own]


def test_ladders_can_be_set(tmp_path: Path) -> None:
    ladders = settings_for(tmp_path, "ENERGY_LADDERS", TEXT_MODELS="a, b")["ENERGY_LADDERS"]
    assert ladders["text"] == ["a", "b"]
    assert len(ladders["call"]) == 3


def test_check_deploy_is_clean_with_production_settings(tmp_path: Path) -> None:
    environment = clean_environment(
        HOLDLINE_DATA_DIR=str(tmp_path),
        SECRET_KEY=SECRET_KEY,
        ALLOWED_HOSTS="talk.example",
        DATABASE_URL="postgresql://u:p@db.example/holdline",
        REDIS_URL="redis://redis.example:6379",
        GEMINI_API_KEY="a-key",
    )
    done = run_python("manage.py", "check", "--deploy", "--fail-level", "WARNING", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout
