"""Who may open a socket."""

from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from config.sockets import OriginGate
from tests.services.processes import ANSWERS_WITHIN_S


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["talk.example", ".team.example", "127.0.0.1", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://front.example", "https://*.fleet.example", "http://lab.example:8080"]


async def welcome(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def is_let_in(*headers: tuple[bytes, bytes], scheme: str | None = "ws") -> bool:
    socket = WebsocketCommunicator(OriginGate(welcome), "/ws/text/?%ff=\x00", headers=list(headers))
    if scheme is not None:
        socket.scope["scheme"] = scheme
    accepted, _ = await socket.connect(timeout=ANSWERS_WITHIN_S)
    return bool(accepted)


def named(host: str, origin: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", host.encode()), (b"origin", origin.encode("latin-1"))]


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("wss", "talk.example", "https://talk.example"),
        ("ws", "talk.example:8000", "http://talk.example:8000"),
        ("wss", "a.team.example", "https://a.team.example"),
        ("ws", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ws", "[::1]:8000", "http://[::1]:8000"),
        (None, "127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
async def test_pages_of_this_very_site_are_let_in(scheme: str | None, host: str, origin: str) -> None:
    assert await is_let_in(*named(host, origin), scheme=scheme)


@pytest.mark.parametrize(
    "origin",
    [
        "https://talk.example:8443",
        "https://talk.example:444",
        "http://talk.example",
        "http://talk.example:443",
        "wss://talk.example",
        "https://a.team.example",
        "https://127.0.0.1",
    ],
)
async def test_another_service_under_the_same_name_is_another_site(origin: str) -> None:
    assert not await is_let_in(*named("talk.example", origin), scheme="wss")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://talk.example.evil.example",
        "https://eviltalk.example",
        "https://talk.example/",
        "https://talk.example@evil.example",
        "null",
        "",
        "http://[::1",
        "\u00ff\u00fe",
    ],
)
async def test_pages_of_other_sites_and_nonsense_are_refused(origin: str) -> None:
    assert not await is_let_in(*named("talk.example", origin), scheme="wss")


async def test_a_host_that_is_not_ours_is_no_proof_of_anything() -> None:
    assert not await is_let_in(*named("evil.example", "https://evil.example"), scheme="wss")


@pytest.mark.parametrize("origin", ["https://front.example", "https://eu.fleet.example", "http://lab.example:8080"])
async def test_behind_a_proxy_that_changes_the_host_the_trusted_origins_count(origin: str) -> None:
    assert await is_let_in(*named("127.0.0.1:8000", origin))


@pytest.mark.parametrize("origin", ["http://front.example", "https://front.example:8443", "https://fleet.example.org"])
async def test_a_trusted_origin_counts_with_its_scheme_and_port(origin: str) -> None:
    assert not await is_let_in(*named("127.0.0.1:8000", origin))


@pytest.mark.parametrize(("is_trusted", "origin"), [(True, "https://talk.example"), (False, "http://talk.example")])
async def test_behind_a_proxy_with_tls_pages_come_by_https_if_the_proxy_is_trusted(
    settings: Settings, is_trusted: bool, origin: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_trusted else None
    assert await is_let_in(*named("talk.example", origin), (b"x-forwarded-proto", b"https"))


async def test_a_client_that_names_no_origin_is_refused() -> None:
    assert not await is_let_in((b"host", b"talk.example"))


async def test_a_second_origin_does_not_open_the_gate() -> None:
    headers = named("talk.example", "https://talk.example")
    assert not await is_let_in(*headers, (b"origin", b"https://evil.example"), scheme="wss")
