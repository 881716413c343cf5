"""The whole application behind each server it supports: the same smoke test for both."""

import asyncio
import http.client
import json
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.web import SERVERS, WebServer

Start = Callable[..., WebServer]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, start_web: Start) -> Iterator[WebServer]:
    """A server that has written no traceback when the test is over."""
    server = start_web(request.param)
    yield server
    server.stop()
    log = server.log()
    assert "Traceback" not in log, log


def open_socket(server: WebServer, path: str, cookie: str = "", origin: str | None = None) -> connect:
    headers = {"Cookie": cookie} if cookie else {}
    return connect(
        f"ws://{server.host}{path}",
        origin=origin or server.url,  # type: ignore[arg-type]
        additional_headers=headers,
        open_timeout=ANSWERS_WITHIN_S,
    )


@contextmanager
def refused_with(status: int) -> Iterator[None]:
    with pytest.raises(InvalidStatus) as refused:
        yield
    assert refused.value.response.status_code == status


async def receive_type(socket: ClientConnection, type: str) -> dict[str, object]:
    """The next message of this type; audio and other messages pass by."""
    async with asyncio.timeout(ANSWERS_WITHIN_S):
        while True:
            frame = await socket.recv()
            if isinstance(frame, str) and (message := json.loads(frame))["type"] == type:
                return dict(message)


async def close_code(socket: ClientConnection) -> int | None:
    """The code the server closes with; what it sends before passes by."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while True:
                await socket.recv()
    return socket.close_code


def ask(server: WebServer, *methods: str) -> list[tuple[int, str | None, int]]:
    """Status, announced and received size of the front page, asked for over one connection."""
    connection = http.client.HTTPConnection(server.host, timeout=ANSWERS_WITHIN_S)
    answers = []
    for method in methods:
        connection.request(method, "/")
        response = connection.getresponse()
        answers.append((response.status, response.headers["Content-Length"], len(response.read())))
    connection.close()
    return answers


async def test_pages_sockets_and_the_way_out(server: WebServer) -> None:
    """HEAD, a visitor, a stranger's page, a wrong address, a conversation, and the end of the server."""
    # Django leaves it to the server to keep the body of HEAD back; one that did not would garble the next answer.
    (*head, nothing), (*get, size) = await asyncio.to_thread(ask, server, "HEAD", "GET")
    assert head == get == [200, str(size)]
    assert nothing == 0 < size

    with refused_with(403):
        await open_socket(server, "/ws/text/", origin="https://evil.example")
    with refused_with(403):
        await open_socket(server, "/ws/nowhere/")
    async with open_socket(server, "/ws/text/") as visitor:
        assert await close_code(visitor) == 4401

    cookie = await asyncio.to_thread(server.log_in, "alice")
    async with open_socket(server, "/ws/text/", cookie) as socket:
        await socket.send(json.dumps({"type": "start", "page_id": str(uuid.uuid4()), "last_down": -1}))
        assert (await receive_type(socket, "ready"))["action"] == "new"
        server.send(signal.SIGTERM)
        assert await close_code(socket) == 4012
    await asyncio.to_thread(server.wait)
