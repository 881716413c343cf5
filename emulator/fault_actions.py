"""Making faults happen: choosing the connections, waiting as asked, and doing it."""

from __future__ import annotations

import asyncio

from emulator.faults import Fault
from emulator.line import OpenConnection
from emulator.state import Emulator
from emulator.texts import CATALOGUE, CloseText
from emulator.wire import Json


class NoConnectionError(LookupError):
    """A fault that needs a connection found none."""


async def submit(emulator: Emulator, fault: Fault) -> list[str]:
    """Arm or fire a fault; returns the ids of the connections it happened to.

    Raises `NoConnectionError` for a momentary fault that should happen now to no open connection.
    """
    if fault.when is not None or fault.after_turns is not None:
        if fault.after_turns is not None and fault.when is None:
            fault.after_turns += emulator.turns_completed
        emulator.faults.wait(fault)
        return []
    if fault.after_ms:
        emulator.later(_delayed(emulator, fault, None))
        return []
    if fault.kind.momentary and fault.kind.name != "dead_handle" and not _targets(emulator, fault):
        raise NoConnectionError(f"{fault.kind.name}: no open connection matches")
    return await perform(emulator, fault, None)


async def perform_all(emulator: Emulator, faults: list[Fault], connection: OpenConnection | None) -> None:
    """Make faults happen that waited for a phase of `connection` (or for a number of turns)."""
    for fault in faults:
        if fault.after_ms:
            emulator.later(_delayed(emulator, fault, connection))
        else:
            await perform(emulator, fault, connection)


async def perform(emulator: Emulator, fault: Fault, connection: OpenConnection | None) -> list[str]:
    """Make one fault happen now, to `connection` or to those it names."""
    if not fault.kind.momentary:
        emulator.faults.arm(fault)
        emulator.log.add("fault", **_shown(fault))
        if fault.kind.name == "live_down" and fault.params["on"]:
            return await _take_down(emulator, fault.params["open"])
        return []
    if fault.kind.name == "dead_handle":
        return [_kill_handles(emulator, fault, connection)]
    targets = [connection] if connection else _targets(emulator, fault)
    targets = [target for target in targets if not target.closing]
    for target in targets:
        target.log("fault", **_shown(fault))
        await _strike(target, fault)
    return [target.id for target in targets]


async def _delayed(emulator: Emulator, fault: Fault, connection: OpenConnection | None) -> None:
    await asyncio.sleep(fault.after_ms / 1000)
    await perform(emulator, fault, connection)


def _targets(emulator: Emulator, fault: Fault) -> list[OpenConnection]:
    open_ones = [c for c in emulator.connections.values() if not c.closing and fault.model in (None, c.model)]
    if fault.connection == "all":
        return open_ones
    if fault.connection == "latest":
        return open_ones[-1:]
    return [c for c in open_ones if c.id == fault.connection]


async def _strike(connection: OpenConnection, fault: Fault) -> None:
    params = fault.params
    match fault.kind.name:
        case "go_away":
            await connection.go_away(params["time_left"], then_close=params["then_close"])
        case "cut":
            await connection.cut()
        case "close":
            text: CloseText | None = params.get("text")
            code, reason = (text.code, text.text) if text else (params["code"], params["reason"])
            connection.close_soon(code, reason)
        case "stall":
            connection.stall(params["for_s"])
        case "black_hole":
            connection.black_hole()
        case "mute":
            connection.mute()


async def _take_down(emulator: Emulator, how: str) -> list[str]:
    """End every open connection, or make it silent."""
    down = [connection for connection in emulator.connections.values() if not connection.closing]
    for connection in down:
        if how == "closed":
            connection.close_soon(CATALOGUE["unavailable"].code, CATALOGUE["unavailable"].text)
        elif how == "cut":
            await connection.cut()
        else:
            connection.mute()
    return [connection.id for connection in down]


def _kill_handles(emulator: Emulator, fault: Fault, connection: OpenConnection | None) -> str:
    chosen = connection or (
        emulator.latest if fault.connection == "latest" else emulator.connections.get(fault.connection)
    )
    sessions = emulator.sessions.all()
    if fault.connection != "all":
        sessions = [session for session in sessions if chosen and session.id == chosen.session_id]
    if fault.model is not None:
        sessions = [session for session in sessions if session.model == fault.model]
    killed = emulator.sessions.kill_handles(sessions, fault.params["text"])
    emulator.log.add("fault", connection=chosen.id if chosen else "", handles=killed, **_shown(fault))
    return chosen.id if chosen else ""


def _shown(fault: Fault) -> Json:
    """The fault for the log, where `connection` is the one it happened to."""
    return {key: value for key, value in fault.as_json().items() if key != "connection"}
