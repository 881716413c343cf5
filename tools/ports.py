"""Which port the web server listens on."""

import socket
from collections.abc import Mapping

from tools.telling import Refusal, say

DEFAULT_PORT = 8000
PORTS_TO_TRY = 50


def choose_port(asked: int | None, environment: Mapping[str, str]) -> int:
    """The port asked for, by option or $PORT, else the first free one from 8000 on. Raises `Refusal`."""
    text = environment.get("PORT", "")
    if asked is None and text:
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise Refusal(f"PORT is {text!r}, which is not the number of a port.")
        asked = int(text)
    if asked is not None:
        if not is_free(asked):
            raise Refusal(f"Port {asked} is taken. Choose another one with --port.")
        return asked
    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY):
        if is_free(port):
            if port != DEFAULT_PORT:
                say(f"Port {DEFAULT_PORT} is taken, so this is port {port}.")
            return port
    raise Refusal(f"No port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TO_TRY - 1} is free. Use --port.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
