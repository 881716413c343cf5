"""A part of a file, as players ask for it: Safari plays nothing of a server that gives no parts. Pure."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))", re.ASCII)


class NoSuchPart(Exception):
    """The file has nothing there."""


def part_of(header: str, size: int) -> range | None:
    """The bytes that a `Range` header asks for; None for all of them, also where it is not understood or asks for
    several parts, which a server may do (RFC 9110, 14.2). Raises `NoSuchPart`."""
    asked = _ONE_RANGE.fullmatch(header.strip())
    if asked is None:
        return None
    first, last, of_the_end = asked.groups()
    if of_the_end is not None:
        part = range(max(0, size - int(of_the_end)), size)
    else:
        if last and int(last) < int(first):
            return None
        part = range(int(first), min(int(last or size) + 1, size))
    if not part:
        raise NoSuchPart
    return part
