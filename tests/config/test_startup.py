"""A wrong set-up is refused with sentences and ids, whichever program is started."""

import subprocess
from pathlib import Path

import pytest

from tests.config.commands import SECRET_KEY, STARTERS, clean_environment, run_python


def start(tmp_path: Path, starter: str = "manage.py", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(HOLDLINE_DATA_DIR=str(tmp_path), **variables)
    return run_python(*STARTERS[starter], environment=environment)


def test_traces_without_what_sends_them_are_refused(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").touch()  # stands before whatever is installed, and has no SDK
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "PYTHONPATH": str(tmp_path)}
    done = start(tmp_path, SECRET_KEY=SECRET_KEY, **wanted)
    assert_refused(done, "holdline.E013")
    assert "requirements-otel.txt" in done.stderr


def test_mcp_without_what_speaks_it_is_refused(tmp_path: Path) -> None:
    hidden = (
        "import importlib.util as util, runpy, sys\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *package: None if name == 'mcp' else find(name, *package)\n"
        "sys.argv = ['manage.py', 'check']\n"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    environment = clean_environment(HOLDLINE_DATA_DIR=str(tmp_path), SECRET_KEY=SECRET_KEY, MCP="1")
    done = run_python("-c", hidden, environment=environment)
    assert_refused(done, "holdline.E014")
    assert "requirements-mcp.txt" in done.stderr


def assert_refused(done: subprocess.CompletedProcess[str], *ids: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    for id in ids:
        assert f"{id}: " in done.stderr


def assert_refused_by_check(done: subprocess.CompletedProcess[str], id: str, words: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert id in done.stderr
    assert words in done.stderr


@pytest.mark.parametrize("starter", STARTERS)
def test_every_program_refuses_a_wrong_environment_with_all_problems(tmp_path: Path, starter: str) -> None:
    done = start(tmp_path, starter, DEBUG="maybe", ALLOWED_HOSTS="*")
    assert_refused(done, "holdline.E001", "holdline.E002", "holdline.E006")


@pytest.mark.parametrize(
    ("variables", "id", "words"),
    [
        ({"SECRET_KEY": ""}, "holdline.E001", "SECRET_KEY is not set"),
        ({"DATABASE_URL": "mysql://u:p@host/name"}, "holdline.E005", "DATABASE_URL"),
        ({"REDIS_URL": "localhost:6379"}, "holdline.E004", "REDIS_URL"),
        ({"ALLOWED_HOSTS": "*"}, "holdline.E006", "ALLOWED_HOSTS"),
        ({"HANDLE_VALID_HOURS": "a day"}, "holdline.E003", "HANDLE_VALID_HOURS"),
        ({"HANDLE_KEYS": "not-a-key"}, "holdline.E008", "HANDLE_KEYS"),
        ({"LOG_FORMAT": "xml"}, "holdline.E007", "LOG_FORMAT"),
        ({"CSRF_TRUSTED_ORIGINS": "talk.example"}, "holdline.E004", "CSRF_TRUSTED_ORIGINS"),
        ({"SSL_CERT_FILE": "nowhere.pem"}, "holdline.E009", "SSL_CERT_FILE"),
        ({"GEMINI_API_VERSION": "v2"}, "holdline.E007", "GEMINI_API_VERSION"),
        ({"EPHEMERAL_TOKEN_LOCKS": "voice,model"}, "holdline.E007", "EPHEMERAL_TOKEN_LOCKS has 'model'"),
        ({"CALL_MODELS": "m,m"}, "holdline.E010", "CALL_MODELS"),
        ({"SUMMARY_MODELS": ","}, "holdline.E010", "SUMMARY_MODELS"),
        ({"CONTEXT_CACHE_TTL_S": "59"}, "holdline.E003", "CONTEXT_CACHE_TTL_S"),
        ({"HISTORY_DAYS": "-1"}, "holdline.E003", "HISTORY_DAYS"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "holdline.E004", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"EMAIL_URL": "mail.example:25"}, "holdline.E011", "EMAIL_URL"),
        ({"EMAIL_URL": "smtp://mail.example"}, "holdline.E001", "DEFAULT_FROM_EMAIL"),
        ({"DEFAULT_FROM_EMAIL": "Holdline"}, "holdline.E012", "DEFAULT_FROM_EMAIL"),
    ],
)
def test_each_mistake_has_a_sentence_with_an_id(tmp_path: Path, variables: dict[str, str], id: str, words: str) -> None:
    done = start(tmp_path, **{"SECRET_KEY": SECRET_KEY, **variables})
    assert_refused(done, id)
    assert words in done.stderr


@pytest.mark.parametrize("starter", ["manage.py", "daphne", "uvicorn"])
def test_nothing_starts_with_an_unknown_model_on_a_ladder(tmp_path: Path, starter: str) -> None:
    """The environment can be read, but a system check fails: servers run the checks as well."""
    done = start(tmp_path, starter, SECRET_KEY=SECRET_KEY, TEXT_MODELS="gemini-3.8-live,gpt-7-live")
    assert_refused_by_check(done, "holdline.E202", "gpt-7-live")


def test_debugging_needs_no_key_and_keeps_the_one_it_makes(tmp_path: Path) -> None:
    assert start(tmp_path, DEBUG="1").returncode == 0
    key = tmp_path / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_text()
    assert len(before) > 50
    assert start(tmp_path, DEBUG="1").returncode == 0
    assert key.read_text() == before
