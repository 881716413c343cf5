"""What the tests of pages over sockets have in common: a turn from beginning to end, and questions to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from channels.db import database_sync_to_async

from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
)
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Socket

Answer = TypeVar("Answer")


async def ask(question: Callable[[], Answer]) -> Answer:
    """Ask the database."""
    return await database_sync_to_async(question)()


async def exchange(page: Socket, upstream: FakeUpstream, id: str, text: str, answer: str, handle: str = "") -> None:
    """A typed turn, its reply and the handle after it."""
    await page.send(type="text", id=id, text=text)
    await page.wait_for("turn", role="user", text=text)
    await asyncio.sleep(0.2)
    upstream.connection.feed(ReplyAudio(bytes(960)), ReplyWords(answer), GenerationComplete(), TurnComplete())
    await page.wait_for("ack", ids=[id])
    if handle:
        await asyncio.sleep(0.2)
        upstream.connection.feed(HandleUpdate(handle))
        await asyncio.sleep(0.2)


def open_lines(upstream: FakeUpstream) -> int:
    return sum(not connection.is_closed for connection in upstream.connections)
