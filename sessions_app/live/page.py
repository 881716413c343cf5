"""What the driver needs from a page and from the store, in our words. The edges implement both; tests have fakes."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from energy.levels import Level, LevelChange
from sessions_app.live.backlog import Loss
from sessions_app.live.context import EarlierCall, Recap
from sessions_app.live.machine.events import Action, TellState
from sessions_app.live.providers.upstream import TurnTaking, UsageReported
from sessions_app.live.questions import QuestionMoved
from sessions_app.live.transcript import Turn
from sessions_app.live.turn_window import TurnWindow


@dataclass(frozen=True, slots=True)
class Ready:
    """What a page is told when a live session is open, see `ready` in the browser protocol.

    `ack`: the first audio number that is not safe. `next_number`: the first that was not taken in.
    `turns`: the newest, as many as a `TurnWindow` holds. `more`: there are turns before them. `earlier_call`: the one
    that this call goes on from.
    """

    action: Action
    conversation: str
    session: str
    level: Level
    top_level: Level
    ack: int
    next_number: int
    turns: tuple[Turn, ...]
    resets_at: datetime.datetime | None = None
    summary: str = ""
    more: bool = False
    earlier_call: EarlierCall | None = None


class Page(Protocol):
    """One socket of a page. Nothing here waits or raises: a page that cannot keep up is the socket's affair.

    All methods are called on the event loop of the session, and what they tell arrives in the order of the calls, sound
    and messages alike. Numbers of turns and of audio frames count up from 0. What each message means is said in
    `docs/browser-protocol.md`.
    """

    def tell_ready(self, ready: Ready) -> None: ...

    def tell_state(self, told: TellState) -> None: ...

    def tell_turn(self, turn: Turn) -> None: ...

    def tell_turns(self, window: TurnWindow) -> None: ...

    def tell_flush(self) -> None: ...

    def tell_generation_complete(self, turn: int) -> None: ...

    def tell_turn_complete(self, turn: int, usage: UsageReported | None) -> None:
        """`turn`: of the reply; of the user's words where there was none."""

    def tell_go_away(self, time_left_ms: int) -> None: ...

    def tell_ack(self, audio: int, ids: tuple[str, ...]) -> None:
        """Audio frames before `audio`, and the typed messages `ids`, are safe."""

    def tell_lost(self, loss: Loss, reason: str) -> None: ...

    def tell_question(self, moved: QuestionMoved) -> None: ...

    def tell_energy(self, change: LevelChange, top_level: Level) -> None: ...

    def tell_toast(self, code: str, outage_ms: int = 0, text: str = "", until: datetime.datetime | None = None) -> None:
        """`text` in place of the usual words, where somebody has said it better; `until`: the moment that it names."""

    def play(self, number: int, pcm: bytes) -> None:
        """PCM16 mono 24 kHz."""

    def close(self, code: int) -> None:
        """After everything told before. `code`: of `close_codes`."""


class StoreRefused(Exception):
    """What was to be stored cannot be stored, now or later; the text says why, and nothing of what it was."""


class StoreFenced(Exception):
    """The session is held elsewhere now: nothing of it may be stored here any more."""


class Store(Protocol):
    """Where a live session is kept as it happens.

    Every method is awaited on the event loop of the session, one at a time, in the order in which things happened, and
    leaves it free; rows may be written in another thread. Every method may raise: `StoreRefused` when trying again is
    of no use, `StoreFenced` when nothing will be taken any more, anything else when trying again may help. The writer
    does, so each must do no harm when it is done twice.
    """

    async def save_turns(self, turns: tuple[Turn, ...]) -> None: ...

    async def save_handle(
        self, handle: str, model: str, made_with: str, acknowledged_number: int, covered_turn: int
    ) -> None:
        """`made_with`: of the assistant of its session. `acknowledged_number`: the first audio frame that it does not
        cover. `covered_turn`: the last turn that it does, -1 for none."""

    async def forget_handle(self) -> None: ...

    async def record(self, kind: str, data: dict[str, Any]) -> None: ...

    async def save_usage(self, connection: int, turn: int, model: str, usage: UsageReported) -> None:
        """`connection`: its number within the live session, from 1."""

    async def load_recap(self) -> Recap | None:
        """What of the conversation has been condensed by now, and what is known of its recordings; None when there is
        nothing of all that."""

    async def finish(self, reason: str, conversation_over: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class EarlierTurns:
    """What a live session knows of the turns before those that it holds; without any, nothing.

    `spoken`: as many as belong into the context of a session without memory, not all of them. `typed`: the number of
    the turn by the id of each message that this page life typed. `last_whole_reply`: the number of the last turn that
    ends an exchange, see `transcript.Turn`; `last_reply`: the same, or that of a later reply that was cut off; -1 when
    there is none, or when the session holds such a turn.
    """

    exist: bool = False
    spoken: tuple[Turn, ...] = ()
    typed: Mapping[str, int] = field(default_factory=dict)
    last_reply: int = -1
    last_whole_reply: int = -1


@dataclass(frozen=True, slots=True)
class Opening:
    """What a live session starts from.

    `turns`: the newest of the conversation so far, `earlier`: what is known of those before. `recap`: what of them all
    has been condensed. `handle`: held for this page life, for `handle_model` and for a session made with
    `handle_made_with`; it covers the turns up to `covered_turn`, and `handle_was_cut` if the connection of its session
    may still stand, for the process that held it did not close it. `next_number`: the first audio number that is not
    safe yet. `same_page`: the page life has had a live session before, so the page sends again what was not
    acknowledged. `begins_at`: turns from this number on are the conversation's own, not of those that it continues.
    `owes_flush`: the page may have sound of a reply that its process did not live to end, and that is going to be given
    again.
    """

    conversation: str
    session: str
    turns: tuple[Turn, ...] = ()
    earlier: EarlierTurns = field(default_factory=EarlierTurns)
    recap: Recap | None = None
    handle: str | None = None
    handle_model: str = ""
    handle_made_with: str = ""
    handle_was_cut: bool = False
    covered_turn: int = -1
    next_number: int = 0
    same_page: bool = False
    begins_at: int = 0
    owes_flush: bool = False


_KEPT_BY_SESSIONS = ("instruction", "voice", "language", "resumes")
"""Of an assistant: the documentation lets a resume change all but the model; 3.8 was seen to keep its instruction
(2026-09)."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """How the model is to behave.

    `voice`: the name of one. `language`: as in `Setup`. `compresses`: its context is cut when it has come to
    `trigger_tokens`, to `compression_ratio` of them; 0 for the provider's own figures. `resumes`: its sessions are ones
    that can be resumed.
    """

    instruction: str
    voice: str
    language: str = ""
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    compresses: bool = True
    trigger_tokens: int = 0
    compression_ratio: float = 0.0
    resumes: bool = True

    @property
    def made_with(self) -> str:
        """What a session keeps for its life, as a digest: a resume takes the rest of a new set-up."""
        return hashlib.sha256(json.dumps(list(self._kept.values())).encode()).hexdigest()

    def as_made(self, session: Assistant) -> Assistant:
        """What a resume of a session that was made like `session` can have of this."""
        return replace(self, **session._kept)

    @property
    def _kept(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT_BY_SESSIONS}
