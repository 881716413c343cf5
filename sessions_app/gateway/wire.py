"""The browser's wire format: JSON in text frames, numbered PCM in binary frames. See `docs/browser-protocol.md`."""

from __future__ import annotations

import json
import math
import struct
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings

from energy.days import time_in_words
from energy.levels import Level, LevelChange, Reason
from sessions_app.live.backlog import Loss
from sessions_app.live.context import EarlierCall
from sessions_app.live.machine.events import TellState
from sessions_app.live.page import Ready
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import QuestionMoved
from sessions_app.live.storable import storable
from sessions_app.live.transcript import Role, Turn
from sessions_app.live.turn_window import TurnWindow
from sessions_app.stored_words import in_words_lazily

if TYPE_CHECKING:
    from energy.marking import Words


class PageMessageType(StrEnum):
    """The `type` of what a page says."""

    START = "start"
    TEXT = "text"
    MIC = "mic"
    SOUND = "sound"
    STOP = "stop"
    RESET = "reset"
    RETRY = "retry"
    HANGUP = "hangup"
    OLDER = "older"
    PING = "ping"
    HEARD = "heard"
    RELEASED = "released"
    ATTACH = "attach"


class ServerMessageType(StrEnum):
    """The `type` of what a page is told."""

    READY = "ready"
    STATE = "state"
    TURN = "turn"
    TURNS = "turns"
    FLUSH = "flush"
    GENERATION_COMPLETE = "generation_complete"
    TURN_COMPLETE = "turn_complete"
    GO_AWAY = "go_away"
    ACK = "ack"
    LOST = "lost"
    ENERGY = "energy"
    TOAST = "toast"
    ERROR = "error"
    RELEASE = "release"
    PONG = "pong"
    RECORDINGS = "recordings"
    QUESTION = "question"


TEXT_FRAME_LIMIT_BYTES = 64 * 1024
AUDIO_FRAME_LIMIT_BYTES = 16 * 1024
TYPED_LIMIT_CHARACTERS = 32_000
TYPED_ID_LIMIT_CHARACTERS = 64
TICKET_LIMIT_CHARACTERS = 400
PING_LIMIT_CHARACTERS = 64
RECORDINGS_LIMIT = 20
TYPED_FRAME_LIMIT_BYTES = 384 * 1024
"""A frame with a typed message may be so large: the longest message whose every character is two escaped surrogates."""

FRAME_NUMBER = struct.Struct(">I")
"""Begins each audio frame, of either direction; PCM16 follows."""

SAMPLE_BYTES = 2

NO_CALL = uuid.UUID(int=0)
"""The id of no call: random ones are never that."""

_LARGEST_NUMBER = 2**32 - 1
_LARGEST_TURN = 2**31 - 1
_LONGEST_MS = 2**31 - 1


class Malformed(Exception):
    """A frame that is not of the protocol. `code` is that of the `error` message it is answered with."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Oversized(Exception):
    """A text frame beyond the limit of its kind."""


# -- page to server ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    page_id: uuid.UUID
    last_down: int = -1
    continues: uuid.UUID | None = None
    fresh: bool = False
    away_ms: int = 0
    take: str = ""
    goes_on_from: uuid.UUID | None = None
    recordings: tuple[uuid.UUID, ...] = ()
    opens: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class TypedText:
    id: str
    text: str
    recordings: tuple[uuid.UUID, ...] = ()
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    recording: uuid.UUID


@dataclass(frozen=True, slots=True)
class Mic:
    on: bool


@dataclass(frozen=True, slots=True)
class Sound:
    on: bool


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class Reset:
    pass


@dataclass(frozen=True, slots=True)
class Retry:
    pass


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


@dataclass(frozen=True, slots=True)
class Older:
    before: int


@dataclass(frozen=True, slots=True)
class Ping:
    t: int | float | str | None
    away_ms: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """The audio frame `down` was played, up to `ms`."""

    down: int
    ms: int


@dataclass(frozen=True, slots=True)
class Released:
    """Everything that the page had to say has been sent; of the sound, it has played frames up to `down`."""

    down: int


PageMessage = Start | TypedText | Mic | Sound | Stop | Reset | Retry | HangUp | Older | Ping | Heard | Released | Attach

OF_THE_USER = (Start, TypedText, Reset, Older, Retry, Attach)
"""Messages that read or write what is the user's, and are taken only from whom the rows let in at that moment."""


def _size_bytes(frame: str) -> int:
    """The size of a text frame on the wire; only its characters, if those alone are more than is ever taken."""
    return len(frame) if len(frame) > TYPED_FRAME_LIMIT_BYTES else len(frame.encode(errors="replace"))


def parse_text_frame(frame: str) -> PageMessage:
    """Read one text frame. Raises `Malformed` and `Oversized`; unknown fields are ignored.

    The limit of a typed message is in characters, so that it is the same in every script.
    """
    size = _size_bytes(frame)
    if size > TYPED_FRAME_LIMIT_BYTES:
        raise Oversized
    if size <= TEXT_FRAME_LIMIT_BYTES:
        return _parse(frame)
    try:
        message = _parse(frame)
    except Malformed:
        raise Oversized from None
    if not isinstance(message, TypedText):
        raise Oversized
    return message


def _parse(frame: str) -> PageMessage:
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError):
        raise Malformed("protocol.malformed", "That was not JSON.") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise Malformed("protocol.malformed", "A message is an object with a type.")
    reader = _READERS.get(fields["type"])
    if reader is None:
        raise Malformed("protocol.unknown_type", "There is no message of this type.")
    return reader(fields)


def parse_audio_frame(frame: bytes) -> tuple[int, bytes]:
    """The number and the PCM of one binary frame. Raises `Malformed`."""
    size_bytes = len(frame) - FRAME_NUMBER.size
    if size_bytes <= 0 or size_bytes % SAMPLE_BYTES:
        raise Malformed("protocol.malformed_audio", "An audio frame is a 4-byte number and whole 16-bit samples.")
    return FRAME_NUMBER.unpack_from(frame)[0], frame[FRAME_NUMBER.size :]


def _read_start(fields: dict[str, Any]) -> Start:
    continues, opens = fields.get("continue"), fields.get("open")
    return Start(
        page_id=_uuid(fields.get("page_id"), "page_id"),
        last_down=_whole(fields.get("last_down", -1), -1, _LARGEST_NUMBER, "last_down is a frame number, or -1."),
        continues=None if continues is None else _uuid(continues, "continue"),
        opens=None if opens is None else _uuid(opens, "open"),
        fresh=_boolean(fields.get("fresh", False), "fresh"),
        away_ms=_milliseconds(fields.get("away_ms", 0), "away_ms"),
        take=_ticket(fields.get("take", "")),
        goes_on_from=_call_id(fields.get("goes_on_from")),
        recordings=_recordings(fields.get("recordings")),
    )


def _read_text(fields: dict[str, Any]) -> TypedText:
    """An id that cannot be stored is refused, for the page knows it; what cannot be stored of the text is left out.

    Raises `Malformed`.
    """
    id, text = fields.get("id"), fields.get("text")
    if not isinstance(id, str) or not 0 < len(id) <= TYPED_ID_LIMIT_CHARACTERS or storable(id) != id:
        raise Malformed(
            "protocol.malformed", f"A typed message has an id of 1 to {TYPED_ID_LIMIT_CHARACTERS} characters."
        )
    words = storable(text) if isinstance(text, str) else ""
    if not words.strip():
        raise Malformed("protocol.malformed", "A typed message has a text.")
    replaces = fields.get("replaces")
    replaced = None if replaces is None else _turn_number(replaces, "replaces")
    return TypedText(id, words, _recordings(fields.get("recordings")), replaced)


def _read_attach(fields: dict[str, Any]) -> Attach:
    return Attach(_uuid(fields.get("recording"), "recording"))


def _read_mic(fields: dict[str, Any]) -> Mic:
    return Mic(_boolean(fields.get("on"), "on"))


def _read_sound(fields: dict[str, Any]) -> Sound:
    return Sound(_boolean(fields.get("on"), "on"))


def _read_older(fields: dict[str, Any]) -> Older:
    return Older(_turn_number(fields.get("before"), "before"))


def _read_ping(fields: dict[str, Any]) -> Ping:
    t = fields.get("t")
    if t is not None and not _can_be_told_again(t):
        raise Malformed("protocol.malformed", f"t is a number or a text of {PING_LIMIT_CHARACTERS} characters.")
    return Ping(t, _milliseconds(fields.get("away_ms", 0), "away_ms"))


def _read_heard(fields: dict[str, Any]) -> Heard:
    down = _whole(fields.get("down"), 0, _LARGEST_NUMBER, "down is a frame number.")
    return Heard(down, _milliseconds(fields.get("ms"), "ms"))


def _read_released(fields: dict[str, Any]) -> Released:
    return Released(_whole(fields.get("down", -1), -1, _LARGEST_NUMBER, "down is a frame number, or -1."))


_READERS: dict[str, Callable[[dict[str, Any]], PageMessage]] = {
    PageMessageType.START: _read_start,
    PageMessageType.TEXT: _read_text,
    PageMessageType.MIC: _read_mic,
    PageMessageType.SOUND: _read_sound,
    PageMessageType.STOP: lambda fields: Stop(),
    PageMessageType.RESET: lambda fields: Reset(),
    PageMessageType.RETRY: lambda fields: Retry(),
    PageMessageType.HANGUP: lambda fields: HangUp(),
    PageMessageType.OLDER: _read_older,
    PageMessageType.PING: _read_ping,
    PageMessageType.HEARD: _read_heard,
    PageMessageType.RELEASED: _read_released,
    PageMessageType.ATTACH: _read_attach,
}


def _uuid(value: Any, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise Malformed("protocol.malformed", f"{field} is a UUID.") from None


def _call_id(value: Any) -> uuid.UUID | None:
    """A call begins without the one that it cannot go on from: what is no id is that of no call."""
    try:
        return None if value is None else _uuid(value, "goes_on_from")
    except Malformed:
        return NO_CALL


def _recordings(value: Any) -> tuple[uuid.UUID, ...]:
    """Each once, in the order in which they were named."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > RECORDINGS_LIMIT:
        raise Malformed("protocol.malformed", f"recordings is a list of up to {RECORDINGS_LIMIT} ids.")
    return tuple(dict.fromkeys(_uuid(id, "each of recordings") for id in value))


def _ticket(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TICKET_LIMIT_CHARACTERS:
        raise Malformed("protocol.malformed", "take is the ticket of a link.")
    return value


def _milliseconds(value: Any, field: str) -> int:
    return _whole(value, 0, _LONGEST_MS, f"{field} is a whole number of milliseconds.")


def _turn_number(value: Any, field: str) -> int:
    return _whole(value, 0, _LARGEST_TURN, f"{field} is the number of a turn.")


def _whole(value: Any, least: int, most: int, rule: str) -> int:
    """A whole number within both bounds; Python counts true and false among them. Raises `Malformed` with `rule`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Malformed("protocol.malformed", rule)
    return value


def _boolean(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Malformed("protocol.malformed", f"{field} is true or false.")
    return value


def _can_be_told_again(value: Any) -> bool:
    """Whether it is a number or a short text that JSON has: Python reads NaN and Infinity, browsers do not."""
    if isinstance(value, str):
        return len(value) <= PING_LIMIT_CHARACTERS and storable(value) == value
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


# -- server to page ----------------------------------------------------------------------------------------------------


def audio_frame(number: int, pcm: bytes) -> bytes:
    return FRAME_NUMBER.pack(number & _LARGEST_NUMBER) + pcm


def ready(message: Ready) -> dict[str, Any]:
    return {
        "type": ServerMessageType.READY,
        "action": message.action,
        "conversation": message.conversation,
        "session": message.session,
        "mode": message.level.mode,
        "model": message.level.model,
        "energy": energy_facts(
            message.level, message.level, message.top_level, Reason.SESSION_RESET, message.resets_at
        ),
        "ack": message.ack,
        "next": message.next_number,
        "transcript": [turn_facts(turn) for turn in message.turns],
        "more": message.more,
        "goes_on_from": None if message.earlier_call is None else _earlier_call(message.earlier_call),
        "summary": message.summary or None,
    }


def _earlier_call(call: EarlierCall) -> dict[str, Any]:
    ended_at = call.ended_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {"conversation": call.conversation, "title": call.title, "ended_at": ended_at}


def state(told: TellState) -> dict[str, Any]:
    """`place` is there only for a page that waits in the queue for a live session."""
    facts = {
        "type": ServerMessageType.STATE,
        "state": told.state,
        "attempt": told.attempt,
        "retry_in_ms": told.retry_in_ms,
        "reason": told.reason,
    }
    return facts if told.place is None else facts | {"place": told.place}


def turn(turn: Turn) -> dict[str, Any]:
    return {"type": ServerMessageType.TURN, **turn_facts(turn)}


def turns(window: TurnWindow) -> dict[str, Any]:
    return {"type": ServerMessageType.TURNS, "turns": [turn_facts(turn) for turn in window.turns], "more": window.more}


def turn_facts(turn: Turn) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "turn": turn.number,
        "role": turn.role,
        "text": in_words_lazily(turn.text) if turn.role is Role.SYSTEM else turn.text,
        "status": turn.status,
        "at": datetime.fromtimestamp(turn.at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds"),
    }
    if turn.id:
        facts["id"] = turn.id
    if turn.code:
        facts["code"] = turn.code
    if turn.heard is not None:
        facts["heard"] = turn.heard
    if turn.recordings:
        facts["recordings"] = list(turn.recordings)
    if turn.until_ms is not None:
        facts |= _clock_in(turn.text, datetime.fromtimestamp(turn.until_ms / 1000, tz=UTC), turn.at_ms)
    if turn.replaces is not None:
        facts["replaces"] = turn.replaces
    if turn.withdrawn:
        facts["withdrawn"] = True
    return facts


def _clock_in(text: str, moment: datetime, said_ms: float) -> dict[str, Any]:
    """Where a text names a moment by the clock of the server: `until`, for pages that have another clock."""
    words = time_in_words(moment, datetime.fromtimestamp(said_ms / 1000, tz=UTC), settings.TIME_ZONE)
    return {"until": {"at": round(moment.timestamp() * 1000), "words": words}} if words in text else {}


def flush() -> dict[str, Any]:
    return {"type": ServerMessageType.FLUSH}


def generation_complete(turn: int) -> dict[str, Any]:
    return {"type": ServerMessageType.GENERATION_COMPLETE, "turn": turn}


def turn_complete(turn: int, usage: UsageReported | None) -> dict[str, Any]:
    return {"type": ServerMessageType.TURN_COMPLETE, "turn": turn, "usage": None if usage is None else usage.as_data()}


def go_away(time_left_ms: int) -> dict[str, Any]:
    return {"type": ServerMessageType.GO_AWAY, "time_left_ms": time_left_ms}


def ack(audio: int, ids: tuple[str, ...]) -> dict[str, Any]:
    return {"type": ServerMessageType.ACK, "audio": audio, "ids": list(ids)}


def lost(loss: Loss, reason: str) -> dict[str, Any]:
    return {"type": ServerMessageType.LOST, "ms": loss.ms, "ids": list(loss.ids), "reason": reason}


def energy(change: LevelChange, top_level: Level) -> dict[str, Any]:
    facts = energy_facts(change.level, change.previous, top_level, change.reason, change.resets_at)
    return {"type": ServerMessageType.ENERGY, **facts}


def energy_facts(
    level: Level, previous: Level, top_level: Level, reason: Reason, resets_at: datetime | None
) -> dict[str, Any]:
    return {
        "mode": level.mode,
        "level": level.number,
        "previous": previous.number,
        "max": top_level.number,
        "word": level.word,
        "model": level.model,
        "reason": reason,
        "resets_at": None if resets_at is None else resets_at.astimezone(UTC).isoformat(timespec="seconds"),
    }


def toast(code: str, level: str, text: Words, ms: int, until: datetime | None = None) -> dict[str, Any]:
    facts = {"type": ServerMessageType.TOAST, "code": code, "level": level, "text": text, "ms": ms}
    return facts if until is None else facts | _clock_in(str(text), until, time.time() * 1000)


def recordings(facts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": ServerMessageType.RECORDINGS, "recordings": facts}


def question(moved: QuestionMoved) -> dict[str, Any]:
    return {
        "type": ServerMessageType.QUESTION,
        "id": moved.id,
        "recordings": list(moved.recordings),
        "state": moved.state,
        "recording": moved.recording or None,
        "sent_bytes": moved.sent_bytes,
        "size_bytes": moved.size_bytes,
    }


def error(
    code: str, text: Words, *, fatal: bool = False, id: str = "", audio: int | None = None, recording: str = ""
) -> dict[str, Any]:
    """`id` names the typed message that was refused, so that the page can mark it; `audio` the audio frame from which
    on it has to send again; `recording` the one that is meant."""
    facts: dict[str, Any] = {"type": ServerMessageType.ERROR, "code": code, "text": text, "fatal": fatal}
    if id:
        facts["id"] = id
    if recording:
        facts["recording"] = recording
    return facts if audio is None else facts | {"audio": audio}


def release() -> dict[str, Any]:
    return {"type": ServerMessageType.RELEASE}


def pong(t: int | float | str | None) -> dict[str, Any]:
    return {"type": ServerMessageType.PONG, "t": t}
