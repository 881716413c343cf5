"""Who may read `/metrics`; to everybody else there is no such page.

It stands before Django: Prometheus asks each process by the name it knows it by, an address mostly, which is not among
`ALLOWED_HOSTS`, and cannot be redirected to HTTPS. A stranger gets the answer that Django has for any path it does not
know.

With a token, who has it may read. Without one, who comes from this machine itself and not through a proxy. Behind a
proxy that runs here everybody comes from this machine, so whoever has a header of proxies is a stranger. So is whoever
asks for another name than that of this machine: a page of another site can have a browser on this machine ask by a name
that leads here, but by none of ours.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import Any, Protocol

from django.conf import settings
from django.http.request import split_domain_port

from config.doors import Send, header, respond, shows_secret

PATH = "/metrics"

HEADERS_OF_PROXIES = (b"x-forwarded-", b"x-real-ip", b"forwarded", b"via", b"cf-", b"true-client-ip", b"x-client-ip")
"""How the names of what proxies add begin."""


class Answers(Protocol):
    async def answer(self, accept: str) -> tuple[bytes, str]: ...


class MetricsDoor:
    """Answers scrapes, and leaves all else to `application`.

    Args:
        application: of Django.
        exposition: what there is to be read.
    """

    def __init__(self, application: Any, exposition: Answers) -> None:
        self._application = application
        self._exposition = exposition

    async def __call__(self, scope: Any, receive: Any, send: Send) -> Any:
        is_scrape = scope["path"] == PATH and scope["method"] in ("GET", "HEAD")
        if not is_scrape or not may_read(scope, settings.METRICS_TOKEN):
            return await self._application(scope, receive, send)
        body, content_type = await self._exposition.answer(header(scope, b"accept"))
        await respond(send, HTTPStatus.OK, content_type, body, is_head=scope["method"] == "HEAD")
        return None


def may_read(scope: Any, token: str) -> bool:
    """Whether a request may read the figures.

    Args:
        scope: as ASGI describes it.
        token: the one to be shown; empty for none.
    """
    if token:
        return shows_secret(scope, token)
    client = scope.get("client")
    if client is None or not _is_of_this_machine(client[0] or ""):
        return False
    came_by_proxy = any(name.startswith(HEADERS_OF_PROXIES) for name, _ in scope["headers"])
    host, _ = split_domain_port(header(scope, b"host"))
    return not came_by_proxy and (host == "localhost" or _is_of_this_machine(host.strip("[]")))


def _is_of_this_machine(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
