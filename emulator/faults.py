"""Faults: what can go wrong on demand, how each is written, and which are armed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.models import find_model
from emulator.texts import CATALOGUE, CloseText, find_text
from emulator.wire import Json, WireError, parse_duration

Phase = Literal["generating", "midway", "speech", "listening", "setup"]
PHASES: tuple[Phase, ...] = ("generating", "midway", "speech", "listening", "setup")
Parser = Callable[[Any], Any]


class FaultError(ValueError):
    """A fault that is written wrong; its text says what is."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kind: how it is read, and its value when it is absent."""

    read: Parser
    default: Any = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. A momentary one happens to connections; a standing one is consulted until it is used up."""

    name: str
    momentary: bool
    parameters: dict[str, Parameter]
    default_count: int | None = None


@dataclass
class Fault:
    """One fault as it was asked for. `count` is how often it still happens; None means until it is disarmed."""

    kind: Kind
    params: dict[str, Any]
    connection: str = "latest"
    model: str | None = None
    count: int | None = None
    after_ms: int = 0
    when: Phase | None = None
    at_s: float | None = None
    after_turns: int | None = None
    id: int = field(default_factory=itertools.count(1).__next__)
    expires_at: float | None = None
    #: How often everything had been disarmed when this was armed.
    armed_after: int = 0

    def as_json(self) -> Json:
        """The fault as the control API shows it."""
        params = {key: value.name if isinstance(value, CloseText) else value for key, value in self.params.items()}
        shown = {"id": self.id, "fault": self.kind.name, **params, "connection": self.connection}
        extra = {"model": self.model, "count": self.count, "when": self.when}
        return shown | {key: value for key, value in extra.items() if value is not None}

    @property
    def subject(self) -> tuple[str, str | None, str, Any]:
        """Of two faults with the same one the newer counts."""
        return self.kind.name, self.model, self.connection, self.params.get("where")

    def concerns(self, connection: str, model: str) -> bool:
        """True if this fault is meant for the connection and its model."""
        return self.connection in ("latest", "all", connection) and self.model in (None, model)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise FaultError(f"expected a number of at least 0, not {value!r}")
    return value


def _above_zero(value: Any) -> float:
    if not (number := _number(value)):
        raise FaultError("expected a number above 0")
    return number


def _share(value: Any) -> float:
    if (number := _number(value)) > 1:
        raise FaultError(f"expected a number from 0 to 1, not {value!r}")
    return number


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FaultError(f"expected a whole number of at least 0, not {value!r}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FaultError(f"expected true or false, not {value!r}")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise FaultError(f"expected a text, not {value!r}")
    return value


def _duration(value: Any) -> float:
    try:
        return parse_duration(value)
    except WireError as error:
        raise FaultError(str(error)) from error


def _text(value: Any) -> CloseText:
    try:
        return find_text(_string(value))
    except KeyError as error:
        raise FaultError(f"no close text is called {value!r}; known are: {', '.join(CATALOGUE)}") from error


def _close_code(value: Any) -> int:
    code = _integer(value)
    if not ((1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999):
        raise FaultError(f"{code} cannot stand in a close frame")
    return code


def _status(value: Any) -> int:
    status = _integer(value)
    if not 400 <= status <= 599:
        raise FaultError(f"expected an HTTP error status, not {status}")
    return status


def _one_of(*allowed: str) -> Parser:
    def read(value: Any) -> str:
        if value not in allowed:
            raise FaultError(f"expected one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    return read


def _momentary(name: str, **parameters: Parameter) -> Kind:
    return Kind(name, True, parameters, default_count=1)


def _standing(name: str, count: int | None = None, **parameters: Parameter) -> Kind:
    return Kind(name, False, parameters, default_count=count)


def _bad_answer(name: str, *more: str) -> Kind:
    """A fault that spoils what a model generates over REST."""
    ways = [
        "garbage",
        "empty",
        "blocked",
        "stopped",
        "unfinished",
        "unavailable",
        "internal",
        "hang",
        "late",
        "stall",
        "cut",
        "fail",
    ]
    parameters = {
        "answer": Parameter(_one_of(*ways, *more), "garbage"),
        "reason": Parameter(_string),
        "delay_s": Parameter(_number, 3.3),
        "for_s": Parameter(_number),
    }
    return Kind(name, False, parameters)


_KINDS = (
    _momentary("go_away", time_left=Parameter(_duration, 2.0), then_close=Parameter(_boolean, True)),
    _momentary("cut"),
    _momentary("close", code=Parameter(_close_code), reason=Parameter(str, ""), text=Parameter(_text)),
    _momentary("stall", for_s=Parameter(_number, 5.0)),
    _momentary("black_hole"),
    _momentary("mute"),
    _momentary("dead_handle", text=Parameter(_text, CATALOGUE["session not found"])),
    _standing("forget", 1),
    _standing("overlap_refused", on=Parameter(_boolean, True)),
    _standing(
        "quota",
        limit=Parameter(_one_of("minute", "day", "concurrency", "billing"), "day"),
        retry_after_s=Parameter(_number),
        for_s=Parameter(_number),
        sessions=Parameter(_integer),
        where=Parameter(_string),
    ),
    _bad_answer("bad_text", "plain"),
    _bad_answer("bad_speech"),
    _standing(
        "live_down",
        dials=Parameter(_one_of("refused", "stalled", "silent"), "refused"),
        open=Parameter(_one_of("closed", "cut", "silent"), "closed"),
        for_s=Parameter(_number),
        on=Parameter(_boolean, True),
    ),
    _standing(
        "odd_index", how=Parameter(_one_of("lags", "jumps", "missing", "of-before"), "lags"), by=Parameter(_integer, 50)
    ),
    _standing("retire_model"),
    _standing("slow_pongs", delay_s=Parameter(_number, 30.0)),
    _standing(
        "refuse_handshake",
        status=Parameter(_status, 503),
        limit=Parameter(_one_of("minute", "day")),
        retry_after_s=Parameter(_number),
        for_s=Parameter(_number),
    ),
    _standing(
        "refuse_minting",
        status=Parameter(_status, 503),
        text=Parameter(_string),
        retry_after_s=Parameter(_number),
        for_s=Parameter(_number),
    ),
    _standing(
        "refuse_caching",
        status=Parameter(_status, 429),
        text=Parameter(_string),
        retry_after_s=Parameter(_number),
        for_s=Parameter(_number),
    ),
    _standing("lose_cache", 1),
    _standing(
        "refuse_upload",
        step=Parameter(_one_of("start", "piece"), "start"),
        status=Parameter(_status, 503),
        text=Parameter(_string),
        retry_after_s=Parameter(_number),
        for_s=Parameter(_number),
    ),
    _standing("tear_upload", 1, at_byte=Parameter(_integer, 1_000_000)),
    _standing("storage_full", limit_bytes=Parameter(_integer, 0), for_s=Parameter(_number)),
    _standing("slow_processing", delay_s=Parameter(_number, 5.0)),
    _standing("fail_processing", 1, text=Parameter(_string)),
    _standing("lose_file", 1),
    _standing(
        "refuse_deletion",
        status=Parameter(_status, 503),
        text=Parameter(_string),
        retry_after_s=Parameter(_number),
        for_s=Parameter(_number),
    ),
    _standing("slow_minting", delay_s=Parameter(_number, 2.0)),
    _standing("refuse_token", 1, text=Parameter(_text, CATALOGUE["token used up"])),
    _standing("resume_uses_token", on=Parameter(_boolean, True)),
    _standing("slow_setup", delay_s=Parameter(_number, 15.0)),
    _standing("no_turn_complete"),
    _standing("slow_close", delay_s=Parameter(_number, 2.0)),
    _standing("withhold_handles", on=Parameter(_boolean, True)),
    _standing("extra_frames"),
    _standing("first_frame_not_setup", unreadable=Parameter(_boolean, False)),
    _standing("reject_field", field=Parameter(_string)),
    _standing("close_on_replay", 1),
    # What is wrong with connections that are healthy, by reports of users; docs/emulator.md names each.
    _standing("empty_turn"),
    _standing("refused_turn", reason=Parameter(_string, "RESPONSE_REJECTED")),
    _standing(
        "late_words", side=Parameter(_one_of("input", "output", "both"), "both"), delay_s=Parameter(_number, 0.3)
    ),
    _standing("slow_thinking", delay_s=Parameter(_number, 12.0), status_every_s=Parameter(_above_zero)),
    _standing(
        "deaf_vad",
        share=Parameter(_share, 0.3),
        under_s=Parameter(_number, 1.0),
        barge_in_s=Parameter(_number, 2.0),
    ),
    _standing("stream_end_ignored"),
    _standing("lingering_session", linger_s=Parameter(_number, 1.0)),
    _standing("undeclared_tool_call", function=Parameter(_string, "look_up_weather")),
    _standing("input_lag", lag_ms=Parameter(_number, 60), up_to_ms=Parameter(_number)),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

_COMMON: dict[str, Parameter] = {
    "connection": Parameter(_string, "latest"),
    "model": Parameter(_string),
    "count": Parameter(_integer),
    "after_ms": Parameter(_integer, 0),
    "when": Parameter(_one_of(*PHASES)),
    "at_s": Parameter(_number),
    "after_turns": Parameter(_integer),
}


def parse_fault(body: Any) -> Fault:
    """Read one fault as the control API and script files write it; raises `FaultError`."""
    if not isinstance(body, dict):
        raise FaultError("a fault is a JSON object")
    kind = KINDS.get(str(body.get("fault")))
    if kind is None:
        raise FaultError(f"unknown fault {body.get('fault')!r}; known are: {', '.join(KINDS)}")
    unknown = set(body) - {"fault"} - set(kind.parameters) - set(_COMMON)
    if unknown:
        raise FaultError(f"{kind.name} does not take {', '.join(sorted(unknown))}")
    params = {name: _read(body, name, parameter) for name, parameter in kind.parameters.items()}
    common = {name: _read(body, name, parameter) for name, parameter in _COMMON.items()}
    if common["model"] is not None:
        common["model"] = _model_id(common["model"])
    if common["count"] is None:
        common["count"] = kind.default_count
    _check_together(kind, params, common["model"])
    return Fault(kind, {key: value for key, value in params.items() if value is not None}, **common)


def _read(body: Json, name: str, parameter: Parameter) -> Any:
    if body.get(name) is None:
        return parameter.default
    try:
        return parameter.read(body[name])
    except FaultError as error:
        raise FaultError(f"{name}: {error}") from error


def _model_id(name: str) -> str:
    model = find_model(name)
    if model is None:
        raise FaultError(f"model: there is no model {name!r}")
    return model.id


def _check_together(kind: Kind, params: dict[str, Any], model: str | None) -> None:
    if kind.name == "close" and (params["code"] is None) == (params["text"] is None):
        raise FaultError("close takes either a code (with a reason) or the name of a text")
    if kind.name == "reject_field" and params["field"] is None:
        raise FaultError("reject_field needs a field")
    if kind.name == "retire_model" and model is None:
        raise FaultError("retire_model needs a model")
    if kind.name == "live_down" and model is not None:
        raise FaultError("live_down takes no model: at the handshake nobody knows which is meant")


class FaultBoard:
    """The armed faults: standing ones, and ones that wait for a phase of a connection."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._standing: list[Fault] = []
        self._waiting: list[Fault] = []
        self._disarmed = 0

    def arm(self, fault: Fault) -> None:
        """Make a standing fault count from now on; the newest of a kind for the same model replaces the older."""
        self._standing = [standing for standing in self._standing if standing.subject != fault.subject]
        if fault.params.get("on") is False:
            self._standing = [f for f in self._standing if f.kind is not fault.kind]
            return
        if "for_s" in fault.params:
            fault.expires_at = self._clock() + fault.params["for_s"]
        fault.armed_after = self._disarmed
        self._standing.append(fault)

    def stands(self, fault: Fault) -> bool:
        """True until a fault that was armed is disarmed or over; being used up ends nothing that it does."""
        return fault.armed_after == self._disarmed and (fault.expires_at is None or fault.expires_at > self._clock())

    def wait(self, fault: Fault) -> None:
        """Keep a fault until a connection enters its phase, or until so many turns are complete."""
        self._waiting.append(fault)

    def peek(
        self, kind: str, connection: str = "", model: str = "", fits: Callable[[Fault], bool] = lambda fault: True
    ) -> Fault | None:
        """The standing fault of `kind` that concerns the connection and fits, if there is one."""
        now = self._clock()
        self._standing = [f for f in self._standing if f.expires_at is None or f.expires_at > now]
        for fault in reversed(self._standing):
            if fault.kind.name == kind and fault.concerns(connection, model) and fits(fault):
                return fault
        return None

    def use(self, kind: str, connection: str = "", model: str = "") -> Fault | None:
        """As `peek`, and count it as used once."""
        fault = self.peek(kind, connection, model)
        if fault is not None:
            self.count(fault)
        return fault

    def count(self, fault: Fault) -> None:
        """A standing fault was used once."""
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self._standing.remove(fault)

    def entering(self, phase: Phase, connection: str, model: str) -> list[Fault]:
        """The waiting faults that happen because the connection enters `phase`; each is counted as used once."""
        return self._take(lambda fault: fault.when == phase and fault.concerns(connection, model))

    def after_turns(self, completed: int) -> list[Fault]:
        """The waiting faults whose number of completed turns is reached."""
        return self._take(
            lambda fault: fault.when is None and fault.after_turns is not None and fault.after_turns <= completed
        )

    def disarm(self) -> None:
        """Forget every armed fault."""
        self._disarmed += 1
        self._standing.clear()
        self._waiting.clear()

    def armed(self) -> list[Json]:
        """All armed faults, oldest first."""
        self.peek("")
        return [fault.as_json() for fault in sorted(self._standing + self._waiting, key=lambda fault: fault.id)]

    def _take(self, is_due: Callable[[Fault], bool]) -> list[Fault]:
        due = [fault for fault in self._waiting if is_due(fault)]
        for fault in due:
            if fault.kind.momentary and fault.count is not None and fault.count > 1:
                fault.count -= 1
            else:
                self._waiting.remove(fault)
        return due
