"""Headers, health and static files as a client sees them."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import AsyncClient, Client, override_settings

from tests.config.commands import SECRET_KEY, clean_environment, run_python
from tests.services.processes import free_port


@pytest.fixture
def policy(client: Client) -> dict[str, list[str]]:
    header = client.get("/healthz").headers["Content-Security-Policy"]
    return {words[0]: words[1:] for words in map(str.split, header.split(";"))}


def test_nothing_inline_and_nothing_foreign_runs(policy: dict[str, list[str]]) -> None:
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'"]
    assert not [word for words in policy.values() for word in words if "unsafe" in word or "http" in word]


def test_pages_cannot_be_framed_nor_rebased_nor_sent_elsewhere(policy: dict[str, list[str]]) -> None:
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]


def test_text_becomes_elements_or_scripts_by_way_of_the_sanitiser_alone(policy: dict[str, list[str]]) -> None:
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert policy["trusted-types"] == ["dompurify"]


@pytest.mark.django_db
def test_the_admin_alone_may_make_elements_out_of_text(client: Client) -> None:
    """jQuery does. Everything else holds there, too."""
    ours, admins = (client.get(path).headers["Content-Security-Policy"] for path in ("/healthz", "/admin/"))
    missing = set(ours.split("; ")) - set(admins.split("; "))
    assert missing == {"require-trusted-types-for 'script'"}


def test_the_microphone_is_for_our_pages_alone(client: Client) -> None:
    header = client.get("/healthz").headers["Permissions-Policy"]
    assert "microphone=(self)" in header
    assert "camera=()" in header


@pytest.mark.django_db
def test_no_other_site_may_embed_what_is_here(client: Client) -> None:
    for path in ("/healthz", "/accounts/login/", "/nowhere/", staticfiles_storage.url("images/favicon.svg")):
        response = client.get(path)
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert response.headers["X-Content-Type-Options"] == "nosniff", path
        response.close()


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        *[("http://localhost:8000", True), ("http://127.0.0.1:8000", True), ("http://[::1]:8000", True)],
        *[("https://holdline.example", True), ("http://holdline.lan:8000", False), ("http://192.0.2.7:8000", False)],
    ],
)
def test_browsers_are_told_of_openers_where_they_listen(client: Client, origin: str, kept: bool) -> None:
    """On other origins they say on each page, in the console, that they do not."""
    scheme, _, host = origin.partition("://")
    with override_settings(ALLOWED_HOSTS=["*"]):
        headers = client.get("/healthz", secure=scheme == "https", headers={"Host": host}).headers
    assert headers.get("Cross-Origin-Opener-Policy") == ("same-origin" if kept else None)


def test_usual_headers_are_set(client: Client) -> None:
    headers = client.get("/healthz", headers={"Host": "localhost"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


@override_settings(SECURE_SSL_REDIRECT=True)
def test_probes_are_answered_without_https() -> None:
    client = Client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/accounts/login/").status_code == 301


@pytest.mark.django_db
def test_the_log_in_page_carries_no_inline_script_or_style(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"<script(?![^>]*(\ssrc=|nonce=))", page)


@pytest.mark.usefixtures("patient_readiness")
@pytest.mark.django_db(transaction=True)
async def test_a_server_whose_parts_answer_is_ready(async_client: AsyncClient) -> None:
    response = await async_client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "database": "ok", "channel_layer": "ok", "process": "ok"}


@pytest.mark.usefixtures("patient_readiness")
@pytest.mark.django_db(transaction=True)
async def test_a_server_without_its_redis_is_alive_but_not_ready(async_client: AsyncClient) -> None:
    nobody = {"address": f"redis://:hunter2@127.0.0.1:{free_port()}"}
    layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [nobody]}}
    with override_settings(CHANNEL_LAYERS={"default": layer}):
        response = await async_client.get("/readyz")
        assert (await async_client.get("/healthz")).status_code == 200
    assert response.status_code == 503
    assert response.json() == {"ready": False, "database": "ok", "channel_layer": "ConnectionError", "process": "ok"}


def test_a_server_without_its_database_is_not_ready_and_keeps_the_address_to_itself(tmp_path: Path) -> None:
    """SQLite cannot open a file in a directory that is not there; the kind of error is told, not its text."""
    environment = clean_environment(
        SECRET_KEY=SECRET_KEY,
        HOLDLINE_DATA_DIR=str(tmp_path),
        DATABASE_URL=f"sqlite:///{tmp_path}/missing/database",
        ALLOWED_HOSTS="testserver",
        HTTPS_ONLY="0",
    )
    ask = "from django.test import Client; r = Client().get('/readyz'); print(r.status_code, r.content.decode())"
    done = run_python("manage.py", "shell", "--no-imports", "-c", ask, environment=environment)
    assert done.stdout.strip() == (
        '503 {"ready": false, "database": "OperationalError", "channel_layer": "ok", "process": "ok"}'
    )


@pytest.mark.laptop
@pytest.mark.django_db  # the end of a response looks after a connection that tests before may have opened
def test_before_collecting_files_are_served_under_their_plain_names(client: Client) -> None:
    response = client.get(staticfiles_storage.url("admin/css/base.css"))
    assert response.status_code == 200
    assert response.request["PATH_INFO"] == "/static/admin/css/base.css"
    response.close()


def test_after_collecting_files_have_hashed_names_and_modules_import_each_other_by_them(tmp_path: Path) -> None:
    """Runs `collectstatic` over the real files: a reference to a file that is missing fails here."""
    environment = clean_environment(SECRET_KEY=SECRET_KEY, HOLDLINE_DATA_DIR=str(tmp_path))
    done = run_python("manage.py", "collectstatic", "--no-input", "--verbosity", "0", environment=environment)
    assert done.returncode == 0, done.stderr
    names = json.loads((tmp_path / "static" / "staticfiles.json").read_text())["paths"]
    modules = [tmp_path / "static" / hashed for name, hashed in names.items() if name.startswith("js/")]
    imported = [
        (module, path)
        for module in modules
        if module.suffix == ".js"
        for path in re.findall(r"""from\s*["'](\.[^"']+)["']""", module.read_text(encoding="utf-8"))
    ]
    assert imported
    for module, path in imported:
        assert re.search(r"\.[0-9a-f]{12}\.js$", path), f"{module.name} imports {path}"
        assert (module.parent / path).resolve().exists()

    ask = (
        "from django.test import Client; from django.templatetags.static import static; "
        "r = Client().get(static('admin/css/base.css')); print(r.status_code, r.headers['Cache-Control'])"
    )
    environment |= {"ALLOWED_HOSTS": "testserver", "HTTPS_ONLY": "0"}
    done = run_python("manage.py", "shell", "--no-imports", "-c", ask, environment=environment)
    assert done.stdout.startswith("200 ")
    assert "immutable" in done.stdout
