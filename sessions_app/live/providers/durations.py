"""How Google writes lengths of time in JSON: pure."""

from __future__ import annotations

import re
from decimal import Decimal

_DURATION = re.compile(r"(?P<seconds>\d{1,12}(\.\d{1,9})?)s", re.ASCII)


def seconds_of(text: object) -> Decimal | None:
    """A protobuf Duration as JSON ("9.5s") in seconds, exactly; None for anything else, and for one below zero.

    Seconds with up to nine decimals and a trailing `s`: https://protobuf.dev/reference/protobuf/google.protobuf/
    (Duration), read on 26 November 2026.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    return Decimal(match["seconds"]) if match else None
