"""One socket of a page, spoken to through an ASGI application in the test's process."""

from __future__ import annotations

import json
import struct
import uuid
from typing import Any

from channels.consumer import AsyncConsumer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase

from energy.levels import Mode
from sessions_app.gateway.consumers import CallConsumer, LiveConsumer, TextConsumer
from sessions_app.gateway.session_registry import SessionRegistry

Message = dict[str, Any]
CONSUMERS: dict[Mode, type[LiveConsumer]] = {Mode.TEXT: TextConsumer, Mode.CALL: CallConsumer}
PATIENCE_S = 60
"""Of virtual time."""


class Socket:
    """`async with Socket(registry, Mode.TEXT, alice) as page`; it keeps `messages`, `audio` and `close_code`."""

    def __init__(
        self,
        registry: SessionRegistry,
        mode: Mode,
        user: User | AnonymousUser,
        page_id: uuid.UUID | None = None,
        browser: SessionBase | None = None,
        consumer: type[AsyncConsumer] | None = None,
        language: str = "",
    ) -> None:
        application: Any = (consumer or CONSUMERS[mode]).as_asgi(registry=registry)

        async def logged_in(scope: Any, receive: Any, send: Any) -> None:
            await application({**scope, "user": user, "session": browser}, receive, send)

        self.page_id = str(page_id or uuid.uuid4())
        self.messages: list[Message] = []
        self.audio: list[tuple[int, bytes]] = []
        self.close_code: int | None = None
        self.wire = WebsocketCommunicator(logged_in, f"/ws/{mode}/?language={language}")
        self._seen = 0

    async def __aenter__(self) -> Socket:
        connected, _ = await self.wire.connect()
        assert connected
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """The socket is gone."""
        await self.wire.disconnect()

    # -- saying ------------------------------------------------------------------------------------------------------

    async def send(self, **message: Any) -> None:
        await self.send_raw(json.dumps(message))

    async def send_raw(self, frame: str | bytes) -> None:
        key = "bytes" if isinstance(frame, bytes) else "text"
        await self.wire.send_input({"type": "websocket.receive", key: frame})

    async def send_frame(self, number: int, pcm: bytes = bytes(1_280)) -> None:
        await self.send_raw(struct.pack(">I", number) + pcm)

    async def start(self, **fields: Any) -> Message:
        await self.send(type="start", page_id=self.page_id, **fields)
        return await self.wait_for("ready")

    # -- hearing -----------------------------------------------------------------------------------------------------

    async def wait_for(self, type: str, **fields: Any) -> Message:
        """The next message of this type with these fields, after the last one waited for."""
        while True:
            while self._seen < len(self.messages):
                message = self.messages[self._seen]
                self._seen += 1
                if message["type"] == type and all(message.get(name) == value for name, value in fields.items()):
                    return message
            assert self.close_code is None, f"closed with {self.close_code} before {type}"
            await self._take_one()

    async def take_all(self) -> None:
        """Everything that was said so far is taken in, and passed over."""
        while not self.wire.output_queue.empty():
            await self._take_one()
        self._seen = len(self.messages)

    async def wait_closed(self) -> int:
        while self.close_code is None:
            await self._take_one()
        return self.close_code

    async def _take_one(self) -> None:
        event = await self.wire.receive_output(PATIENCE_S)
        if event["type"] == "websocket.close":
            self.close_code = event["code"]
        elif event.get("bytes") is not None:
            (number,) = struct.unpack_from(">I", event["bytes"])
            self.audio.append((number, event["bytes"][4:]))
        else:
            self.messages.append(json.loads(event["text"].encode()))  # as on the wire, where halves of pairs fail

    def of_type(self, type: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == type]

    @property
    def error_codes(self) -> list[str]:
        return [error["code"] for error in self.of_type("error")]
