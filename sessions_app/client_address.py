"""From where somebody comes, as what is counted by address sees it: one host, or one network of a subscriber.

A proxy that is trusted (`TRUST_PROXY`) appends the address of its client to `X-Forwarded-For`; what stands before that
is anybody's claim. Subscribers get whole /64 networks of IPv6, so that one of their addresses says nothing.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
"""Whoever comes without an address, by a Unix socket for example: all of them count as one."""

IPV6_SUBSCRIBER_BITS = 64


def client_address(peer: str, forwarded_for: str, *, trusts_proxy: bool) -> str:
    """The address that counts: `203.0.113.7`, `2001:db8:1:2::/64`, or `UNKNOWN`.

    Args:
        peer: the other end of the connection; may be empty.
        forwarded_for: the header `X-Forwarded-For`, the last of them where there are several; may be empty.
        trusts_proxy: whether the peer is a proxy that appends to that header.
    """
    last = forwarded_for.rpartition(",")[2].strip() if trusts_proxy else ""
    return _network_of(last) or _network_of(peer) or UNKNOWN


def address_of_request(request: HttpRequest) -> str:
    """`client_address` of a request for a page."""
    peer, forwarded_for = request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_X_FORWARDED_FOR", "")
    return client_address(peer, forwarded_for, trusts_proxy=settings.TRUST_PROXY)


def address_of_scope(scope: Any) -> str:
    """`client_address` of a connection as ASGI describes it."""
    client = scope.get("client")
    forwarded_for = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    peer = client[0] if client else ""
    return client_address(peer or "", forwarded_for.decode("latin-1"), trusts_proxy=settings.TRUST_PROXY)


def _network_of(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return _without_port(text)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_SUBSCRIBER_BITS), strict=False))


def _without_port(text: str) -> str:
    """Some proxies write `203.0.113.7:4711` and `[2001:db8::1]:4711`; anything else is no address."""
    host, colon, port = text.rpartition(":")
    return _network_of(host) if colon and port.isdigit() and host.strip("[]") != text else ""
