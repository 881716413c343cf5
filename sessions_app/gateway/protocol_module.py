"""The words and numbers of the browser protocol as a module for pages, so that no page states them a second time.

Each is stated where the server uses it; this is the list of what pages get.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from energy.levels import Mode
from sessions_app.gateway import limits, wire, wording
from sessions_app.gateway.session_desk import Granted, Wish
from sessions_app.gateway.session_wire import SessionPageType, SessionServerType
from sessions_app.live import close_codes
from sessions_app.live.machine.events import Action, State
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.machine.turns import (
    TurnState,
)
from sessions_app.live.providers.upstream import OUTPUT_RATE_HZ
from sessions_app.live.questions import QuestionState
from sessions_app.live.transcript import Role, TurnCode, TurnStatus
from sessions_app.live.voice import INPUT_RATE_HZ

PATH = Path(__file__).resolve().parents[2] / "static" / "js" / "session" / "protocol.js"

COMMAND = "./run manage protocol_module"

_HEADER = f"""\
/**
 * The words and numbers of the browser protocol, see docs/browser-protocol.md.
 *
 * Generated from those of the server by `{COMMAND}`. Change them there.
 */
"""


def protocol_module() -> str:
    """The text of `static/js/session/protocol.js`: an ES module of frozen objects, whose names are upper case."""
    return "\n".join([_HEADER, *(_constant(*part) for part in _parts())])


def _parts() -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """Name, description and members of each object."""
    yield "PAGE_MESSAGE", "The `type` of what a page says.", _members(wire.PageMessageType)
    yield "SERVER_MESSAGE", "The `type` of what a page is told.", _members(wire.ServerMessageType)
    yield "CLOSE", "Why the server closed a page's socket.", _numbers(vars(close_codes))
    yield "MODE", "What a conversation is held by.", _members(Mode)
    yield "STATE", "Where a live session stands.", _members(state for state in State if state is not State.IDLE)
    yield "STATE_REASON", "Why it stands there.", _members(StateReason)
    yield "ACTION", "How a live session came about.", _members(Action)
    yield "ROLE", "Who speaks in a line of the transcript.", _members(Role)
    yield "TURN_STATUS", "How far a line of the transcript has come.", _members(TurnStatus)
    yield "TURN_CODE", "What a line of the server's own is about.", _members(TurnCode)
    yield "QUESTION_STATE", "What becomes of a question about recordings.", _members(QuestionState)
    yield "TURN_STATE", "Who has the word.", _members(TurnState)
    yield "TOAST", "What a toast is about.", {_name(code): code for code in wording.all_codes()}
    yield "TOAST_LEVEL", "How much a toast matters.", _members(wording.ToastLevel)
    yield (
        "SESSION_PAGE",
        "The `type` of what a session page says and is told.",
        _members([*SessionPageType, *SessionServerType]),
    )
    yield "SESSION_WISH", "What a session page may wish for a session.", _members(Wish)
    yield "GRANTED", "What came of that.", _members(Granted)
    frame = {
        "NUMBER_BYTES": wire.FRAME_NUMBER.size,
        "SAMPLE_BYTES": wire.SAMPLE_BYTES,
        "UP_RATE_HZ": INPUT_RATE_HZ,
        "DOWN_RATE_HZ": OUTPUT_RATE_HZ,
    }
    yield "FRAME", "An audio frame: a big-endian number, then little-endian samples of one channel.", frame
    limit = {
        "TYPED_CHARACTERS": wire.TYPED_LIMIT_CHARACTERS,
        "RECORDINGS": wire.RECORDINGS_LIMIT,
        "AUDIO_SPEED": limits.AUDIO_SPEED,
        "RESENT_AUDIO_MS": limits.AUDIO_RESENT_MS,
        "MESSAGES_PER_S": limits.MESSAGES_PER_S,
    }
    yield "LIMIT", "What the server takes; `AUDIO_SPEED` in multiples of real time.", limit


def _members(members: Iterable[Enum]) -> dict[str, Any]:
    return {member.name: member.value for member in members}


def _numbers(names: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in names.items() if name.isupper() and isinstance(value, int)}


def _name(code: str) -> str:
    return code.replace(".", "_").upper()


def _constant(name: str, description: str, members: Mapping[str, Any]) -> str:
    lines = [f"  {member}: {json.dumps(value)}," for member, value in members.items()]
    return "\n".join([f"/** {description} */", f"export const {name} = Object.freeze({{", *lines, "});", ""])
