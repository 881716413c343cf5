"""JSON that fits a schema, filled with what a transcript says, or with what was said last and its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from emulator.summary import Summary, summarise
from emulator.wire import Json, camel_name, snake_name

_DEFAULT_SCHEMA: Json = {"type": "OBJECT", "properties": {"summary": {"type": "STRING"}}}
_MAX_ITEMS = 8
_TITLE = re.compile(r"title|subject|headline|topic", re.IGNORECASE)
_OF_A_SUMMARY = re.compile(r"summary|recap|digest|fact|point|note|title|subject|headline|topic", re.IGNORECASE)
_REPLY = r"answer|reply|replies|respon[sd]\w*"
_HEARD = r"heard|said|says|spoke|transcri\w+|utterance|words"
_EITHER = re.compile(rf"\b(?:(?P<reply>{_REPLY})|(?P<heard>{_HEARD}))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """The last turn of a conversation: the user's words and the answer to them; both empty when nobody spoke."""

    heard: str
    reply: str


@dataclass(frozen=True, slots=True)
class _Content:
    """What strings are taken from."""

    summary: Summary
    said: Said


def fill(schema: Json, transcript: str, said: Said) -> Any:
    """Return a value of `schema` (OpenAPI or JSON Schema style) with facts, summary and title from `transcript`.

    Strings whose name or description speaks of what was heard, or of an answer, hold what `said` has of it.
    """
    return _value(schema or _DEFAULT_SCHEMA, "", _Content(summarise(transcript), said), schema)


def _value(schema: Json, name: str, content: _Content, root: Json) -> Any:
    description = str(schema.get("description", ""))
    schema = _resolved(schema, root)
    if schema.get("enum"):
        return schema["enum"][0]
    match _kind(schema):
        case "OBJECT":
            return {key: _value(below, key, content, root) for key, below in _properties(schema)}
        case "ARRAY":
            return _items(schema.get("items") or {}, name, content, root)
        case "INTEGER" | "NUMBER":
            return schema.get("minimum", 0)
        case "BOOLEAN":
            return False
        case "NULL":
            return None
    return _string(name, description or str(schema.get("description", "")), content)


def _properties(schema: Json) -> list[tuple[str, Json]]:
    """Names and schemas in the order asked for: `propertyOrdering`, then that of the schema."""
    properties: Json = schema.get("properties") or {}
    first = schema.get("propertyOrdering") or schema.get("property_ordering") or []
    order = [name for name in first if name in properties]
    return [(name, properties[name]) for name in [*order, *(name for name in properties if name not in order)]]


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


def _items(schema: Json, name: str, content: _Content, root: Json) -> list[Any]:
    summary = content.summary
    open_points = re.search(r"open|question|todo|action|next|follow", name, re.IGNORECASE)
    texts = summary.questions if open_points else summary.facts or summary.quotes
    item = _resolved(schema, root)
    if _kind(item) == "STRING" and not item.get("enum"):
        return list(texts[:_MAX_ITEMS])
    return [_value(item, name, content, root)] if texts else []


def _string(name: str, description: str, content: _Content) -> str:
    if meaning := _meaning(name, description):
        return content.said.reply if meaning == "reply" else content.said.heard
    return content.summary.title if _TITLE.search(name) else content.summary.text


def _meaning(name: str, description: str) -> str | None:
    """`reply` or `heard`, by the name or, when that tells nothing, by what the description speaks of first.

    The answer to what was heard is an answer, also when both stand in a name.
    """
    words = snake_name(camel_name(name)).replace("_", " ")
    named = {match.lastgroup for match in _EITHER.finditer(words)}
    if named or _OF_A_SUMMARY.search(name):
        return "reply" if "reply" in named else next(iter(named), None)
    described = _EITHER.search(description)
    return described.lastgroup if described else None
