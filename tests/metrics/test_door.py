"""Who may read the figures, and what the others are told: nothing."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from config.metrics.door import MetricsDoor
from tests.services.processes import ANSWERS_WITHIN_S

LOOPBACK, NEIGHBOUR = "127.0.0.1", "10.0.0.7"
TOKEN = "b8a1f0c2d4e6"


class Nothing:
    async def answer(self, accept: str) -> tuple[bytes, str]:
        return b"figures", f"as asked for: {accept}"


async def the_site(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing here"})


async def ask(
    peer: str | None, *, host: str = "127.0.0.1:8001", path: str = "/metrics", method: str = "GET", **headers: str
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent = [(b"host", host.encode("latin-1"))]
    sent += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "headers": sent,
        "client": None if peer is None else (peer, 4711),
    }
    application = ApplicationCommunicator(MetricsDoor(the_site, Nothing()), scope)
    start, body = [await application.receive_output(ANSWERS_WITHIN_S) for _ in range(2)]
    return start["status"], dict(start["headers"]), body["body"]


async def test_this_machine_may_read_and_gets_what_nobody_may_keep() -> None:
    status, headers, body = await ask(LOOPBACK, accept="text/plain")
    assert (status, body) == (200, b"figures")
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"content-type"] == b"as asked for: text/plain"
    assert headers[b"content-length"] == b"7"


async def test_who_asks_for_the_head_gets_no_figures() -> None:
    status, _, body = await ask(LOOPBACK, method="HEAD")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8001", "127.0.0.1:8001", "[::1]:8001"])
async def test_every_address_and_name_of_this_machine_is_known(peer: str, host: str) -> None:
    assert (await ask(peer, host=host))[0] == 200


@pytest.mark.parametrize("peer", [NEIGHBOUR, "203.0.113.7", "2001:db8::1", "::ffff:10.0.0.7", "", None, "unix:"])
async def test_to_strangers_there_is_no_such_page(peer: str | None) -> None:
    status, _, body = await ask(peer)
    assert (status, body) == (404, b"nothing here")


@pytest.mark.parametrize(
    "header",
    ["x_forwarded_for", "x_forwarded_proto", "x_forwarded_host", "x_forwarded_server", "forwarded", "via", "x_real_ip"],
)
async def test_who_comes_through_a_proxy_on_this_machine_is_a_stranger(header: str) -> None:
    assert (await ask(LOOPBACK, **{header: "127.0.0.1"}))[0] == 404


@pytest.mark.parametrize("host", ["talk.example", "evil.example:8001", "127.0.0.1.evil.example", "", "[", "local\xe9"])
async def test_a_browser_on_this_machine_cannot_be_made_to_ask_by_another_name(host: str) -> None:
    assert (await ask(LOOPBACK, host=host))[0] == 404


@pytest.mark.parametrize("peer", [LOOPBACK, NEIGHBOUR])
async def test_with_a_token_it_alone_counts(settings: Settings, peer: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert (await ask(peer))[0] == 404
    assert (await ask(peer, host="web1:8000", authorization=f"Bearer {TOKEN}"))[0] == 200
    assert (await ask(peer, x_forwarded_for="203.0.113.7", authorization=f"Bearer {TOKEN}"))[0] == 200


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xe9"])
async def test_nothing_else_passes_for_the_token(settings: Settings, shown: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert (await ask(LOOPBACK, authorization=shown))[0] == 404


@pytest.mark.parametrize(
    ("path", "method"), [("/metrics/", "GET"), ("/metricsx", "GET"), ("/", "GET"), ("/metrics", "POST")]
)
async def test_all_else_is_left_to_the_site(path: str, method: str) -> None:
    assert (await ask(LOOPBACK, path=path, method=method))[0] == 404
