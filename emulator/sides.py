"""The two sides that serve Gemini, and what Agent Platform (Vertex AI) has otherwise than the Developer API.

What differs stands in the profile of a model there, so that the rest need not ask which side it plays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from emulator.models import MODELS, Model, Profile
from emulator.texts import CATALOGUE, RefusedError, model_not_found, permission_denied, publisher_model_not_found

MIN_CACHED_TOKENS = 2_048
"""What a context cache has to hold there at least, by its documentation; 1,024 and 4,096 were met as well."""

HANDLES_LAST_S = 24 * 60 * 60
_NAME = re.compile(
    r"^projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/publishers/google/models/(?P<model>[^/]+)$"
)
_LIVE_NOWHERE = "global"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session lives: in a location of a project of Agent Platform, or, without both, at the Developer API."""

    project: str = ""
    location: str = ""

    @property
    def is_agent_platform(self) -> bool:
        """Which of the two sides it is on."""
        return bool(self.project)

    @property
    def parent(self) -> str:
        """What stands before the names of what is kept there."""
        return f"projects/{self.project}/locations/{self.location}/" if self.project else ""

    def name_of(self, model: str) -> str:
        """The resource name of a model."""
        return f"{self.parent}publishers/google/models/{model}" if self.project else f"models/{model}"


DEVELOPER_API = Place()


@dataclass(frozen=True, slots=True)
class Offered:
    """A model as it is served at a place; `name` is its resource name there."""

    place: Place
    name: str
    model: Model
    profile: Profile


def live_model_of(name: str, version: str) -> Offered:
    """A Live model of the Developer API by its resource name or id; raises `RefusedError`."""
    model = MODELS.get(name.removeprefix("models/"))
    if model is None or model.live is None or not model.is_on_developer_api:
        raise RefusedError(model_not_found(name, version))
    return Offered(DEVELOPER_API, model.name, model, model.live)


def live_model_there(name: str) -> Offered:
    """A Live model of Agent Platform by its whole resource name; raises `RefusedError`. None is served globally."""
    asked = _NAME.match(name)
    if asked is None:
        raise RefusedError(CATALOGUE["invalid resource"])
    if is_denied(asked["project"]):
        raise RefusedError(permission_denied(asked["project"]))
    model = MODELS.get(asked["model"])
    if model is None or model.live is None or not is_served(model, asked["location"]):
        raise RefusedError(publisher_model_not_found(name))
    return Offered(Place(asked["project"], asked["location"]), name, model, _profile_there(model.live))


def is_denied(project: str) -> bool:
    """Projects that begin with `bad` stand for those that the caller may not use."""
    return project.lower().startswith("bad")


def is_served(model: Model, location: str) -> bool:
    """Whether a location of Agent Platform has a model."""
    if model.live is not None and location == _LIVE_NOWHERE:
        return False
    return model.locations is None or location in model.locations


def is_served_anywhere(model: Model) -> bool:
    """Whether any location of Agent Platform has a model."""
    return model.locations is None or bool(model.locations)


def _profile_there(profile: Profile) -> Profile:
    return replace(
        profile,
        takes_history_flag=False,
        takes_stream_end=False,
        tells_session_id=True,
        counts_candidates=True,
        ends_turn_of_tool_call=True,
        starts_with_empty_transcription=True,
        tells_audio_rate=False,
        names_role=True,
        tool_id_prefix="",
        handles_last_s=HANDLES_LAST_S,
        go_away_before_s=60.0,
    )
