"""What goes over `/ws/session/`: see `docs/browser-protocol.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from energy.levels import Mode
from sessions_app.gateway.session_desk import Granted, Wish
from sessions_app.gateway.wire import Malformed, PageMessageType

FRAME_LIMIT_BYTES = 1_000
"""A wish takes a hundred."""


class SessionPageType(StrEnum):
    """The `type` of what a session page says besides `ping`."""

    WISH = "wish"


class SessionServerType(StrEnum):
    """The `type` of what a session page is told besides `error`, `toast` and `pong`."""

    SESSION = "session"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class WishMessage:
    mode: Mode
    wish: Wish


@dataclass(frozen=True, slots=True)
class PingMessage:
    """Whether anybody is there: answered by `pong`."""


def parse_session_frame(frame: str) -> WishMessage | PingMessage:
    """Read one text frame. Raises `Malformed`; unknown fields are ignored."""
    if len(frame) > FRAME_LIMIT_BYTES:
        raise Malformed("protocol.malformed", f"A message has at most {FRAME_LIMIT_BYTES} bytes.")
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError):
        raise Malformed("protocol.malformed", "That was not JSON.") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise Malformed("protocol.malformed", "A message is an object with a type.")
    if fields["type"] == PageMessageType.PING:
        return PingMessage()
    if fields["type"] != SessionPageType.WISH:
        raise Malformed("protocol.unknown_type", "There is no message of this type.")
    try:
        return WishMessage(Mode(str(fields.get("mode"))), Wish(str(fields.get("wish"))))
    except ValueError:
        raise Malformed("protocol.malformed", "A wish names a mode, and one of the wishes there are.") from None


def session(report: dict[str, Any]) -> dict[str, Any]:
    return {"type": SessionServerType.SESSION.value, **report}


def done(message: WishMessage, result: Granted) -> dict[str, Any]:
    return {
        "type": SessionServerType.DONE.value,
        "mode": message.mode.value,
        "wish": message.wish.value,
        "result": result.value,
    }
