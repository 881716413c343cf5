"""The deployment files agree with each other and with the code; that their commands work is tried in
`tests/scenarios/test_production.py`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config import drain
from config.server_options import ADVISED_MESSAGE_BYTES
from tests.deployment.files import (
    CADDYFILE,
    COMMON,
    INSTALLED,
    NGINX,
    ROOT,
    UNITS,
    compose,
    dockerfile,
    lines_of,
    ours,
    procfile,
    seconds,
    started_by,
    unit,
    units,
    without_places,
)

PROCESS_OF_SERVICE = {"web1": "web", "web2": "web", "worker": "worker", "beat": "beat", "release": "release"}
NOT_OURS = {
    *("POSTGRES_USER", "POSTGRES_DB", "WEB_UPSTREAMS", "HOSTNAME", "PATH", "PYTHONUNBUFFERED"),
    *("WITH_TRACES", "WITH_MCP"),
}
"""Variables of other programs, one that compose.yaml hands to Caddy, and two of the image's making."""

KNOWN_TO_COMPOSE = {"DATABASE_URL", "REDIS_URL", "TRUST_PROXY", "MEDIA_ROOT", "RECORDING_UPLOADS_DIR"}
"""What the operator has to say elsewhere."""

FILES = [
    ROOT / "Procfile",
    ROOT / "Dockerfile",
    ROOT / "compose.yaml",
    CADDYFILE,
    NGINX,
    COMMON,
    *UNITS.glob("*.service"),
]


def documented() -> set[str]:
    page = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#?([A-Z_]+)=", page, re.MULTILINE))


# -- one place for the command lines -----------------------------------------------------------------------------------


def test_compose_starts_what_the_procfile_says() -> None:
    services = ours()
    assert services.keys() == PROCESS_OF_SERVICE.keys()
    for name, process in PROCESS_OF_SERVICE.items():
        assert without_places(services[name]["command"]) == without_places(procfile()[process]), name


def test_the_units_start_what_the_procfile_says() -> None:
    web, worker, beat, release = (
        list(started_by(units()[f"holdline-{name}.service"])) for name in ("web@", "worker", "beat", "release")
    )
    for process, started in (("web", web), ("worker", worker), ("beat", beat)):
        assert [without_places(command) for command in started] == [without_places(procfile()[process])]
    assert release == [procfile()["release"], ("python", "manage.py", "collectstatic", "--no-input")]


def test_the_image_starts_the_web_process_of_the_procfile() -> None:
    instructions = dict(dockerfile())
    assert without_places(json.loads(instructions["CMD"])) == without_places(procfile()["web"])


def test_the_web_process_takes_no_large_messages() -> None:
    web = procfile()["web"]
    assert web[web.index("--ws-max-size") + 1] == str(ADVISED_MESSAGE_BYTES)


# -- time to leave -----------------------------------------------------------------------------------------------------


def test_whoever_is_asked_to_stop_has_time_for_it() -> None:
    web = procfile()["web"]
    open_requests_s = int(web[web.index("--timeout-graceful-shutdown") + 1])
    needed_s = drain.DRAIN_LIMIT_S + open_requests_s + drain.CANCEL_LIMIT_S
    assert seconds(unit(COMMON)["TimeoutStopSec"][0]) > needed_s
    assert {name for name, service in ours().items() if seconds(service["stop_grace_period"]) <= needed_s} == set()


# -- variables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_that_is_named_is_explained(path: Path) -> None:
    text = "\n".join(lines_of(path))
    named = re.findall(r"\$\{?([A-Z][A-Z_]+)|^\s*([A-Z][A-Z_]+):|\b([A-Z][A-Z_]+)=", text, re.MULTILINE)
    assert {name for names in named for name in names if name} - documented() - NOT_OURS == set()


def test_compose_refuses_to_start_without_what_production_needs() -> None:
    """What has no default comes from `.env`, or is demanded of it."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) == {"POSTGRES_PASSWORD", "SECRET_KEY", "ALLOWED_HOSTS"}
    for name, service in ours().items():
        assert service["env_file"] == ".env", name
        assert service["environment"].keys() == KNOWN_TO_COMPOSE | {"SECRET_KEY"}, name


def test_no_secret_stands_in_a_file() -> None:
    for path in FILES:
        text = "\n".join(lines_of(path))
        given = re.findall(r"(?:PASSWORD|SECRET_KEY|API_KEY|HANDLE_KEYS)(?:: +|=)(\S+)|://\w+:([^@\s]+)@", text)
        values = ["".join(groups) for groups in given]
        assert [value for value in values if not value.startswith(("${", "not-a-secret"))] == [], path.name


# -- containers --------------------------------------------------------------------------------------------------------


def test_the_image_is_made_of_pinned_wheels_and_runs_as_nobody_in_particular() -> None:
    instructions = dockerfile()
    installs = [text for word, text in instructions if word == "RUN" and "pip install" in text]
    pinned = "pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt"
    assert installs == [f"{pinned} ${{WITH_TRACES:+-r requirements-otel.txt}} ${{WITH_MCP:+-r requirements-mcp.txt}}"]
    for name in ("WITH_TRACES", "WITH_MCP"):
        assert ("ARG", name) in instructions, "without a value: it is for those who ask for it"
    last_stage = instructions[max(index for index, (word, _) in enumerate(instructions) if word == "FROM") :]
    words = [word for word, _ in last_stage]
    assert words.index("USER") < words.index("CMD")
    assert not dict(last_stage)["USER"].startswith(("root", "0"))


def test_the_image_holds_what_production_imports_and_nothing_that_is_secret() -> None:
    kept = {line[1:] for line in lines_of(ROOT / ".dockerignore") if line.startswith("!")}
    assert lines_of(ROOT / ".dockerignore")[0] == "*"
    assert [name for name in kept if not (ROOT / name).exists()] == []
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert kept == apps | {
        *("LICENSE", "NOTICE", "manage.py", "requirements.txt", "requirements-otel.txt", "requirements-mcp.txt"),
        *("static", "templates"),
    }


def test_containers_can_neither_write_nor_gain_rights() -> None:
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert service["tmpfs"] == ["/tmp"], name  # noqa: S108
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_databases_are_out_of_reach_from_outside() -> None:
    services = compose()
    assert {name for name, service in services.items() if "ports" in service} == {"caddy"}
    for name in ("postgres", "valkey"):
        assert services[name]["networks"] == ["inside"]


def test_whoever_waits_for_another_waits_until_it_is_ready() -> None:
    services = compose()
    assert services["release"]["depends_on"].keys() == {"postgres", "valkey"}
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            has_ended = other == "release"
            assert how["condition"] == ("service_completed_successfully" if has_ended else "service_healthy"), name
            image_asks = "build" in services[other]  # HEALTHCHECK of the Dockerfile
            assert has_ended or "healthcheck" in services[other] or image_asks, other


def test_there_is_one_beat_and_what_answers_nobody_is_not_asked() -> None:
    services = ours()
    assert [name for name, service in services.items() if "beat" in service["command"]] == ["beat"]
    asked = {name for name, service in services.items() if not service.get("healthcheck", {}).get("disable")}
    assert asked == {"web1", "web2", "worker"}


# -- units -------------------------------------------------------------------------------------------------------------


def test_units_run_what_is_installed_and_keep_it_running() -> None:
    for name, service in units().items():
        for setting in ("ExecStart", "ExecStartPost"):
            assert all(line.startswith(INSTALLED) for line in service.get(setting, [])), name
        assert ("Restart" in service) is (service.get("Type") != ["oneshot"]), name
    assert INSTALLED.startswith(unit(COMMON)["WorkingDirectory"][0])


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """Where it is installed; its own words for what it does not know or cannot find."""
    if shutil.which("systemd-analyze") is None:
        return
    shutil.copytree(UNITS, tmp_path / "units")
    for path in (tmp_path / "units").rglob("holdline-*"):
        if path.is_file():
            path.write_text(path.read_text(encoding="utf-8").replace(INSTALLED, "/bin/true "), encoding="utf-8")
    files = sorted(str(path) for path in (tmp_path / "units").glob("*.service"))
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "holdline" in line] == []


# -- proxies -----------------------------------------------------------------------------------------------------------


def test_both_proxies_know_both_web_processes_of_the_units() -> None:
    for path in (CADDYFILE, NGINX):
        assert re.findall(r"127\.0\.0\.1:(\d+)", "\n".join(lines_of(path))) == ["8001", "8002"], path.name
    assert compose()["caddy"]["environment"]["WEB_UPSTREAMS"] == "web1:8000 web2:8000"


def test_nginx_passes_on_what_is_believed_and_what_opens_a_socket() -> None:
    text = "\n".join(lines_of(NGINX))
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", text))
    assert headers == {
        "Host": "$http_host",
        "Upgrade": "$http_upgrade",
        "Connection": "$connection_header",
        "X-Forwarded-For": "$proxy_add_x_forwarded_for",
        "X-Forwarded-Proto": "$scheme",
    }
    assert text.count("{") == text.count("}")


def test_the_log_of_nginx_has_no_queries() -> None:
    text = "\n".join(lines_of(NGINX))
    assert "$request_uri" not in re.findall(r"log_format .*", text)[0]
    assert "$request " not in text
    assert text.count("access_log ") == text.count("server {")
