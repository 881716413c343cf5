"""Sending a file as a page does, in parts."""

from __future__ import annotations

import asyncio
from typing import Any

from django.test import Client

from sessions_app.recordings import checking

UPLOADS = "/api/recordings/uploads/"


def announce(client: Client, size_bytes: int, name: str = "talk.wav", **more: Any) -> Any:
    wish = {"name": name, "size_bytes": size_bytes, **more}
    return client.post(UPLOADS, wish, content_type="application/json")


def send(client: Client, id: str, content: bytes, first: int, last: int) -> Any:
    """The bytes from `first` up to `last`, which is not among them."""
    return client.put(
        f"{UPLOADS}{id}/",
        content[first:last],
        content_type="application/octet-stream",
        headers={"Content-Range": f"bytes {first}-{last - 1}/{len(content)}"},
    )


def upload(client: Client, content: bytes, name: str = "talk.wav", **more: Any) -> dict[str, Any]:
    """All of a file at once, checked here and now; what the page is told of it in the end."""
    id = announce(client, len(content), name, **more).json()["id"]
    assert send(client, id, content, 0, len(content)).status_code == 202
    checking.check(id)
    facts: dict[str, Any] = client.get(f"{UPLOADS}{id}/").json()
    return facts


def kept(client: Client, content: bytes, name: str = "talk.wav", **more: Any) -> dict[str, Any]:
    """The same for a file that is taken: the recording."""
    facts: dict[str, Any] = upload(client, content, name, **more)["recording"]
    return facts


def body_of(response: Any) -> bytes:
    """Of an answer that is streamed, or of another one."""
    if not response.streaming:
        return bytes(response.content)

    async def collect() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return asyncio.run(collect())
