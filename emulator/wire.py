"""How messages look on the wire: key styles, base64 alphabets, pretty-printed binary frames, durations."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

Json = dict[str, Any]

# Below these keys stand the client's own names (arguments, schemas, labels), which are never rewritten.
OPAQUE_KEYS = frozenset(
    {
        "args",
        "response",
        "parameters",
        "parametersJsonSchema",
        "responseSchema",
        "responseJsonSchema",
        "labels",
    }
)
_SNAKE_STEP = re.compile(r"_([a-z0-9])")
_CAMEL_STEP = re.compile(r"([A-Z])")
_DURATION = re.compile(r"^(\d+(?:\.\d{1,9})?)s$")


class WireError(ValueError):
    """A message that cannot be read; its text says why."""


def camel_name(name: str) -> str:
    """`realtime_input` -> `realtimeInput`; camel names pass unchanged."""
    return _SNAKE_STEP.sub(lambda step: step.group(1).upper(), name)


def snake_name(name: str) -> str:
    """`realtimeInput` -> `realtime_input`, as the service writes paths in its error texts."""
    return _CAMEL_STEP.sub(lambda step: "_" + step.group(1).lower(), name)


def camel_keys(value: Any) -> Any:
    """Return `value` with every key in camel case, except below `OPAQUE_KEYS`."""
    if isinstance(value, list):
        return [camel_keys(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = ((camel_name(key), item) for key, item in value.items())
    return {key: item if key in OPAQUE_KEYS else camel_keys(item) for key, item in renamed}


def parse_client_message(data: str | bytes) -> Json:
    """Parse one client frame into a dictionary with its keys as they were sent."""
    try:
        message = json.loads(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise WireError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise WireError("not a JSON object")
    return message


def encode_frame(message: Json) -> bytes:
    """Encode a server message as the service does: JSON with two blanks of indent and a trailing newline."""
    return (json.dumps(message, indent=2, ensure_ascii=False) + "\n").encode()


def decode_base64(data: object) -> bytes:
    """Decode standard or URL-safe base64, padded or not; raises `WireError`."""
    if not isinstance(data, str):
        raise WireError("binary data must be a base64 string")
    text = data.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError(f"not base64: {error}") from error


def encode_base64(data: bytes) -> str:
    """Standard base64, as the server sends it."""
    return base64.b64encode(data).decode("ascii")


def format_duration(seconds: float) -> str:
    """Seconds as a protobuf Duration in JSON: `9.5s`, `50s`, `0.013s`."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def parse_duration(value: object) -> float:
    """Seconds from a Duration string (`"9.5s"`) or a number; raises `WireError` for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise WireError(f"not a duration such as '9.5s': {value!r}")
    return float(match.group(1))
