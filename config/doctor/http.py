"""One question over HTTP, without following where it is sent on to."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ANSWER_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`began` and `ended`: when it was asked and when it was answered, by this machine's clock, in Unix time."""

    status: int
    headers: Mapping[str, str]
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Address:
    """Of a server: the parts of a URL that say where it is. Raises ValueError for anything else."""

    url: str
    scheme: str = field(init=False)
    host: str = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is not an address such as https://talk.example.org")
        object.__setattr__(self, "scheme", parts.scheme)
        object.__setattr__(self, "host", parts.hostname)
        object.__setattr__(self, "port", parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def origin(self) -> str:
        """As browsers name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme] == self.port
        return f"{self.scheme}://{host}" if usual else f"{self.scheme}://{host}:{self.port}"


def ask(address: Address, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """GET a path. Raises OSError, http.client.HTTPException."""
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(address.host, address.port, timeout=ANSWER_LIMIT_S, context=context)
    else:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_LIMIT_S)
    began = time.time()
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, began, time.time())
    finally:
        connection.close()
