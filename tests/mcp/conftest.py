"""Web servers that are asked by MCP, and programs that ask them: the SDK's own client."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.services.emulator import Emulator
from tests.services.processes import HANGS_AFTER_S
from tests.services.web import ROOT, WebServer

StartWeb = Callable[..., WebServer]
SWITCHED_ON = {"MCP": "1", "RECORDINGS": "1"}


@pytest.fixture(scope="session")
def servers(
    emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], WebServer]]:
    """A server of each kind for all tests that do not stop it."""
    started: dict[str, WebServer] = {}

    def server(kind: str) -> WebServer:
        if kind not in started:
            environment = {**emulator_program.environment, **SWITCHED_ON}
            started[kind] = WebServer(tmp_path_factory.mktemp("mcp"), environment, kind)
        return started[kind]

    yield server
    for each in started.values():
        each.stop()


@pytest.fixture(params=["daphne", "uvicorn"])
def either(request: pytest.FixtureRequest, servers: Callable[[str], WebServer], emulator: Emulator) -> WebServer:
    """Each of the servers in its turn."""
    return servers(request.param)


@pytest.fixture
def site(servers: Callable[[str], WebServer], emulator: Emulator) -> WebServer:
    """One of them, where it does not matter which."""
    return servers("uvicorn")


def make_key(web: WebServer, name: str = "alice") -> str:
    """A new access key of somebody."""
    return web.shell(
        "import uuid\n"
        "from django.contrib.auth.models import User\n"
        "from sessions_app.accounts import access_keys\n"
        "from sessions_app.models import AccessKey\n"
        f"user = User.objects.get(username={name!r})\n"
        "AccessKey.objects.filter(user=user).delete()\n"
        "print(access_keys.make(user, 'laptop', AccessKey.Use.MCP).value)"
    ).strip()


def talk_about(web: WebServer, words: str, name: str = "alice", count: int = 1) -> list[str]:
    """Conversations of somebody in which these words are said; their ids."""
    return web.shell(
        "from django.contrib.auth.models import User\n"
        "from tests.summarization.talk import Talk, spoken\n"
        "from summarization.services import write_call_history\n"
        f"user = User.objects.get(username={name!r})\n"
        f"for number in range({count}):\n"
        "    talk = Talk(user)\n"
        f"    talk.say([spoken(0, {words!r}), spoken(1, 'I shall remember that.')])\n"
        "    from sessions_app.services import finish_session\n"
        "    finish_session(talk.opening.conversation, talk.opening.session, 'hang-up', True)\n"
        "    write_call_history(talk.id)\n"
        "    print(talk.id)"
    ).split()


@asynccontextmanager
async def over_http(web: WebServer, key: str, mode: str = "auto") -> AsyncIterator[Client]:
    """A program that asks a server by this key."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=HANGS_AFTER_S) as http,
        Client(
            streamable_http_client(f"{web.url}/mcp", http_client=http), mode=mode, read_timeout_seconds=HANGS_AFTER_S
        ) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(web: WebServer, *arguments: str, mode: str = "auto", **variables: str) -> AsyncIterator[Client]:
    """A program that starts `manage.py mcp` beside a server, with its database."""
    environment = {**web.environment, **variables}
    parameters = StdioServerParameters(
        command=sys.executable, args=["manage.py", "mcp", *arguments], env=environment, cwd=ROOT
    )
    async with Client(parameters, mode=mode, read_timeout_seconds=HANGS_AFTER_S) as client:
        yield client


def text_of(result: Any) -> str:
    """What a result says to people."""
    return "\n".join(part.text for part in result.content)
