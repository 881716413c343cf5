"""Scripts of faults: a JSON list read from a file and played against the clock, the phases or the turns."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from emulator.fault_actions import perform_all, submit
from emulator.faults import Fault, FaultError, parse_fault
from emulator.state import Emulator

_POLL_S = 0.02


def read_script(path: Path) -> list[Fault]:
    """Read a script; raises `FaultError` naming the entry that is wrong, or `OSError`."""
    try:
        entries = json.loads(path.read_text())
    except ValueError as error:
        raise FaultError(f"{path}: not JSON: {error}") from error
    if not isinstance(entries, list):
        raise FaultError(f"{path}: a script is a JSON list of faults")
    return [_read_entry(path, number, entry) for number, entry in enumerate(entries, start=1)]


async def play(emulator: Emulator, faults: list[Fault]) -> None:
    """Arm what waits for a phase or a turn; make the timed faults happen, counted from the first connection."""
    timed = sorted((fault for fault in faults if fault.at_s is not None), key=lambda fault: fault.at_s or 0)
    for fault in faults:
        if fault.at_s is None:
            await submit(emulator, fault)
    for fault in timed:
        assert fault.at_s is not None
        await _until(emulator, fault.at_s)
        await perform_all(emulator, [fault], None)


def _read_entry(path: Path, number: int, entry: object) -> Fault:
    try:
        fault = parse_fault(entry)
    except FaultError as error:
        raise FaultError(f"{path}: entry {number}: {error}") from error
    timed = [fault.at_s, fault.when, fault.after_turns]
    if fault.kind.momentary and all(moment is None for moment in timed):
        raise FaultError(f"{path}: entry {number}: say when: at_s, when or after_turns")
    return fault


async def _until(emulator: Emulator, seconds: float) -> None:
    while emulator.first_connection_at is None:
        await asyncio.sleep(_POLL_S)
    await asyncio.sleep(max(0.0, emulator.first_connection_at + seconds - time.monotonic()))
