"""What the faults `bad_text` and `bad_speech` make of an answer: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from emulator.faults import Fault
from emulator.response import Piece, Response

STATUSES = {"unavailable": 503, "internal": 500}
"""Answers that are HTTP errors."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer is sent: `delay_s` late, and with what at its half."""

    response: Response
    delay_s: float = 0.0
    halfway: Literal["go on", "be silent", "reset", "fail"] = "go on"


def spoiled(response: Response, fault: Fault | None) -> Delivery:
    """The delivery of a response under a fault, or of an unspoiled one."""
    if fault is None:
        return Delivery(response)
    reason = fault.params.get("reason")
    match fault.params["answer"]:
        case "garbage":
            # Speech that breaks off was reported with OTHER: googleapis/python-genai issue 922.
            usual = "OTHER" if fault.kind.name == "bad_speech" else "MAX_TOKENS"
            return Delivery(replace(response, pieces=_first_half(response.pieces), finish_reason=reason or usual))
        case "empty":
            return Delivery(replace(response, pieces=()))
        case "blocked":
            return Delivery(replace(response, pieces=(), block_reason=reason or "PROHIBITED_CONTENT"))
        case "stopped":
            half = _first_half(response.pieces)
            return Delivery(replace(response, pieces=half, finish_reason=reason or "SAFETY", ends_apart=True))
        case "unfinished":
            return Delivery(replace(response, pieces=_first_half(response.pieces), finish_reason=None))
        case "late":
            return Delivery(response, delay_s=fault.params["delay_s"])
        case "stall":
            return Delivery(response, halfway="be silent")
        case "cut":
            return Delivery(response, halfway="reset")
        case "fail":
            return Delivery(response, halfway="fail")
    return Delivery(response)


def _first_half(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Half of the answer, in the middle of a word if it comes to that."""
    left = sum(piece.size for piece in pieces) // 2
    kept: list[Piece] = []
    for piece in pieces:
        if left <= 0:
            break
        kept.append(piece.cut(left))
        left -= piece.size
    return tuple(kept)
