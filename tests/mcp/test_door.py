"""Who gets through to MCP over HTTP, and how everybody else is refused."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from pytest_django import Settings

from config import doors
from config.mcp import door as mcp_door
from config.mcp import history_tools, hosting
from config.mcp.calls import Calls
from config.mcp.door import BODY_LIMIT_BYTES, PATH, REQUESTS_AT_ONCE_OF_A_USER, McpDoor
from sessions_app.accounts import access_keys
from sessions_app.models import AccessKey
from tests.services.processes import ANSWERS_WITHIN_S, PATIENCE_S, eventually

pytestmark = pytest.mark.django_db(transaction=True)

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
SENT = {b"content-type": b"application/json", b"accept": b"application/json, text/event-stream", b"host": b"localhost"}


async def the_site(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing here"})


@pytest.fixture(autouse=True)
def switched_on(settings: Settings) -> None:
    settings.MCP = True


@pytest.fixture
async def door() -> AsyncIterator[McpDoor]:
    opened = McpDoor(the_site, Calls("http"))
    yield opened
    await opened.leave()


@pytest.fixture
def key(alice: User) -> str:
    return access_keys.make(alice, "laptop", AccessKey.Use.MCP).value


Answered = tuple[int, dict[bytes, bytes], bytes]


async def ask(
    door: McpDoor, key: str, asked: object = PING, *, method: str = "POST", path: str = PATH, **headers: str
) -> Answered:
    """What is answered to a request; `headers` are laid over the usual ones."""
    request = begin(door, key, method=method, path=path, **headers)
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    await request.send_input({"type": "http.request", "body": body[:9], "more_body": True})
    await request.send_input({"type": "http.request", "body": body[9:]})
    return await answer_of(request)


def begin(
    door: McpDoor, key: str, *, method: str = "POST", path: str = PATH, **headers: str
) -> ApplicationCommunicator:
    sent = {**SENT, **({b"authorization": f"Bearer {key}".encode()} if key else {})}
    sent |= {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "headers": list(sent.items()),
        "client": ("10.0.0.7", 4711),
    }
    scope |= {"server": ("localhost", 80), "scheme": "http", "query_string": b"", "http_version": "1.1"}
    return ApplicationCommunicator(door, scope)


async def answer_of(request: ApplicationCommunicator) -> Answered:
    start = await request.receive_output(ANSWERS_WITHIN_S)
    body, has_more = b"", True
    while has_more:
        event = await request.receive_output(ANSWERS_WITHIN_S)
        body += event.get("body", b"")
        has_more = event.get("more_body", False)
    return start["status"], dict(start["headers"]), body


def code_of(answered: Answered) -> tuple[int, str]:
    return answered[0], json.loads(answered[2])["error"]["code"]


async def test_who_has_a_key_is_answered(door: McpDoor, key: str) -> None:
    status, _, body = await ask(door, key)
    assert status == 200
    assert b'"result"' in body


async def test_where_it_is_switched_off_there_is_no_such_page(door: McpDoor, key: str, settings: Settings) -> None:
    settings.MCP = False
    assert await ask(door, key) == (404, {}, b"nothing here")


async def test_other_pages_are_left_to_the_site(door: McpDoor, key: str) -> None:
    assert await ask(door, key, path="/mcp/other") == (404, {}, b"nothing here")


async def test_without_a_key_that_counts_nobody_is_let_in_and_programs_are_told_how(door: McpDoor, key: str) -> None:
    status, headers, _ = await ask(door, "")
    assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")
    for wrong in (key[:-1], f"{key}\u00e4", "hl_", key.upper()):
        status, headers, _ = await ask(door, wrong)
        assert (status, headers[b"www-authenticate"]) == (401, b'Bearer error="invalid_token"')
    assert code_of(await ask(door, "", authorization=f"Basic {key}")) == (401, "no_key")


async def test_a_key_for_tokens_reads_no_conversations(door: McpDoor, alice: User) -> None:
    """One that was made before there was MCP must not reach further than its user was told."""
    made = await sync_to_async(access_keys.make)(alice, "an older one")
    assert code_of(await ask(door, made.value)) == (401, "bad_key")


async def test_a_key_that_is_revoked_or_whose_account_is_closed_counts_at_once_no_more(
    door: McpDoor, key: str, alice: User
) -> None:
    assert (await ask(door, key))[0] == 200
    await sync_to_async(User.objects.filter(pk=alice.pk).update)(is_active=False)
    assert code_of(await ask(door, key)) == (401, "bad_key")
    await sync_to_async(User.objects.filter(pk=alice.pk).update)(is_active=True)
    assert (await ask(door, key))[0] == 200
    (row,) = await sync_to_async(access_keys.keys_of)(alice)
    await sync_to_async(access_keys.revoke)(alice, row.pk)
    assert code_of(await ask(door, key)) == (401, "bad_key")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT", "OPTIONS"])
async def test_only_post_is_answered_for_there_is_no_stream_to_be_listened_to(
    door: McpDoor, key: str, method: str
) -> None:
    status, headers, _ = await ask(door, key, method=method)
    assert (status, headers[b"allow"]) == (405, b"POST")


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"host": "elsewhere.example"}, (421, "bad_host")),
        ({"host": "local host"}, (421, "bad_host")),
        ({"origin": "https://elsewhere.example"}, (403, "bad_origin")),
        ({"origin": "null"}, (403, "bad_origin")),
        ({"origin": "http://localhost.elsewhere.example"}, (403, "bad_origin")),
    ],
)
async def test_pages_of_other_sites_get_nothing_even_by_a_name_that_leads_here(
    door: McpDoor, key: str, headers: dict[str, str], refused: tuple[int, str]
) -> None:
    """A page may have a browser ask by a name of its own that it lets lead to this machine (DNS rebinding)."""
    assert code_of(await ask(door, key, **headers)) == refused


async def test_a_page_of_this_site_may_ask(door: McpDoor, key: str) -> None:
    assert (await ask(door, key, origin="http://localhost"))[0] == 200


async def test_a_key_that_came_in_the_clear_is_refused_where_there_is_tls(
    door: McpDoor, key: str, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert code_of(await ask(door, key)) == (403, "no_tls")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert (await ask(door, key, x_forwarded_proto="https"))[0] == 200


GARBAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"jsonrpc": "2.0"}',
    b'{"jsonrpc": "2.0", "id": {}, "method": 7}',
    b'"\\ud800"',
    b"[" * 60_000,
    b'{"a":' * 10_000,
    json.dumps([PING, PING]).encode(),
]


@pytest.mark.parametrize("version", ["", "2025-06-18", "2026-07-28", "\x7f", "1"])
async def test_garbage_is_refused_and_no_traceback_is_told(
    door: McpDoor, key: str, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"mcp_protocol_version": version} if version else {}
    for garbage in GARBAGE:
        status, _, body = await ask(door, key, garbage, **headers)
        assert 400 <= status < 500, garbage[:100]
        assert b"Traceback" not in body
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"content_type": "text/plain"}, 400), ({"accept": "text/html"}, 406), ({"accept": ""}, 406)],
)
async def test_what_is_no_request_of_mcp_is_refused(
    door: McpDoor, key: str, headers: dict[str, str], status: int
) -> None:
    assert (await ask(door, key, **headers))[0] == status


async def test_a_request_that_is_too_large_is_refused(door: McpDoor, key: str) -> None:
    assert code_of(await ask(door, key, b" " * (BODY_LIMIT_BYTES + 1))) == (413, "too_large")


async def test_a_request_that_does_not_come_is_given_up(
    door: McpDoor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "BODY_LIMIT_S", 0.01)
    assert code_of(await answer_of(begin(door, key))) == (408, "too_slow")


async def test_one_user_cannot_take_all_places_and_they_are_free_again(
    door: McpDoor, key: str, bobs_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "BODY_LIMIT_S", 600.0)  # or a busy machine would free their places meanwhile
    waiting = [begin(door, key) for _ in range(REQUESTS_AT_ONCE_OF_A_USER)]
    for request in waiting:
        await request.send_input({"type": "http.request", "body": b"{", "more_body": True})
    await eventually(lambda: door.taken == REQUESTS_AT_ONCE_OF_A_USER)
    assert code_of(await ask(door, key)) == (429, "too_many")
    assert (await ask(door, bobs_key))[0] == 200
    for request in waiting:
        await request.send_input({"type": "http.disconnect"})
        await answer_of(request)
    assert (await ask(door, key))[0] == 200
    await eventually(lambda: door.taken == 0)


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
async def test_who_waits_for_a_call_while_the_server_restarts_is_answered_before_it_ends(
    door: McpDoor, key: str, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def held(*asked: object) -> None:
        has_begun.set()
        may_end.wait(PATIENCE_S)

    monkeypatch.setattr(history_tools, "_found", held)
    for module in (mcp_door, hosting):
        monkeypatch.setattr(module, "LEAVE_LIMIT_S", PATIENCE_S)  # two seconds are not enough for a busy machine
    params = (
        {"name": "list_conversations", "_meta": META} if version == "2026-07-28" else {"name": "list_conversations"}
    )
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"mcp_protocol_version": version, "mcp_method": "tools/call", "mcp_name": "list_conversations"}
    asking = asyncio.create_task(ask(door, key, call, **headers))
    await asyncio.to_thread(has_begun.wait, PATIENCE_S)
    await door.leave()
    status, _, body = await asking
    may_end.set()
    assert status == 200
    assert b"The server restarts. Ask again in a moment." in body


META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture
def bobs_key(bob: User) -> str:
    return access_keys.make(bob, "laptop", AccessKey.Use.MCP).value
