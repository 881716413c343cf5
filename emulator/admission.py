"""Who may open a session: keys, tokens, quota, and the handle they come with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from emulator.heard import Heard
from emulator.line import Line
from emulator.memory import Memory
from emulator.sessions import HandleRefusedError, Session
from emulator.setup import Setup, read_setup
from emulator.state import Emulator
from emulator.texts import (
    CATALOGUE,
    CloseText,
    RefusedError,
    model_not_found,
    publisher_model_not_found,
    unknown_name,
)
from emulator.wire import Json, camel_name, snake_name

_SETUP_S = 0.01
_STALLED_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Caller:
    """Who opens a connection: the API version of its address, and its key or the ephemeral token instead of one.

    `is_there`: to Agent Platform, where the upgrade has been let in by its bearer token already.
    """

    line: Line
    version: str
    key: str = ""
    token: str | None = None
    is_there: bool = False


def key_refusal(key: str) -> str | None:
    """The name of the text that refuses an API key; keys that begin with `bad` stand for wrong ones."""
    if not key:
        return "unregistered caller"
    return "key not valid" if key.lower().startswith("bad") else None


def bearer_refusal(authorization: str) -> str | None:
    """Why Agent Platform refuses what is in the header, as `google.rpc.ErrorInfo` names it; bearer tokens that begin
    with `bad` stand for wrong ones."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "CREDENTIALS_MISSING"
    return "ACCESS_TOKEN_TYPE_UNSUPPORTED" if token.lower().startswith("bad") else None


def admit(emulator: Emulator, caller: Caller, body: Json) -> Setup:
    """Read the set-up of a connection and check everything but its handle; raises `RefusedError`."""
    line = caller.line
    body = _constrained(emulator, caller, body)
    model = str(body.get("model", "")).rsplit("/", 1)[-1]
    rejected = emulator.faults.peek("reject_field", line.id, model)
    if rejected is not None and (refusal := _refusal_of_field(body, rejected.params["field"])):
        emulator.faults.use("reject_field", line.id, model)
        raise RefusedError(refusal)
    setup = read_setup(body, caller.version, is_there=caller.is_there)
    if emulator.faults.peek("retire_model", "", setup.model.id):
        name = str(body["model"])
        gone = publisher_model_not_found(name) if caller.is_there else model_not_found(name, caller.version)
        raise RefusedError(gone)
    others = [other.model for other in emulator.connections.values() if other is not line and other.model]
    refusal = emulator.quota.refusal_of_session(setup.model.id, setup.place, line.id, others)
    if refusal is not None:
        raise RefusedError(refusal)
    return setup


async def take_up_session(emulator: Emulator, caller: Caller, setup: Setup) -> tuple[Session, bool]:
    """Begin a session or resume the one of the handle; the flag tells which. Raises `RefusedError`."""
    line = caller.line
    await _stall_while_down(emulator)
    slow = emulator.faults.use("slow_setup", line.id, setup.model.id)
    await asyncio.sleep(slow.params["delay_s"] if slow else _SETUP_S)
    if setup.handle is None:
        _use_token(emulator, caller)
        session = emulator.sessions.create(
            setup.model.id, Memory(setup.instruction), setup.place, setup.profile.handles_last_s
        )
    else:
        if emulator.faults.peek("resume_uses_token", line.id, setup.model.id):
            _use_token(emulator, caller)
        session = await _resume(emulator, line, setup, setup.handle)
    emulator.sessions.connection_opened(session, line.id)
    return session, setup.handle is not None


async def _stall_while_down(emulator: Emulator) -> None:
    """Wait where all of Live is down and lets set-ups stall; what stalls is cancelled with its connection."""
    while (down := emulator.faults.peek("live_down")) and down.params["dials"] == "stalled":  # noqa: ASYNC110
        await asyncio.sleep(_STALLED_PAUSE_S)


def _constrained(emulator: Emulator, caller: Caller, body: Json) -> Json:
    if caller.is_there:
        return body
    if caller.token is None:
        refused = key_refusal(caller.key)
        if refused:
            raise RefusedError(CATALOGUE[refused])
        return body
    if refusal := emulator.faults.use("refuse_token", caller.line.id):
        caller.line.log("token_refused", text=refusal.params["text"].name)
        raise RefusedError(refusal.params["text"])
    token = emulator.tokens.find(caller.token)
    if overruled := token.overruled(body):
        caller.line.log("token_overruled", fields=overruled)
    return token.constrain(body)


def _use_token(emulator: Emulator, caller: Caller) -> None:
    if caller.token is not None:
        emulator.tokens.use(emulator.tokens.find(caller.token))


def _refusal_of_field(setup: Json, field: str, path: str = "setup") -> CloseText | None:
    """The refusal of the field at the first place where it stands in the set-up."""
    for name, below in setup.items():
        if camel_name(name) == camel_name(field):
            return unknown_name(name, path)
        if isinstance(below, dict):
            found = _refusal_of_field(below, field, f"{path}.{snake_name(camel_name(name))}")
            if found is not None:
                return found
    return None


async def _resume(emulator: Emulator, line: Line, setup: Setup, handle: str) -> Session:
    try:
        checkpoint = emulator.sessions.resume(handle, setup.model.id, setup.place)
    except HandleRefusedError as refused:
        line.log("handle_refused", why=refused.why)
        raise
    session = checkpoint.session
    lingering = emulator.faults.peek("lingering_session", line.id, session.model)
    if lingering is not None and emulator.sessions.was_lost_within(session, lingering.params["linger_s"]):
        emulator.faults.use("lingering_session", line.id, session.model)
        line.log("handle_refused", why="the session's lost connection lingers")
        raise RefusedError(CATALOGUE["internal error encountered"])
    await _part_with_old_connections(emulator, line, session)
    memory, heard = checkpoint.memory, checkpoint.heard
    if emulator.faults.use("forget", session.connection, setup.model.id):
        memory, heard = Memory(setup.instruction), Heard()
        line.log("forgotten", handle=handle)
    elif setup.instruction and not setup.profile.keeps_instruction_on_resume:
        memory = replace(memory, instruction=setup.instruction)
    session.memory = memory
    session.heard.go_back(heard)
    return session


async def _part_with_old_connections(emulator: Emulator, line: Line, session: Session) -> None:
    """A session has one connection: the old one is closed, or the new one refused where the fault says so."""
    old = [other for other in emulator.connections.values() if other is not line and other.session_id == session.id]
    if not old:
        return
    if emulator.faults.use("overlap_refused", line.id, session.model):
        line.log("handle_refused", why="the session's old connection is still open")
        raise RefusedError(CATALOGUE["internal error encountered"])
    for other in old:
        other.close_soon(CATALOGUE["cancelled"].code, CATALOGUE["cancelled"].text)
