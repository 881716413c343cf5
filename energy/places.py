"""Where a model is served, which is a part of its name: pure.

`gemini-3.8-live` is the model of the Developer API, `vertex@us-central1:gemini-3.8-live` that of Agent Platform
(Vertex AI) in a region: another quota, other handles, another bill. Settings may leave out the region, or say
`developer:`; `settled` writes a name as it is kept everywhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"^(?:(?P<provider>vertex|developer)(?:@(?P<location>[a-z0-9-]+))?:)?(?P<id>[^:@]+)$")
_AGENT_PLATFORM = "vertex"


@dataclass(frozen=True, slots=True)
class Place:
    """The Developer API, or Agent Platform in a `location`, which is empty while nobody has said which."""

    is_agent_platform: bool = False
    location: str = ""


DEVELOPER_API = Place()


def place_of(model: str) -> Place:
    """The place in the name of a model."""
    match = _NAME.match(model)
    if match is None or match["provider"] != _AGENT_PLATFORM:
        return DEVELOPER_API
    return Place(True, match["location"] or "")


def id_of(model: str) -> str:
    """What its provider calls a model."""
    match = _NAME.match(model)
    return match["id"] if match else model


def settled(model: str, location: str, *, is_there_by_default: bool) -> str:
    """The name of a model as it is kept: with the region where it is on Agent Platform, else bare.

    Args:
        model: as somebody wrote it; what cannot be read is left as it is.
        location: of Agent Platform where the name has none.
        is_there_by_default: whether a bare name means Agent Platform.
    """
    match = _NAME.match(model)
    if match is None:
        return model
    provider = match["provider"] or (_AGENT_PLATFORM if is_there_by_default else "")
    if provider != _AGENT_PLATFORM:
        return match["id"]
    region = match["location"] or location
    return f"{_AGENT_PLATFORM}@{region}:{match['id']}" if region else f"{_AGENT_PLATFORM}:{match['id']}"
