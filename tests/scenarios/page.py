"""A page without a browser: speaks the browser protocol to a running web server, and remembers what it was told."""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import re
import struct
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.services.cast import PASSWORD
from tests.services.processes import ANSWERS_WITHIN_S

ANSWER_WITHIN_S = 120.0
FRAME_MS = 40
FRAME_BYTES = 16 * 2 * FRAME_MS

Message = dict[str, Any]


class Site(Protocol):
    """Where a Holdline answers."""

    @property
    def url(self) -> str: ...

    @property
    def host(self) -> str: ...


@cache
def log_in(url: str, name: str, password: str = PASSWORD) -> str:
    """The session cookie of somebody, as a Cookie header."""
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    form = opener.open(f"{url}/accounts/login/", timeout=ANSWERS_WITHIN_S).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "username": name, "password": password}
    request = urllib.request.Request(
        f"{url}/accounts/login/", urllib.parse.urlencode(fields).encode(), {"Referer": f"{url}/accounts/login/"}
    )
    opener.open(request, timeout=ANSWERS_WITHIN_S).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


def submit(url: str, path: str, cookies: str, **fields: str) -> None:
    """Send a form of the site, in the browser that has these cookies. Raises `HTTPError` for a refusal."""
    token = dict(pair.split("=", 1) for pair in cookies.split("; "))["csrftoken"]
    headers = {"Cookie": cookies, "X-CSRFToken": token, "Referer": url}
    form = urllib.parse.urlencode(fields).encode()
    urllib.request.urlopen(urllib.request.Request(url + path, form, headers), timeout=ANSWERS_WITHIN_S).close()


class Page:
    """A page life of one user in one mode.

        async with Page(web, "text") as page:
            await page.start()
            await page.say("Hello")
            reply = await page.reply()

    `messages` holds every JSON message, `audio` every audio frame's number and PCM, in order, across sockets.
    """

    def __init__(
        self,
        web: Site,
        mode: str,
        user: str | None = "alice",
        page_id: str | None = None,
        password: str = PASSWORD,
    ) -> None:
        self.web = web
        self._password = password
        self.mode = mode
        self.user = user
        self.cookies = ""
        self.page_id = page_id or str(uuid.uuid4())
        self.messages: list[Message] = []
        self.audio: list[tuple[int, bytes]] = []
        self.close_code: int | None = None
        self.next_frame = 0
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._seen = 0
        self._typed = 0

    async def __aenter__(self) -> Page:
        await self.connect()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.hang_up()

    # -- the socket --------------------------------------------------------------------------------------------------

    async def connect(self, origin: str | None = None) -> None:
        headers = {}
        if self.user is not None:
            self.cookies = await asyncio.to_thread(log_in, self.web.url, self.user, self._password)
            headers["Cookie"] = self.cookies
        self.close_code = None
        self._socket = await connect(
            f"ws://{self.web.host}/ws/{self.mode}/",
            additional_headers=headers,
            origin=origin or self.web.url,  # type: ignore[arg-type]
            max_size=None,
            open_timeout=ANSWER_WITHIN_S,
            ping_interval=None,  # a server that is busy for long is not dead
        )
        self._reader = asyncio.create_task(self._read(self._socket))

    async def hang_up(self) -> None:
        """End the conversation, so that the next test finds nothing of it. Nothing happens when the socket has gone."""
        assert self._socket is not None
        assert self._reader is not None
        if self.close_code is None:
            await self.send(type="hangup")
            await asyncio.wait({self._reader}, timeout=ANSWER_WITHIN_S)
        await self.disconnect()

    async def disconnect(self) -> None:
        """Close the socket in good order, as a page does that is left or loaded again."""
        assert self._socket is not None
        assert self._reader is not None
        await self._socket.close()
        await self._reader

    async def tear(self) -> None:
        """The network goes: a reset without a close frame."""
        assert self._socket is not None
        assert self._reader is not None
        self._socket.transport.abort()
        await self._reader

    async def move(self, web: Site) -> None:
        """Come back at another worker: the same page life, by another way."""
        self.web = web
        await self.connect()

    async def wait_closed(self) -> int | None:
        """The code the server closed with."""
        assert self._reader is not None
        await asyncio.wait_for(asyncio.shield(self._reader), ANSWER_WITHIN_S)
        return self.close_code

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                async with self._news:
                    self._take(frame)
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        async with self._news:
            self.close_code = socket.close_code
            self._news.notify_all()

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            (number,) = struct.unpack_from(">I", frame)
            self.audio.append((number, frame[4:]))
        else:
            self.messages.append(json.loads(frame))

    # -- saying ------------------------------------------------------------------------------------------------------

    async def send(self, **message: Any) -> None:
        await self.send_raw(json.dumps(message))

    async def send_raw(self, frame: str | bytes) -> None:
        assert self._socket is not None
        await self._socket.send(frame)

    @property
    def extensions(self) -> list[str]:
        """What the server agreed to do with frames, such as compressing them."""
        assert self._socket is not None
        return [extension.name for extension in self._socket.protocol.extensions]

    async def send_compressed(self, payload: bytes) -> None:
        """A frame that says of itself that it is compressed, whether that was agreed or not."""
        assert self._socket is not None
        head = struct.pack(">BBH", 0x80 | 0x40 | 2, 0x80 | 126, len(payload))  # final, compressed, binary; masked
        self._socket.transport.write(head + bytes(4) + payload)

    async def start(self, **fields: Any) -> Message:
        """Say `start` and wait for `ready`."""
        last_down = self.audio[-1][0] if self.audio else -1
        await self.send(type="start", page_id=self.page_id, last_down=last_down, **fields)
        return await self.wait_for("ready")

    async def say(self, text: str, **fields: Any) -> str:
        """A typed turn; gives its id."""
        self._typed += 1
        id = f"typed-{self._typed}"
        await self.send(type="text", id=id, text=text, **fields)
        return id

    async def speak(self, pcm: bytes, *, real_time: bool = True) -> None:
        """Send PCM16 mono 16 kHz as numbered frames of 40 ms."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for start in range(0, len(pcm), FRAME_BYTES):
            await self.send_frame(pcm[start : start + FRAME_BYTES])
            due += FRAME_MS / 1000
            if real_time:
                await asyncio.sleep(max(0, due - loop.time()))

    async def send_frame(self, pcm: bytes, number: int | None = None) -> None:
        if number is None:
            number = self.next_frame
            self.next_frame += 1
        await self.send_raw(struct.pack(">I", number) + pcm)

    # -- hearing -----------------------------------------------------------------------------------------------------

    async def wait_until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until something is true of what was heard so far. What happens elsewhere wakes nobody up here."""

        def has_come() -> bool:
            return bool(condition()) or self.close_code is not None

        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), self._news:
                await self._news.wait_for(has_come)
        except TimeoutError:
            raise AssertionError(f"{what} did not come; heard: {self.tell_short()}") from None
        result = condition()
        assert result, f"closed with {self.close_code} before {what}; heard: {self.tell_short()}"
        return result

    async def wait_for(self, type: str, **fields: Any) -> Message:
        """The next message of this type and with these fields, after the last one that was waited for."""
        found: list[Message] = []

        def look() -> bool:
            for index in range(self._seen, len(self.messages)):
                message = self.messages[index]
                if message["type"] == type and all(message.get(name) == value for name, value in fields.items()):
                    self._seen = index + 1
                    found.append(message)
                    return True
            return False

        await self.wait_until(lambda: found or look(), f"{type} {fields}")
        return found[0]

    async def reply(self) -> str:
        """The text of the next reply that is complete."""
        turn = await self.wait_for("turn", role="model", status="complete")
        await self.wait_for("turn_complete", turn=turn["turn"])
        return str(turn["text"])

    def of_type(self, type: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == type]

    def states(self) -> list[str]:
        return [message["state"] for message in self.of_type("state")]

    def toasts(self) -> list[str]:
        return [message["code"] for message in self.of_type("toast")]

    def tell_short(self) -> str:
        return ", ".join(f"{m['type']}:{m.get('state') or m.get('code') or m.get('text') or ''}" for m in self.messages)
