"""Logical sessions and their checkpoints, apart from the connections that carry them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emulator.heard import Heard, HeardAudio
from emulator.memory import Memory
from emulator.models import HANDLE_LIFETIME_S
from emulator.sides import DEVELOPER_API, Place
from emulator.texts import CATALOGUE, CloseText, RefusedError


@dataclass
class Session:
    """One conversation, which may outlive several connections."""

    id: str
    model: str
    memory: Memory = field(default_factory=Memory)
    place: Place = DEVELOPER_API
    #: How long its handles are good after its last connection.
    handles_last_s: float = HANDLE_LIFETIME_S
    heard: HeardAudio = field(default_factory=HeardAudio)
    open_connections: int = 0
    #: The id of the connection that carries it, or did so last.
    connection: str = ""
    #: Set when the last connection has gone, in the store's clock.
    ended_at: float = 0.0
    #: The same if that connection was lost, not closed: the service knows nothing of its end yet.
    lost_at: float | None = None
    #: The index of the client's message that was consumed when the last handle was issued, on whichever connection.
    last_index: int = 0


@dataclass
class Checkpoint:
    """What a resumption handle names: the state of a session at the moment the handle was issued."""

    handle: str
    session: Session
    memory: Memory
    heard: Heard = field(default_factory=Heard)
    refusal: CloseText | None = None


class HandleRefusedError(RefusedError):
    """A handle that cannot be resumed; `why` is for the log."""

    def __init__(self, close: CloseText, why: str) -> None:
        super().__init__(close)
        self.why = why


class SessionStore:
    """All sessions and checkpoints; a handle is good for a while after its session's last connection."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._checkpoints: dict[str, Checkpoint] = {}
        self._count = 0

    def create(
        self, model: str, memory: Memory, place: Place = DEVELOPER_API, handles_last_s: float = HANDLE_LIFETIME_S
    ) -> Session:
        """Begin a session for `model` at a place."""
        self._drop_expired()
        self._count += 1
        session = Session(f"s{self._count}", model, memory, place, handles_last_s, ended_at=self._clock())
        self._sessions[session.id] = session
        return session

    def issue(self, session: Session) -> Checkpoint:
        """Keep the state of `session` as it is now and name it with a new handle."""
        checkpoint = Checkpoint(str(uuid.uuid4()), session, session.memory, session.heard.checkpoint())
        self._checkpoints[checkpoint.handle] = checkpoint
        return checkpoint

    def resume(self, handle: str, model: str, place: Place = DEVELOPER_API) -> Checkpoint:
        """Return the checkpoint of `handle`; raises `HandleRefusedError`. Another place has never heard of it."""
        checkpoint = self._checkpoints.get(handle)
        if checkpoint is None:
            raise HandleRefusedError(CATALOGUE["session not found"], "unknown handle")
        if checkpoint.session.place != place:
            raise HandleRefusedError(CATALOGUE["session not found"], "issued elsewhere")
        if checkpoint.refusal is not None:
            raise HandleRefusedError(checkpoint.refusal, "killed")
        if self._is_expired(checkpoint.session):
            raise HandleRefusedError(CATALOGUE["session expired"], "expired")
        if checkpoint.session.model != model:
            raise HandleRefusedError(CATALOGUE["invalid argument"], f"issued by {checkpoint.session.model}")
        return checkpoint

    def connection_opened(self, session: Session, connection: str = "") -> None:
        """Count a connection of `session`, which carries it from now on."""
        session.open_connections += 1
        session.connection = connection
        session.lost_at = None

    def connection_closed(self, session: Session, *, was_lost: bool = False) -> None:
        """Count a connection less; the last one starts the clock of the session's handles.

        `was_lost` if it ended without a close handshake.
        """
        session.open_connections -= 1
        session.ended_at = self._clock()
        session.lost_at = session.ended_at if was_lost else None

    def was_lost_within(self, session: Session, seconds: float) -> bool:
        """True if the session's last connection was lost, no longer ago than that."""
        return session.lost_at is not None and self._clock() - session.lost_at < seconds

    def kill_handles(self, sessions: Iterable[Session], refusal: CloseText) -> int:
        """Refuse every handle issued so far for `sessions` with `refusal`; returns how many that are."""
        ids = {session.id for session in sessions}
        killed = [checkpoint for checkpoint in self._checkpoints.values() if checkpoint.session.id in ids]
        for checkpoint in killed:
            checkpoint.refusal = refusal
        return len(killed)

    def find(self, session_id: str) -> Session | None:
        """The session of that id, unless it is forgotten."""
        return self._sessions.get(session_id)

    def all(self) -> list[Session]:
        """Every session that is not forgotten, oldest first."""
        return list(self._sessions.values())

    def clear(self) -> None:
        """Forget all sessions and handles; numbering goes on."""
        self._sessions.clear()
        self._checkpoints.clear()

    def _is_expired(self, session: Session) -> bool:
        return session.open_connections <= 0 and self._clock() - session.ended_at > session.handles_last_s

    def _drop_expired(self) -> None:
        # A session lives on for a while after its handles, so that they are refused as expired, not as unknown.
        now = self._clock()
        ended = [session for session in self._sessions.values() if session.open_connections <= 0]
        gone = {session.id for session in ended if session.ended_at < now - 2 * session.handles_last_s}
        if gone:
            self._sessions = {key: value for key, value in self._sessions.items() if key not in gone}
            self._checkpoints = {k: c for k, c in self._checkpoints.items() if c.session.id not in gone}
