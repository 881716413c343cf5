"""JSON that fits a schema, filled with what a transcript says, or with what was said last and its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from emulator.recording import Recording, Utterance
from emulator.recording_words import UNHEARD, at, describe
from emulator.summary import Summary, summarise
from emulator.wire import Json, camel_name, snake_name

_DEFAULT_SCHEMA: Json = {"type": "OBJECT", "properties": {"summary": {"type": "STRING"}}}
_MAX_ITEMS = 8
_TITLE = re.compile(r"title|subject|headline|topic", re.IGNORECASE)
_OF_A_SUMMARY = re.compile(r"summary|recap|digest|fact|point|note|title|subject|headline|topic", re.IGNORECASE)
_REPLY = r"answer|reply|replies|respon[sd]\w*"
_HEARD = r"heard|said|says|spoke|transcri\w+|utterance|words"
_EITHER = re.compile(rf"\b(?:(?P<reply>{_REPLY})|(?P<heard>{_HEARD}))\b", re.IGNORECASE)

_START = re.compile(r"^(?:start|begin|from|time|offset)", re.IGNORECASE)
_END = re.compile(r"^(?:end|until|to(?:$|_)|stop)", re.IGNORECASE)
_DURATION = re.compile(r"duration|length", re.IGNORECASE)
_MILLISECONDS = re.compile(r"(?:_ms|Ms|millis\w*)\b", re.ASCII)
_TEXT = re.compile(r"text|words|transcript|speech|content|caption|utterance|line|said", re.IGNORECASE)
_SPEAKER = re.compile(r"speaker|voice|who", re.IGNORECASE)
_LANGUAGE = re.compile(r"^lang", re.IGNORECASE)


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
    recordings: tuple[Recording, ...]


def fill(schema: Json, transcript: str, said: Said, recordings: tuple[Recording, ...] = ()) -> Any:
    """Return a value of `schema` (OpenAPI or JSON Schema style) with facts, summary and title from `transcript`.

    Strings whose name or description speaks of what was heard, or of an answer, hold what `said` has of it. Lists
    of what has a text and a time hold what is said in `recordings`, one passage after the other.
    """
    return _value(schema or _DEFAULT_SCHEMA, "", _Content(summarise(transcript), said, recordings), schema)


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
        case "INTEGER" | "NUMBER" as kind:
            if content.recordings and _DURATION.search(name):
                return _time(sum(recording.duration_ms for recording in content.recordings), name, kind, description)
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
    if content.recordings and _is_segment(item):
        passages = [said for recording in content.recordings for said in recording.spoken_passages()]
        return [_segment(item, said, content, root) for said in passages]
    if _kind(item) == "STRING" and not item.get("enum"):
        return list(texts[:_MAX_ITEMS])
    return [_value(item, name, content, root)] if texts else []


def _string(name: str, description: str, content: _Content) -> str:
    if meaning := _meaning(name, description):
        return content.said.reply if meaning == "reply" else content.said.heard
    if content.recordings:
        return _string_of_recordings(name, description, content)
    return content.summary.title if _TITLE.search(name) else content.summary.text


def _string_of_recordings(name: str, description: str, content: _Content) -> str:
    if _LANGUAGE.search(name):
        return _language(any(recording.words for recording in content.recordings))
    if _DURATION.search(name):
        duration_ms = sum(recording.duration_ms for recording in content.recordings)
        return str(_time(duration_ms, name, "STRING", description))
    if _TITLE.search(name):
        return content.summary.title
    return f"{content.summary.text} {describe(content.recordings)}"


def _is_segment(schema: Json) -> bool:
    names = [name for name, _ in _properties(schema)] if _kind(schema) == "OBJECT" else []
    return any(map(_START.search, names)) and any(map(_TEXT.search, names))


def _segment(schema: Json, said: Utterance, content: _Content, root: Json) -> Json:
    return {name: _of_segment(below, name, said, content, root) for name, below in _properties(schema)}


def _of_segment(schema: Json, name: str, said: Utterance, content: _Content, root: Json) -> Any:
    resolved = _resolved(schema, root)
    kind = _kind(resolved)
    description = " ".join(str(part.get("description", "")) for part in (schema, resolved))
    times = {_START: said.start_ms, _END: said.end_ms, _DURATION: said.end_ms - said.start_ms}
    if not resolved.get("enum") and kind in ("STRING", "INTEGER", "NUMBER"):
        for pattern, milliseconds in times.items():
            if pattern.search(name):
                return _time(milliseconds, name, kind, description)
        if _SPEAKER.search(name):
            return "Speaker 1" if kind == "STRING" else 1
        if kind == "STRING" and _LANGUAGE.search(name):
            return _language(said.words is not None)
        if kind == "STRING" and _TEXT.search(name):
            return said.words or UNHEARD
    return _value(schema, name, content, root)


def _time(milliseconds: int, name: str, kind: str, description: str) -> str | float:
    """A time as a schema wants it: seconds or milliseconds by its name, or `MM:SS` in a text."""
    if kind == "STRING" and not re.search(r"\bseconds\b", description):
        return at(milliseconds, hours="HH:MM:SS" in description.upper())
    if _MILLISECONDS.search(f"{name} {description}"):
        value: float = milliseconds
    elif kind == "NUMBER":
        value = round(milliseconds / 1000, 1)
    else:
        value = (milliseconds + 500) // 1000
    return str(value) if kind == "STRING" else value


def _language(is_known: bool) -> str:
    """The recogniser knows English alone."""
    return "en" if is_known else "und"


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
