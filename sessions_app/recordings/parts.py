"""Which part of a file a request brings. Pure."""

from __future__ import annotations

import re

LARGEST_PART_BYTES = 8 * 1024 * 1024
ADVISED_PART_BYTES = 4 * 1024 * 1024
"""What pages send at most. A part that the line is lost over is sent again, whole."""

_PART = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})", re.ASCII)


class BadPart(Exception):
    """The request does not say which part it brings; as a string why."""


def part_in(content_range: str, content_length: str, size_bytes: int) -> range:
    """The bytes that a request with these two headers brings of a file of this size. Raises `BadPart`."""
    said = _PART.fullmatch(content_range.strip())
    if said is None:
        raise BadPart("Say which part this is: Content-Range: bytes first-last/all.")
    first, last, whole = map(int, said.groups())
    if whole != size_bytes or not first <= last < whole:
        raise BadPart(f"There is no such part of a file of {size_bytes} bytes.")
    if content_length != str(last + 1 - first):
        raise BadPart("The part is not as long as it says.")
    if last + 1 - first > LARGEST_PART_BYTES:
        raise BadPart(f"A part has {LARGEST_PART_BYTES} bytes at most.")
    return range(first, last + 1)
