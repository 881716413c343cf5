"""Audio frames past the SDK's helpers: 25 frames a second up and 10 down are most of what a call costs.

The SDK makes the connection and reads everything else. This module knows a few private names (`session._ws`, and
`session._receive` of the SDK, `send_data` and `paused` of websockets) and the JSON of two frames;
`tests/scenarios/test_audio_frames.py` fails when they change. What it brings is measured by `./run bench`.
"""

from __future__ import annotations

import binascii
import json
import socket
import struct
from typing import Any

from google.genai.live import AsyncSession
from google.genai.types import LiveServerMessage
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

_AUDIO_HEAD = b'{"realtime_input": {"audio": {"data": "'
_AUDIO_TAIL = b'", "mime_type": "audio/pcm;rate=16000"}}}'
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = str.maketrans("-_", "+/")

_TCP_INFO_RTT_OFFSET = 68
_TCP_INFO_BYTES = 104


class AudioSocket:
    """Stands between the SDK's session and its socket: audio frames are read and written here, the rest by the SDK."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._socket: ClientConnection = session._ws
        self._held: bytes | ConnectionClosed | None = None
        session._ws = self  # type: ignore[assignment]

    # -- for the driver ----------------------------------------------------------------------------------------------

    def try_send_audio(self, pcm: bytes) -> bool:
        """Send PCM16 mono 16 kHz at once, if the connection is open and does not ask to pause; False if not."""
        connection = self._socket
        if connection.state is not State.OPEN or connection.paused:
            return False
        connection.protocol.send_text(_audio_message(pcm))
        connection.send_data()
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

    # -- for the SDK -------------------------------------------------------------------------------------------------

    async def recv(self, decode: bool | None = None) -> bytes:
        """Hand the SDK the frame that was read for it, or the end of the connection."""
        held, self._held = self._held, None
        if isinstance(held, ConnectionClosed):
            raise held
        if held is None:
            raise AssertionError("the SDK reads only what was read for it")
        return held

    async def send(self, message: str) -> None:
        await self._socket.send(message)

    async def close(self, **arguments: Any) -> None:
        await self._socket.close(**arguments)


def _audio_message(pcm: bytes) -> bytes:
    data = binascii.b2a_base64(pcm, newline=False).translate(_TO_URL_SAFE)
    return _AUDIO_HEAD + data + _AUDIO_TAIL


def audio_of(raw: bytes) -> bytes | None:
    """The PCM of a server frame that holds one part of audio and nothing else; None for every other frame."""
    if b'"inlineData"' not in raw:
        return None
    try:
        message = json.loads(raw)
        ((key, content),) = message.items()
        ((kind, turn),) = content.items()
        (part,) = turn["parts"]
        ((name, blob),) = part.items()
        if (key, kind, name) != ("serverContent", "modelTurn", "inlineData"):
            return None
        if not blob["mimeType"].startswith("audio/pcm"):
            return None
        return binascii.a2b_base64(blob["data"].translate(_FROM_URL_SAFE), strict_mode=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
