"""Function calls: when a declared function is called, with which arguments, and what becomes of its result."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulator.memory import Memory
from emulator.texts import CATALOGUE, RefusedError
from emulator.wire import Json

_STOP_WORDS = frozenset({"get", "set", "the", "a", "an", "for", "to", "of", "current", "look", "up", "by", "is", "it"})
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_PROPER = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][\w-]*(?: [A-Z][\w-]*)*")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a function the client declared."""

    id: str
    name: str
    args: Json

    def frame(self) -> Json:
        """The server message that asks for the call."""
        return {"toolCall": {"functionCalls": [{"name": self.name, "args": self.args, "id": self.id}]}}


def choose_call(functions: Sequence[Json], memory: Memory, id_prefix: str) -> ToolCall | None:
    """Call the function whose name the user's last words mention, if there is one."""
    text = memory.turns[-1].text if memory.turns else ""
    words = set(re.findall(r"[a-z]+", text.lower()))
    for function in functions:
        name = str(function.get("name", ""))
        meaning = set(re.findall(r"[a-z]+", name.lower())) - _STOP_WORDS
        if name and (name in text or (meaning and meaning <= words)):
            return new_call(name, _arguments(function.get("parameters") or {}, text), id_prefix)
    return None


def new_call(name: str, args: Json, id_prefix: str) -> ToolCall:
    """A call with an id of its own; without a prefix it is a UUID."""
    return ToolCall(f"{id_prefix}{secrets.randbits(63)}" if id_prefix else str(uuid.uuid4()), name, args)


def read_tool_response(body: Json) -> list[Json]:
    """The function responses of a `toolResponse`; raises `RefusedError` when one has no id."""
    results = body.get("functionResponses") or []
    if not results or not all(isinstance(result, dict) and result.get("id") for result in results):
        raise RefusedError(CATALOGUE["invalid argument"])
    return list(results)


def result_sentence(results: list[Json]) -> str:
    """Say what the functions returned."""
    said = []
    for result in results:
        response = result.get("response") or {}
        output = response.get("output", response.get("result", response))
        said.append(output if isinstance(output, str) else json.dumps(output))
    return " ".join(said) or "Done."


def cancellation(call_ids: list[str]) -> Json:
    """The server message that takes calls back after an interruption."""
    return {"toolCallCancellation": {"ids": list(call_ids)}}


def _arguments(schema: Json, text: str) -> Json:
    """Fill the parameters from the text: numbers, quoted words and names, in the order they stand."""
    numbers = [float(found) for found in _NUMBER.findall(text)]
    strings = _QUOTED.findall(text) + _PROPER.findall(text)
    filled: Json = {}
    for name, parameter in (schema.get("properties") or {}).items():
        value = _argument(str(parameter.get("type", "STRING")).upper(), numbers, strings)
        if value is not None:
            filled[name] = value
    return filled


def _argument(kind: str, numbers: list[float], strings: list[str]) -> Any:
    if kind == "INTEGER" and numbers:
        return int(numbers.pop(0))
    if kind == "NUMBER" and numbers:
        return numbers.pop(0)
    if kind == "BOOLEAN":
        return True
    return strings.pop(0) if kind == "STRING" and strings else None
