"""Scripts of faults: a JSON list read from a file and played against the clock, the phases or the turns."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from emulator.fault_actions import perform_all, submit
from emulator.faults import Fault, FaultError, parse_fault
from emulator.state import Emulator


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
    timed = sorted(((fault.at_s, fault) for fault in faults if fault.at_s is not None), key=lambda pair: pair[0])
    for fault in faults:
        if fault.at_s is None:
            await submit(emulator, fault)
    await emulator.has_connected.wait()
    begin = time.monotonic()
    for at_s, fault in timed:
        await asyncio.sleep(max(0.0, begin + at_s - time.monotonic()))
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
