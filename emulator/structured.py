"""JSON that fits a schema, filled with what a transcript says."""

from __future__ import annotations

import re
from typing import Any

from emulator.summary import Summary, summarise
from emulator.wire import Json

_DEFAULT_SCHEMA: Json = {"type": "OBJECT", "properties": {"summary": {"type": "STRING"}}}
_MAX_ITEMS = 8


def fill(schema: Json, transcript: str) -> Any:
    """Return a value of `schema` (OpenAPI or JSON Schema style) with facts, summary and title from `transcript`."""
    return _value(schema or _DEFAULT_SCHEMA, "", summarise(transcript), schema)


def _value(schema: Json, name: str, summary: Summary, root: Json) -> Any:
    schema = _resolved(schema, root)
    if schema.get("enum"):
        return schema["enum"][0]
    match _kind(schema):
        case "OBJECT":
            properties = schema.get("properties") or {}
            return {key: _value(below, key, summary, root) for key, below in properties.items()}
        case "ARRAY":
            return _items(schema.get("items") or {}, name, summary, root)
        case "INTEGER" | "NUMBER":
            return schema.get("minimum", 0)
        case "BOOLEAN":
            return False
        case "NULL":
            return None
    return _string(name, summary)


def _resolved(schema: Json, root: Json) -> Json:
    """Follow a `$ref` into the definitions, and take the first real choice of an `anyOf`."""
    if "$ref" in schema:
        found: Any = root
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found.get(step, {})
        return _resolved(found, root)
    choices = [choice for choice in schema.get("anyOf") or [] if _kind(choice) != "NULL"]
    return _resolved(choices[0], root) if choices else schema


def _kind(schema: Json) -> str:
    kind = schema.get("type", "OBJECT" if "properties" in schema else "STRING")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return str(kind).upper()


def _items(schema: Json, name: str, summary: Summary, root: Json) -> list[Any]:
    open_points = re.search(r"open|question|todo|action|next|follow", name, re.IGNORECASE)
    texts = summary.questions if open_points else summary.facts or summary.quotes
    item = _resolved(schema, root)
    if _kind(item) == "STRING" and not item.get("enum"):
        return list(texts[:_MAX_ITEMS])
    return [_value(item, name, summary, root)] if texts else []


def _string(name: str, summary: Summary) -> str:
    return summary.title if re.search(r"title|subject|headline|topic", name, re.IGNORECASE) else summary.text
