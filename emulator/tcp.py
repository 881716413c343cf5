"""What the transport below HTTP and WebSocket can do that they have no words for."""

from __future__ import annotations

import asyncio
import socket
import struct


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a connection with a TCP reset; nothing happens to one that is closing already."""
    if transport is None or transport.is_closing() or not isinstance(transport, asyncio.Transport):
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
