"""The helpers that read the environment."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.env import MAIL_TO_THE_LOG, NO_MAIL, Environment


def ids(env: Environment) -> list[str]:
    return [problem.id for problem in env.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("False", False), ("off", False)],
)
def test_yes_and_no_have_several_words(text: str, expected: bool) -> None:
    env = Environment({"SWITCH": text})
    assert env.boolean("SWITCH", not expected) is expected
    assert not env.problems


def test_an_empty_value_counts_as_not_set() -> None:
    env = Environment({"A": "", "B": "  "})
    assert env.string("A", "default") == "default"
    assert env.boolean("B", True) is True
    assert env.integer("C", 7, 1, 9) == 7
    assert env.words("A", ["x"]) == ["x"]
    assert not env.problems


def test_a_word_that_is_neither_yes_nor_no_is_a_problem() -> None:
    env = Environment({"SWITCH": "maybe"})
    assert env.boolean("SWITCH", False) is False
    assert ids(env) == ["holdline.E002"]
    assert "SWITCH is 'maybe'" in str(env.problems[0])


@pytest.mark.parametrize("text", ["two", "1.5", "0", "25", "-1"])
def test_a_number_that_is_none_or_out_of_range_is_a_problem(text: str) -> None:
    env = Environment({"HOURS": text})
    assert env.integer("HOURS", 2, 1, 24) == 2
    assert ids(env) == ["holdline.E003"]


def test_lists_are_separated_by_commas_and_trimmed() -> None:
    assert Environment({"HOSTS": " a.example, b.example ,,"}).words("HOSTS") == ["a.example", "b.example"]


def test_a_choice_must_be_one_of_its_words() -> None:
    env = Environment({"FORMAT": "xml"})
    assert env.choice("FORMAT", "console", ("console", "json")) == "console"
    assert ids(env) == ["holdline.E007"]


@pytest.mark.parametrize("text", ["http://host:6379", "redis//host", "redis://", "redis://host:port", "//host"])
def test_a_url_needs_the_right_scheme_and_a_host(text: str) -> None:
    env = Environment({"REDIS_URL": text})
    assert env.url("REDIS_URL", ("redis", "rediss")) == ""
    assert ids(env) == ["holdline.E004"]


def test_the_problem_of_a_url_does_not_repeat_its_password() -> None:
    env = Environment({"REDIS_URL": "http://user:hunter2@host:6379"})
    env.url("REDIS_URL", ("redis",))
    assert "hunter2" not in str(env.problems[0])


def test_origins_need_a_scheme() -> None:
    env = Environment({"ORIGINS": "https://good.example, bad.example"})
    env.origins("ORIGINS")
    assert ids(env) == ["holdline.E004"]
    assert "bad.example" in str(env.problems[0])


@pytest.mark.parametrize(
    ("url", "engine", "name"),
    [
        ("sqlite:////data/x.sqlite3", "django.db.backends.sqlite3", "/data/x.sqlite3"),
        ("postgresql://u:p@host:5432/name", "django.db.backends.postgresql", "name"),
        ("postgres://u:p@host/name?sslmode=require", "django.db.backends.postgresql", "name"),
    ],
)
def test_sqlite_and_postgresql_are_supported(url: str, engine: str, name: str) -> None:
    env = Environment({"DATABASE_URL": url})
    database = env.database("DATABASE_URL", "sqlite:///default")
    assert (database["ENGINE"], database["NAME"]) == (engine, name)
    assert not env.problems


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@host/name",
        "postgres//u:hunter2@host/name",
        "postgresql://u:hunter2@host:port/name",
        "postgresql://u:hunter2@host/",
        "postgresql://u:hunter2@[host/name",
        "nonsense",
    ],
)
def test_a_bad_database_url_is_a_problem_that_keeps_the_password_to_itself(url: str) -> None:
    env = Environment({"DATABASE_URL": url})
    env.database("DATABASE_URL", "sqlite:///default")
    assert ids(env) == ["holdline.E005"]
    assert "hunter2" not in str(env.problems[0])


def test_a_star_among_the_hosts_is_refused_outside_of_debugging() -> None:
    env = Environment({"ALLOWED_HOSTS": "a.example,*"})
    env.hosts("ALLOWED_HOSTS", (), debug=True)
    assert not env.problems
    env.hosts("ALLOWED_HOSTS", (), debug=False)
    assert ids(env) == ["holdline.E006"]


def test_a_model_stands_on_one_rung_only() -> None:
    env = Environment({"CALL_MODELS": "a,b,a", "TEXT_MODELS": " , "})
    env.models("CALL_MODELS", ("x",))
    assert env.models("TEXT_MODELS", ("x",)) == ["x"]
    assert ids(env) == ["holdline.E010", "holdline.E010"]


def test_every_key_must_be_a_fernet_key() -> None:
    good = Fernet.generate_key().decode()
    env = Environment({"HANDLE_KEYS": f"{good},short"})
    env.fernet_keys("HANDLE_KEYS")
    assert ids(env) == ["holdline.E008"]
    assert "place 2" in str(env.problems[0])
    assert "short" not in str(env.problems[0])


def test_a_file_must_be_there(tmp_path: Path) -> None:
    env = Environment({"A": str(tmp_path / "missing.pem"), "B": __file__})
    env.file("A")
    assert env.file("B") == __file__
    assert ids(env) == ["holdline.E009"]


def test_a_directory_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = Environment({"DIR": str(tmp_path / "file" / "below")})
    env.directory("DIR", tmp_path)
    assert ids(env) == ["holdline.E009"]


def test_a_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = Environment({}).directory("DIR", tmp_path / "a" / "b")
    assert made.stat().st_mode & 0o777 == 0o700


def test_all_problems_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    env = Environment({"A": "maybe", "B": "many"})
    env.boolean("A", False)
    env.integer("B", 1, 1, 2)
    with pytest.raises(SystemExit) as exit:
        env.refuse_if_wrong()
    assert exit.value.code == 1
    told = capsys.readouterr().err
    assert "holdline.E002: A " in told
    assert "holdline.E003: B " in told


def test_a_good_environment_is_not_refused() -> None:
    Environment({}).refuse_if_wrong()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtps://me:secret@mail.example", ("mail.example", 465, "me", "secret", False, True)),
        (
            "smtp+tls://me%40x.example:se%2Fcret@mail.example",
            ("mail.example", 587, "me@x.example", "se/cret", True, False),
        ),
        ("smtp://localhost:2525/", ("localhost", 2525, "", "", False, False)),
        ("smtp://[::1]", ("::1", 25, "", "", False, False)),
    ],
)
def test_a_mail_server_is_spoken_to_as_its_scheme_says(text: str, expected: tuple[object, ...]) -> None:
    env = Environment({"EMAIL_URL": text})
    server = env.mail_server("EMAIL_URL", NO_MAIL)
    assert not env.problems
    assert server.backend == "django.core.mail.backends.smtp.EmailBackend"
    found = (server.host, server.port, server.user, server.password, server.uses_starttls, server.uses_tls)
    assert found == expected
    assert "secret" not in repr(server)


def test_mail_may_go_to_the_log_or_nowhere() -> None:
    assert Environment({"EMAIL_URL": "console:"}).mail_server("EMAIL_URL", NO_MAIL) == MAIL_TO_THE_LOG
    assert Environment({}).mail_server("EMAIL_URL", NO_MAIL) == NO_MAIL


@pytest.mark.parametrize(
    "text",
    [
        "imap://me:secret@mail.example",
        "smtp:",
        "smtp://:secret@",
        "smtp://me:secret@mail.example:port",
        "smtp://me:secret@mail.example?tls=1",
        "smtp://me:secret@mail.example/inbox",
        "smtp://me:secret@[mail.example",
    ],
)
def test_a_mail_server_that_cannot_be_read_is_a_problem_that_repeats_no_password(text: str) -> None:
    env = Environment({"EMAIL_URL": text})
    assert env.mail_server("EMAIL_URL", NO_MAIL) == NO_MAIL
    assert ids(env) == ["holdline.E011"]
    assert "secret" not in str(env.problems[0])


def test_whoever_sends_mail_has_an_address() -> None:
    env = Environment({"A": "Holdline <talk@example.org>", "B": "talk@example.org"})
    assert env.sender("A", "x", is_needed=True) == "Holdline <talk@example.org>"
    assert env.sender("B", "x", is_needed=True) == "talk@example.org"
    assert env.sender("C", "default", is_needed=False) == "default"
    assert not env.problems
    env.sender("C", "default", is_needed=True)
    assert ids(env) == ["holdline.E001"]


@pytest.mark.parametrize("text", ["Holdline", "Holdline <>", "@", "a@b.example\nBcc: c@d.example"])
def test_a_sender_that_is_no_address_is_a_problem(text: str) -> None:
    env = Environment({"A": text})
    env.sender("A", "default", is_needed=False)
    assert ids(env) == ["holdline.E012"]
