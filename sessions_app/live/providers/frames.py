"""Audio frames past the SDK's helpers: 25 frames a second up and 10 down are most of what a call costs.

The SDK makes the connection and reads everything else. This module knows a few private names (`session._ws`,
`session._receive` and `session._api_client` of the SDK, `paused` and `transport` of websockets) and the JSON of two
frames; `tests/scenarios/test_audio_frames.py` fails when they change. What it brings is measured by `./run bench`.
"""

from __future__ import annotations

import binascii
import json
import os
import re
import socket
import struct
from functools import lru_cache
from typing import Any

from google.genai.live import AsyncSession
from google.genai.types import LiveServerMessage
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import apply_mask
from websockets.protocol import State

_AUDIO_HEAD = b'{"realtime_input": {"audio": {"data": "'
_AUDIO_TAIL = b'", "mime_type": "audio/pcm;rate=16000"}}}'
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")

_CANDIDATES_KEY = re.compile(rb'"candidatesToken(Count|sDetails)"(?=\s*:)')

_FIN_TEXT = 0x81
_MASKED_MEDIUM = 0x80 | 126
_MASKED_LARGE = 0x80 | 127
_MEDIUM_HEAD = struct.Struct(">BBH")
_LARGE_HEAD = struct.Struct(">BBQ")

_TCP_INFO_RTT_OFFSET = 68
_TCP_INFO_BYTES = 104


class AudioSocket:
    """Stands between the SDK's session and its socket: audio frames are read and written here, the rest by the SDK."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._socket: ClientConnection = session._ws
        self._held: bytes | ConnectionClosed | None = None
        self._masks = _Masks()
        session._ws = self  # type: ignore[assignment]

    # -- for the driver ----------------------------------------------------------------------------------------------

    def try_send_audio(self, pcm: bytes) -> bool:
        """Send PCM16 mono 16 kHz at once, if the connection is open and does not ask to pause; False if not."""
        connection = self._socket
        if connection.state is not State.OPEN or connection.paused or connection.protocol.extensions:
            return False
        connection.transport.write(_text_frame(_audio_message(pcm), self._masks.take()))
        return True

    async def send_audio(self, pcm: bytes) -> None:
        """Send PCM16 mono 16 kHz, waiting for room. Raises ConnectionClosed."""
        await self._socket.send(_audio_message(pcm), text=True)

    async def next(self) -> bytes | LiveServerMessage:
        """The next frame: the PCM of one that holds audio and nothing else, or the SDK's reading of any other.

        Raises what the SDK raises: APIError at the end of the connection, TypeError or ValueError for odd frames.
        """
        try:
            raw = await self._socket.recv(decode=False)
        except ConnectionClosed as closed:
            self._held = closed
            return await self._session._receive()
        pcm = audio_of(raw)
        if pcm is not None:
            return pcm
        self._held = raw
        return await self._session._receive()

    def round_trip_ms(self) -> float | None:
        """The kernel's smoothed round trip time of this connection, where it tells."""
        connection = self._socket.transport.get_extra_info("socket")
        try:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        except (AttributeError, OSError):
            return None
        return struct.unpack_from("I", info, _TCP_INFO_RTT_OFFSET)[0] / 1000

    def let_go(self) -> None:
        """Stand between them no longer, once the connection is closed.

        Each held the other, and with them a socket's buffers, until a whole collection of garbage came by.
        """
        self._session._ws = self._socket

    # -- for the SDK -------------------------------------------------------------------------------------------------

    async def recv(self, decode: bool | None = None) -> bytes:
        """Hand the SDK the frame that was read for it, or the end of the connection."""
        held, self._held = self._held, None
        if isinstance(held, ConnectionClosed):
            try:
                raise held
            finally:
                del held  # else this frame, which its traceback holds, would hold it
        if held is None:
            raise AssertionError("the SDK reads only what was read for it")
        return held if self._session._api_client.vertexai else _in_names_of_the_developer_api(held)

    async def send(self, message: str) -> None:
        await self._socket.send(message)

    async def close(self, **arguments: Any) -> None:
        await self._socket.close(**arguments)


def _in_names_of_the_developer_api(raw: bytes) -> bytes:
    """A frame whose usage may be named as Agent Platform does, which also stands behind gateways (recorded traffic).

    The SDK knows those names from Agent Platform only and drops them elsewhere. Only a key is followed by a colon.
    """
    if b'"candidatesToken' not in raw:
        return raw
    return _CANDIDATES_KEY.sub(rb'"responseToken\1"', raw)


def _audio_message(pcm: bytes) -> bytes:
    data = binascii.b2a_base64(pcm, newline=False).translate(_TO_URL_SAFE)
    return _AUDIO_HEAD + data + _AUDIO_TAIL


def _text_frame(payload: bytes, mask: bytes) -> bytes:
    """A whole masked text frame, RFC 6455 section 5.2. An audio message is never shorter than 126 bytes."""
    size = len(payload)
    head = (
        _MEDIUM_HEAD.pack(_FIN_TEXT, _MASKED_MEDIUM, size)
        if size < 1 << 16
        else _LARGE_HEAD.pack(_FIN_TEXT, _MASKED_LARGE, size)
    )
    return head + mask + apply_mask(payload, mask)


class _Masks:
    """Unpredictable masks, drawn from the system many at a time: one by one they cost as much as the frame."""

    _DRAWN_BYTES = 4 * 256

    def __init__(self) -> None:
        self._drawn = b""
        self._used = 0

    def take(self) -> bytes:
        if self._used == len(self._drawn):
            self._drawn, self._used = os.urandom(self._DRAWN_BYTES), 0
        mask = self._drawn[self._used : self._used + 4]
        self._used += 4
        return mask


def audio_of(raw: bytes) -> bytes | None:
    """The PCM of a server frame that holds one part of audio and nothing else; None for every other frame.

    What stands around the data is the same in all audio frames of a provider, so it is parsed once and remembered.
    """
    opening = raw.find(b'"', raw.find(b'"data"') + len(b'"data"')) + 1
    closing = raw.find(b'"', opening)
    if not _holds_audio_alone(raw[:opening], raw[closing:]):
        return None
    data = raw[opening:closing]
    if b"-" in data or b"_" in data:
        data = data.translate(_FROM_URL_SAFE)
    try:
        return binascii.a2b_base64(data, strict_mode=True) or None
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _holds_audio_alone(head: bytes, tail: bytes) -> bool:
    """Whether a frame with empty data between `head` and `tail` is one part of audio and nothing else."""
    try:
        ((key, content),) = json.loads(head + tail).items()
        ((kind, turn),) = content.items()
        (part,) = turn["parts"]
        ((name, blob),) = part.items()
        names = (key, kind, name)
        return (
            names == ("serverContent", "modelTurn", "inlineData")
            and turn.keys() <= {"parts", "role"}
            and blob["mimeType"].startswith("audio/pcm")
            and blob["data"] == ""
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
