"""What the doors before Django share: whom a secret lets in, and how they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.utils.crypto import constant_time_compare

Send = Callable[[Any], Awaitable[None]]

BODY_LIMIT_S = 10.0
"""Servers wait for the rest of a request without end."""


class BodyRefused(Exception):
    """What was sent is not read: with which status, by which code of ours, and why in words."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


def header(scope: Any, name: bytes) -> str:
    """What a request says under this name, in small letters; several are joined by commas."""
    return b",".join(value for each, value in scope["headers"] if each == name).decode("latin-1")


def shows_secret(scope: Any, secret: str) -> bool:
    """Whether a request shows the secret as its bearer; where there is none nobody does."""
    return bool(secret) and constant_time_compare(header(scope, b"authorization"), f"Bearer {secret}")


async def body_of(receive: Any, limit_bytes: int) -> bytes:
    """What was sent with a request. Raises `BodyRefused`."""
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            return await _read(receive, limit_bytes)
    except TimeoutError:
        text = f"The request was not here within {BODY_LIMIT_S:.0f} seconds."
        raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT, "too_slow", text) from None


async def _read(receive: Any, limit_bytes: int) -> bytes:
    raw, has_more = b"", True
    while has_more:
        event = await receive()
        if event["type"] != "http.request":
            raise BodyRefused(HTTPStatus.BAD_REQUEST, "broken_off", "The request was broken off.")
        raw += event.get("body", b"")
        has_more = event.get("more_body", False)
        if len(raw) > limit_bytes:
            text = f"The request has more than {limit_bytes // 1024} KiB."
            raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)
    return raw


async def respond(
    send: Send,
    status: int,
    content_type: str,
    body: bytes,
    more: Mapping[bytes, str] | None = None,
    *,
    is_head: bool = False,
) -> None:
    """Answer, with an answer that nobody may keep. `more`: further headers. `is_head`: without its body."""
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name, value.encode()) for name, value in (more or {}).items()),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else body})
