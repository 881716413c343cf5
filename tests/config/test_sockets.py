"""Who may open a socket."""

from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from config.sockets import OriginGate

HOSTS = ["talk.example", ".team.example", "127.0.0.1", "[::1]"]


async def welcome(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def is_let_in(*headers: tuple[bytes, bytes]) -> bool:
    socket = WebsocketCommunicator(OriginGate(welcome, HOSTS), "/ws/text/", headers=list(headers))
    accepted, _ = await socket.connect()
    return bool(accepted)


@pytest.mark.parametrize(
    "origin",
    [
        "https://talk.example",
        "http://talk.example:8000",
        "https://a.team.example",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
async def test_pages_of_our_hosts_are_let_in(origin: str) -> None:
    assert await is_let_in((b"origin", origin.encode()))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://talk.example.evil.example",
        "https://eviltalk.example",
        "null",
        "",
        "http://[::1",
        "\u00ff\u00fe",
    ],
)
async def test_pages_of_other_sites_and_nonsense_are_refused(origin: str) -> None:
    assert not await is_let_in((b"origin", origin.encode("latin-1")))


async def test_a_client_that_names_no_origin_is_refused() -> None:
    assert not await is_let_in()


async def test_a_second_origin_does_not_open_the_gate() -> None:
    assert not await is_let_in((b"origin", b"https://talk.example"), (b"origin", b"https://evil.example"))
