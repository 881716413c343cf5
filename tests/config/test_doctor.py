"""The doctor: each check when all is well and when it is not, and that nothing secret is ever told."""

from __future__ import annotations

import datetime
import email.utils
import ssl
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import Settings
from websockets.http11 import Response
from websockets.sync.server import Server, ServerConnection, serve

from config.doctor import clock, database, disk, files, provider, proxy, services, tls, tokens, websocket
from config.doctor import settings as settings_check
from config.doctor.findings import Check, Finding, Verdict, failed, ok, run, warning
from config.doctor.http import Address, Answer
from energy import ledger
from energy.levels import Mode
from energy.quota import Refusal
from sessions_app import kept_sound
from sessions_app.live.parcel import Parcel
from sessions_app.models import Worker
from summarization.models import CallHistory
from tests.config.commands import SECRET_KEY, clean_environment, run_python
from tests.fakes.energy import NEWEST, OLDER
from tests.services.emulator import Emulator
from tests.services.web import WebServer
from tests.summarization.talk import past_call, turns

ENDED = "gemini-3.1-flash-live-preview"

NOW = 1_800_000_000.0


def verdicts(findings: Iterable[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


@pytest.fixture
def live(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Emulator:
    """The emulator is the provider."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    settings.GEMINI_API_KEY = "test-key"
    settings.GOOGLE_GEMINI_BASE_URL = emulator.environment["GOOGLE_GEMINI_BASE_URL"]
    return emulator


# --- How checks are run -------------------------------------------------------------------------------------------


def test_a_check_that_hangs_or_breaks_is_a_finding_and_keeps_no_other_from_its_own() -> None:
    for_ever = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield ok("so far")
        for_ever.wait()

    def breaks() -> Iterator[Finding]:
        yield from ()
        raise OSError("no route\nto anywhere")

    checks = [Check("hangs", hangs), Check("breaks", breaks), Check("fine", lambda: [ok("well")])]
    assert [(subject, finding.verdict, finding.text) for subject, finding in run(checks, limit_s=3)] == [
        ("hangs", Verdict.OK, "so far"),
        ("hangs", Verdict.FAILED, "no answer within 3 s"),
        ("breaks", Verdict.FAILED, "OSError: no route"),
        ("fine", Verdict.OK, "well"),
    ]
    for_ever.set()


def test_secrets_in_what_libraries_say_are_not_told(settings: Settings) -> None:
    settings.GEMINI_API_KEY = "AIza-as-long-as-the-keys-of-Google-are-0"
    settings.REDIS_URL = "redis://:hush%21@127.0.0.1:6379/0"
    settings.DATABASES["default"]["PASSWORD"] = "swordfish"
    settings.GEMINI_TOKEN_SERVICE_SECRET = "open-sesame"
    words = (
        f"{settings.GEMINI_API_KEY} {settings.SECRET_KEY} {settings.HANDLE_FERNET_KEYS[0]} hush%21 hush! swordfish "
        "open-sesame"
    )
    try:
        ((_, finding),) = run([Check("said", lambda: [failed(words, words)])])
    finally:
        settings.DATABASES["default"]["PASSWORD"] = ""
    assert finding.text == finding.advice == "*** *** *** *** *** *** ***"


def test_a_server_without_anything_hears_of_each_thing_and_ends_with_one() -> None:
    environment = clean_environment(
        SECRET_KEY=SECRET_KEY,
        ALLOWED_HOSTS="holdline.example",
        DATABASE_URL="postgresql://holdline:swordfish@127.0.0.1:9/holdline",
        REDIS_URL="redis://:hushhush@127.0.0.1:9/0",
        GOOGLE_GEMINI_BASE_URL="https://127.0.0.1:9",
    )
    done = run_python("manage.py", "doctor", "--url", "http://127.0.0.1:9", environment=environment)
    assert done.returncode == 1
    failures = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("failed")}
    assert failures == {
        "database",
        "key,",
        "clock",
        "layer",
        "broker",
        "worker",
        "summaries",
        "web",
        "proxy",
        "WebSocket",
    }
    for secret in ("swordfish", "hushhush", SECRET_KEY):
        assert secret not in done.stdout + done.stderr


@pytest.mark.laptop
def test_a_server_that_runs_is_well(web: WebServer) -> None:
    told = web.manage("doctor", "--url", web.url)
    assert "failed" not in told
    for words in (
        "migrations applied",
        "the provider of https://127.0.0.1",
        "is alive",
        f"opens through ws://{web.host}",
    ):
        assert words in told
    with pytest.raises(RuntimeError, match="is not an address such as"):
        web.manage("doctor", "--url", "talk.example.org")


# --- Settings, database, disk -------------------------------------------------------------------------------------


def test_settings_that_servers_refuse_are_told(settings: Settings) -> None:
    assert verdicts(settings_check.look()) == [Verdict.OK]
    settings.ENERGY_LADDERS = {"call": [], "text": [NEWEST, OLDER]}
    (finding,) = settings_check.look()
    assert (finding.verdict, finding.text.partition(":")[0]) == (Verdict.FAILED, "holdline.E201")


@pytest.mark.django_db
def test_a_database_that_is_up_to_date_is_well() -> None:
    assert set(verdicts(database.look())) == {Verdict.OK}


@pytest.mark.django_db
def test_a_database_that_is_behind_or_ahead_is_told() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("sessions_app", "0999_later")
    assert "sessions_app.0999_later" in next(iter(database.look())).text
    recorder.record_unapplied("sessions_app", "0009_one_owner")
    (finding,) = database.look()
    assert finding == failed("1 migrations are missing, sessions_app.0009_one_owner is the first", "manage.py migrate")


@pytest.mark.django_db
def test_handles_that_other_keys_encrypted_are_counted(kept: None, settings: Settings) -> None:
    assert list(database.look())[-1].text == "all of 1 handles and sounds can be read with this server's keys"
    settings.HANDLE_FERNET_KEYS = [Fernet.generate_key().decode()]
    finding = list(database.look())[-1]
    assert (finding.verdict, finding.text.partition(" can")[0]) == (Verdict.WARNING, "1 of 1 handles and sounds")


@pytest.fixture
def kept(alice: User) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, uuid.uuid4(), Parcel(1, ((0, b"ab"),)))


@pytest.mark.parametrize(("free_mb", "verdict"), [(50_000, Verdict.OK), (500, Verdict.WARNING), (50, Verdict.FAILED)])
def test_room_on_the_disk(free_mb: int, verdict: Verdict) -> None:
    assert disk.judged(Path("var"), free_mb * 1024**2).verdict is verdict


def test_a_place_that_cannot_be_written_to_is_told(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert Verdict.FAILED not in verdicts(disk.look())
    settings.MEDIA_ROOT = tmp_path.parent / "elsewhere"
    assert "elsewhere cannot be written to" in " ".join(finding.text for finding in disk.look())
    settings.DATA_DIR = tmp_path / "not-there"
    assert "not-there cannot be written to" in " ".join(finding.text for finding in disk.look())


# --- The provider -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("live")
def test_the_key_and_each_model_are_told(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {
        "call": [NEWEST, ENDED, "gemini-3.8-live-gone"],
        "text": [NEWEST, "gemini-3.8-flash-tts"],
    }
    found = list(provider.look())
    assert verdicts(found) == [
        *(Verdict.OK, Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.FAILED),
        *(Verdict.OK, Verdict.OK),
    ]
    assert [finding.text for finding in found[1:]] == [
        f"{NEWEST}, without an announced end",
        f"{ENDED} has ended on 2026-11-17 and is left out",
        "gemini-3.8-live-gone is not listed",
        "gemini-3.8-flash-tts cannot be talked with",
        "gemini-3.8-flash, gemini-3.5-flash-lite for questions about recordings",
        "gemini-3.8-flash, gemini-3.5-flash-lite for summaries",
    ]
    ledger.note_refusal(NEWEST, Refusal("per day"), timezone.now())
    assert list(provider.look())[1].text.startswith(f"{NEWEST} is spent (day) until 20")


@pytest.mark.parametrize(
    ("models", "verdict"),
    [(["gemini-3.8-flash", "gemini-gone"], Verdict.WARNING), (["gemini-gone", "gemini-gone-too"], Verdict.FAILED)],
)
@pytest.mark.django_db
@pytest.mark.usefixtures("live")
def test_models_that_were_to_write_summaries_are_missed(
    models: list[str], verdict: Verdict, settings: Settings
) -> None:
    settings.SUMMARY_MODELS = models
    of_summaries = list(provider.look())[-2]
    assert (of_summaries.verdict, "gemini-gone" in of_summaries.text) == (verdict, True)


@pytest.mark.parametrize(
    ("models", "verdict"),
    [(["gemini-3.8-flash", "gemini-gone"], Verdict.WARNING), (["gemini-gone", "gemini-gone-too"], Verdict.FAILED)],
)
@pytest.mark.django_db
@pytest.mark.usefixtures("live")
def test_models_that_were_to_listen_to_recordings_are_missed(
    models: list[str], verdict: Verdict, settings: Settings
) -> None:
    settings.RECORDING_MODELS = models
    (of_recordings,) = (finding for finding in provider.look() if "about recordings" in finding.text)
    assert (of_recordings.verdict, "gemini-gone" in of_recordings.text) == (verdict, True)
    settings.RECORDINGS = False
    assert not [finding for finding in provider.look() if "about recordings" in finding.text]


@pytest.mark.parametrize(
    ("models", "finding"),
    [
        (["gemini-3.8-flash-tts"], ok("gemini-3.8-flash-tts to speak answers in turns")),
        (
            ["gemini-gone", "gemini-3.8-flash-tts"],
            warning("gemini-gone is not listed, and was to speak answers in turns", "Take it off TURNS_VOICE_MODELS."),
        ),
        (
            ["gemini-gone", "gemini-lost"],
            failed(
                "none that speaks the answers of models in turns is listed (gemini-gone, gemini-lost): they are only "
                "read",
                "Name others in TURNS_VOICE_MODELS.",
            ),
        ),
    ],
)
@pytest.mark.django_db
@pytest.mark.usefixtures("live")
def test_voices_are_missed_where_a_ladder_has_a_model_in_turns(
    models: list[str], finding: Finding, settings: Settings
) -> None:
    settings.TURNS_VOICE_MODELS = models
    assert list(provider.look())[-1] == finding
    settings.ENERGY_LADDERS = {"call": [NEWEST], "text": [NEWEST]}
    assert "turns" not in list(provider.look())[-1].text


def test_where_no_key_is_nothing_is_said_of_room_for_copies_of_recordings(settings: Settings) -> None:
    settings.GEMINI_API_KEY = ""
    assert verdicts(files.look()) == [Verdict.NOT_SET]


@pytest.mark.django_db
@pytest.mark.usefixtures("live")
def test_models_of_agent_platform_are_looked_up_in_its_list_and_are_no_failure_where_they_are_not_in_it(
    settings: Settings,
) -> None:
    there, unlisted = "vertex@us-central1:gemini-3.8-live", "vertex@us-central1:gemini-3.8-live-extended-thinking"
    settings.GEMINI_API_KEY, settings.GOOGLE_CLOUD_PROJECT = "", "holdline"
    settings.GOOGLE_CLOUD_ACCESS_TOKEN = "emulator"
    settings.ENERGY_LADDERS = {mode.value: [there, unlisted] for mode in Mode}
    credentials, found, missing = provider.look()
    assert credentials == ok("Agent Platform in us-central1 takes the credentials")
    assert found == ok(f"{there}, without an announced end")
    assert missing == provider.not_listed(unlisted)
    settings.GOOGLE_CLOUD_ACCESS_TOKEN = "bad"
    (finding,) = provider.look()
    assert (finding.verdict, "takes no credentials: 401" in finding.text) == (Verdict.FAILED, True)
    settings.GOOGLE_CLOUD_PROJECT = ""
    assert verdicts(provider.look()) == [Verdict.FAILED]


def test_an_agent_platform_that_does_not_list_its_models_is_no_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", "https://127.0.0.1:9")
    settings.GEMINI_API_KEY, settings.GOOGLE_CLOUD_PROJECT = "", "holdline"
    settings.GOOGLE_CLOUD_ACCESS_TOKEN = "emulator"
    settings.ENERGY_LADDERS = {mode.value: ["vertex@us-central1:gemini-3.8-live"] for mode in Mode}
    assert verdicts(provider.look()) == [Verdict.NOT_SET]


def test_without_a_key_or_a_provider_there_is_one_finding(settings: Settings) -> None:
    (finding,) = provider.look()
    assert (finding.verdict, "does not list its models" in finding.text) == (Verdict.FAILED, True)
    settings.GEMINI_API_KEY = ""
    assert list(provider.look()) == [failed("there is none", "Set GEMINI_API_KEY; nobody can talk without it.")]


def test_a_process_that_has_its_tokens_from_another_needs_no_key(settings: Settings) -> None:
    settings.GEMINI_API_KEY, settings.GEMINI_DIAL_WITH_TOKENS = "", True
    settings.GEMINI_TOKEN_SERVICE_URL = "https://127.0.0.1:9/token-service/"
    assert verdicts(provider.look()) == [Verdict.NOT_SET]


# --- Tokens to dial with ------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::google.genai._common.ExperimentalWarning")  # given once a process
def test_a_token_is_made_where_tokens_are_dialled_with(live: Emulator, settings: Settings) -> None:
    assert verdicts(tokens.look()) == [Verdict.NOT_SET]
    settings.GEMINI_DIAL_WITH_TOKENS = True
    (finding,) = tokens.look()
    assert (finding.verdict, "the provider makes one in" in finding.text) == (Verdict.OK, True)
    live.fault("refuse_minting", status=403, text="auth_tokens/abc: the caller does not have permission", count=1)
    (finding,) = tokens.look()
    assert finding.verdict is Verdict.FAILED
    assert "makes none (403): PERMISSION_DENIED auth_tokens/***: the caller does not have permission" in finding.text


def test_a_token_service_that_is_not_there_and_nobody_at_all_are_failures(settings: Settings) -> None:
    settings.GEMINI_DIAL_WITH_TOKENS, settings.GEMINI_TOKEN_SERVICE_URL = True, "http://127.0.0.1:9/token-service/"
    (finding,) = tokens.look()
    assert finding.text == "http://127.0.0.1:9/token-service/ makes none: no answer that makes sense"
    settings.GEMINI_API_KEY = settings.GEMINI_TOKEN_SERVICE_URL = ""
    assert verdicts(tokens.look()) == [Verdict.FAILED]


# --- Clocks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apart_s", "verdict"),
    [(0, Verdict.OK), (-2, Verdict.OK), (9, Verdict.WARNING), (-9, Verdict.WARNING), (99, Verdict.FAILED)],
)
def test_a_clock_that_is_wrong_is_told(apart_s: int, verdict: Verdict) -> None:
    told = email.utils.formatdate(NOW + apart_s, usegmt=True)
    assert clock.of_provider(Answer(404, {"date": told}, NOW - 0.2, NOW + 0.2)).verdict is verdict


def test_a_provider_that_tells_no_time_says_nothing_about_the_clock() -> None:
    for headers in ({}, {"date": "soon"}):
        assert clock.of_provider(Answer(200, headers, NOW, NOW)).verdict is Verdict.NOT_SET
    assert next(iter(clock.look())).verdict is Verdict.FAILED, "nobody listens at the address of the tests"


@pytest.mark.django_db
def test_the_clock_of_a_database_on_the_same_machine_is_the_same() -> None:
    expected = Verdict.OK if connection.vendor == "postgresql" else Verdict.NOT_SET
    assert clock.of_database().verdict is expected


# --- Services -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_layer_and_broker_answer_where_there_are_some_and_a_worker_is_missed(settings: Settings) -> None:
    layer, broker, worker = (list(look()) for look in (services.layer, services.broker, services.worker))
    if settings.REDIS_URL:
        assert verdicts([*layer, *broker, *worker]) == [Verdict.OK, Verdict.OK, Verdict.FAILED]
    else:
        assert verdicts([*layer, *broker, *worker]) == [Verdict.NOT_SET] * 3


@pytest.mark.django_db
def test_summaries_that_nobody_takes_are_told(alice: User) -> None:
    assert verdicts(services.summaries()) == [Verdict.OK]
    due_at = timezone.now() - datetime.timedelta(minutes=1)
    CallHistory.objects.create(conversation=past_call(alice, turns(2)).row, due_at=due_at)
    assert verdicts(services.summaries()) == [Verdict.OK]
    CallHistory.objects.update(due_at=timezone.now() - datetime.timedelta(minutes=7))
    (finding,) = services.summaries()
    assert (finding.verdict, finding.text) == (Verdict.WARNING, "1 wait to be written, the first for 7 minutes")


@pytest.mark.django_db
def test_web_processes_are_known_by_their_heartbeats() -> None:
    assert verdicts(services.web()) == [Verdict.WARNING]
    Worker.objects.create(name="talk:1")
    assert list(services.web()) == [ok("talk:1 is alive")]


# --- The public address -------------------------------------------------------------------------------------------

Reply = tuple[int, Mapping[str, str]]


@contextmanager
def site(reply: Callable[[Mapping[str, str]], Reply], certificate: str = "") -> Iterator[Address]:
    """A server that answers every request by its headers, with TLS where there is a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers = reply(dict(self.headers))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, Path(certificate).with_name("key.pem"))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Address(f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


@contextmanager
def socket(handler: Callable[[ServerConnection], None], status: int = 0) -> Iterator[Address]:
    """A server of sockets that are handled so, or refused with a status."""

    def refuse(connection: ServerConnection, request: Any) -> Response | None:
        return connection.respond(status, "") if status else None

    server: Server
    with serve(handler, "127.0.0.1", 0, process_request=refuse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Address(f"http://127.0.0.1:{server.socket.getsockname()[1]}")
        server.shutdown()
        thread.join()


def test_without_an_address_nothing_of_it_is_looked_at() -> None:
    for look in (tls.look, proxy.look, websocket.look):
        assert verdicts(look(None)) == [Verdict.NOT_SET]


@pytest.mark.parametrize("url", ["talk.example.org", "ftp://talk.example.org", "https://", "https://a:b"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"not an address|Port could not"):
        Address(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://talk.example.org/call/", "https://talk.example.org"),
        ("https://talk.example.org:8443", "https://talk.example.org:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_names_its_origin_as_browsers_do(url: str, origin: str) -> None:
    assert Address(url).origin == origin


def test_tls_by_its_certificate(live: Emulator, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(lambda headers: (200, {}), live.environment["SSL_CERT_FILE"]) as address:
        assert verdicts(tls.look(address)) == [Verdict.WARNING], "HTTPS_ONLY is off in the tests"
        settings.HTTPS_ONLY = True
        assert verdicts(tls.look(address)) == [Verdict.OK]
        monkeypatch.delenv("SSL_CERT_FILE")
        (finding,) = tls.look(address)
        assert (finding.verdict, "the certificate is refused" in finding.text) == (Verdict.FAILED, True)


def test_tls_that_is_missing_or_ends_soon(settings: Settings) -> None:
    settings.HTTPS_ONLY = True
    now = timezone.now()
    assert verdicts(tls.look(Address("http://talk.example.org"))) == [Verdict.FAILED]
    assert verdicts(tls.look(Address("http://localhost:8000"))) == [Verdict.NOT_SET]
    assert verdicts(tls.look(Address("https://127.0.0.1:9"))) == [Verdict.FAILED]
    assert tls.judged(now + datetime.timedelta(days=13), now, "TLSv1.3").verdict is Verdict.WARNING
    assert tls.judged(now + datetime.timedelta(days=60), now, "TLSv1.3").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("status", "verdict", "word"),
    [(200, Verdict.OK, "come"), (400, Verdict.FAILED, "400"), (502, Verdict.FAILED, "502")],
)
def test_a_proxy_by_how_a_page_comes_through(status: int, verdict: Verdict, word: str) -> None:
    with site(lambda headers: (status, {})) as address:
        (finding,) = proxy.look(address)
    assert finding.verdict is verdict
    assert word in finding.text


def test_a_proxy_that_does_not_say_by_what_scheme_somebody_came(live: Emulator) -> None:
    def around(headers: Mapping[str, str]) -> Reply:
        return 301, {"Location": f"https://{headers['Host']}{proxy.PAGE}"}

    with site(around, live.environment["SSL_CERT_FILE"]) as address:
        (finding,) = proxy.look(address)
    assert finding.text == "pages send visitors on to where they are"


def test_a_proxy_that_lets_visitors_claim_a_scheme(live: Emulator, settings: Settings) -> None:
    settings.HTTPS_ONLY = True

    def believes(headers: Mapping[str, str]) -> Reply:
        return (301 if headers.get("X-Forwarded-Proto") == "http" else 200), {}

    certificate = live.environment["SSL_CERT_FILE"]
    with site(believes, certificate) as address:
        without_trust, claimed = proxy.look(address)
        assert without_trust.verdict is Verdict.WARNING
        assert claimed.text == "the proxy passes X-Forwarded-Proto on as visitors send it"
    settings.TRUST_PROXY = True
    with site(lambda headers: (200, {}), certificate) as address:
        assert verdicts(proxy.look(address)) == [Verdict.OK]


@pytest.mark.parametrize(
    ("status", "code", "verdict", "word"),
    [
        (0, 4401, Verdict.OK, "opens"),
        (0, 1011, Verdict.FAILED, "1011"),
        (403, 0, Verdict.FAILED, "origin"),
        (502, 0, Verdict.FAILED, "502"),
    ],
)
def test_a_socket_by_how_it_is_answered(status: int, code: int, verdict: Verdict, word: str) -> None:
    def close(connection: ServerConnection) -> None:
        connection.send('{"type": "error"}')
        connection.close(code)

    with socket(close, status) as address:
        (finding,) = websocket.look(address)
    assert finding.verdict is verdict
    assert word in finding.text


def test_a_socket_that_nobody_answers() -> None:
    assert verdicts(websocket.look(Address("http://127.0.0.1:9"))) == [Verdict.FAILED]


def test_files_at_the_provider_are_told_of_before_they_fill_it() -> None:
    assert files.judged(3_000_000_000).verdict == Verdict.OK
    assert files.judged(17_000_000_000).verdict == Verdict.WARNING
