"""Databases of their own for web servers: copies of one that has been migrated and knows the cast."""

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.services.prepared import run_prepared

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "var" / "cache" / "test-databases"


def new_database(directory: Path, environment: Mapping[str, str]) -> str:
    """The URL of a new database: a file, or one on the PostgreSQL server that the tests run on.

    Migrating takes seconds and gives the same every time, so it is done once for all processes of the tests.
    `environment` is what the programs of the project need, besides the URL.
    """
    server = os.environ.get("DATABASE_URL", "")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if server.startswith("postgres"):
            return _copy_on_postgres(server, environment)
        return _copy_of_file(directory / "web.sqlite3", environment)


def empty_database(directory: Path) -> str:
    """The URL of a database without a table, of the kind that the tests run on."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        return f"sqlite:///{directory / 'empty.sqlite3'}"
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return _at(server, name)


def _copy_of_file(copy: Path, environment: Mapping[str, str]) -> str:
    template = CACHE / f"{_fingerprint()}.sqlite3"
    if not template.exists():
        unfinished = template.with_suffix(f".{os.getpid()}")
        _prepare(f"sqlite:///{unfinished}", environment)
        unfinished.rename(template)
    shutil.copyfile(template, copy)
    return f"sqlite:///{copy}"


def _copy_on_postgres(server: str, environment: Mapping[str, str]) -> str:
    template, copy = f"template_{_fingerprint()[:12]}", f"web_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone()
        if not known:
            connection.execute(f'CREATE DATABASE "{template}"')
            _prepare(_at(server, template), environment)
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')
    return _at(server, copy)


def _at(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def _prepare(url: str, environment: Mapping[str, str]) -> None:
    done = run_prepared("tests.services.prepare_database", (), {**environment, "DATABASE_URL": url}, ROOT)
    assert done.returncode == 0, done.stderr


def _fingerprint() -> str:
    """Changes with every migration, the cast, how it is hashed, and the versions of the packages."""
    ours = ("tests/services/cast.py", "tests/services/hashing.py", "requirements.txt")
    files = [*ROOT.glob("*/migrations/*.py"), *(ROOT / name for name in ours)]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
