"""What the doors before Django share: whom a secret lets in, and how they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.utils.crypto import constant_time_compare

Send = Callable[[Any], Awaitable[None]]


def header(scope: Any, name: bytes) -> str:
    """What a request says under this name, in small letters; several are joined by commas."""
    return b",".join(value for each, value in scope["headers"] if each == name).decode("latin-1")


def shows_secret(scope: Any, secret: str) -> bool:
    """Whether a request shows the secret as its bearer; where there is none nobody does."""
    return bool(secret) and constant_time_compare(header(scope, b"authorization"), f"Bearer {secret}")


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
