"""Everything the parts of one running emulator share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.account import Account
from emulator.caches import CacheStore
from emulator.clock import Clock
from emulator.faults import FaultBoard
from emulator.files import MOST_FILE_BYTES, MOST_PROJECT_BYTES, FileStore, FinishedUploads
from emulator.line import OpenConnection
from emulator.log import EventLog
from emulator.prompt import Ear
from emulator.quota import Quota
from emulator.recogniser import WORDS_WITHIN_S, Recogniser
from emulator.recording_ear import RecordingEar
from emulator.sessions import SessionStore
from emulator.tokens import TokenStore
from emulator.voice import Voice


@dataclass(frozen=True, slots=True)
class Options:
    """How the emulator was started.

    Words of speech are made out in `words_within_s` or not at all. `pace` is how fast playback is taken to go (1 is
    real time), `send_speed` how far sending outruns playback; `first_piece_s` is how long an answer over REST takes to
    begin. Files are kept in `files_dir`, or as long as the emulator runs; each is processed for `processing_s`.
    `setup_index` is what the set-up counts as among the messages of a client: where transparent resumption begins to
    count is not documented.
    """

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    state_dir: Path | None = None
    script: Path | None = None
    seed: int = 0
    voice: bool = True
    recogniser: bool = True
    measured_words: bool = False
    words_within_s: float = WORDS_WITHIN_S
    pace: float = 1.0
    send_speed: float = 6.0
    first_piece_s: float = 0.02
    files_dir: Path | None = None
    max_file_bytes: int = MOST_FILE_BYTES
    storage_bytes: int = MOST_PROJECT_BYTES
    processing_s: float = 0.0
    setup_index: int = 0


@dataclass
class Emulator:
    """One running emulator: its options and what it remembers."""

    options: Options
    log: EventLog = field(default_factory=EventLog)
    faults: FaultBoard = field(default_factory=FaultBoard)
    clock: Clock = field(default_factory=Clock)
    account: Account = field(default_factory=Account)
    connections: dict[str, OpenConnection] = field(default_factory=dict)
    latest: OpenConnection | None = None
    has_connected: asyncio.Event = field(default_factory=asyncio.Event)
    turns_completed: int = 0
    _opened: int = 0
    _pending: set[asyncio.Task[object]] = field(default_factory=set)
    _unfinished: set[asyncio.Task[object]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sessions = SessionStore(self.clock.monotonic)
        self.tokens = TokenStore(self.clock.now)
        self.caches = CacheStore(self.clock.time)
        self.files = FileStore(
            self.clock,
            self.options.files_dir,
            most_file_bytes=self.options.max_file_bytes,
            most_project_bytes=self.options.storage_bytes,
        )
        self.finished_uploads = FinishedUploads()
        self.voice = Voice(enabled=self.options.voice)
        self.recogniser = Recogniser(enabled=self.options.recogniser, words_within_s=self.options.words_within_s)
        self.ear = Ear(self.recogniser)
        self.recording_ear = RecordingEar(self.recogniser)
        self.quota = Quota(self.faults)
        self.chance = random.Random(self.options.seed)

    def register(self, connection: OpenConnection) -> str:
        """Take a new connection in and name it."""
        self._opened += 1
        name = f"c{self._opened}"
        self.connections[name] = connection
        self.latest = connection
        self.has_connected.set()
        return name

    def unregister(self, name: str) -> None:
        """A connection is gone."""
        self.connections.pop(name, None)

    async def close(self) -> None:
        """Stop the voice, the recogniser and whatever waits."""
        self.cancel_pending()
        self.voice.close()
        await self.recogniser.close()
        self.files.close()

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` beside everything else until `cancel_pending`."""
        self._keep(work, self._pending)

    def see_through(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` beside everything else to its end."""
        self._keep(work, self._unfinished)

    def _keep(self, work: Coroutine[Any, Any, object], tasks: set[asyncio.Task[object]]) -> None:
        # The loop itself holds a task only weakly.
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def cancel_pending(self) -> None:
        """Stop everything started with `later`."""
        for task in list(self._pending):
            task.cancel()

    async def reset(self) -> None:
        """Disarm the faults, close the connections, and forget sessions, tokens, files, caches, account and log; the
        clock goes by the machine's time again.
        """
        self.faults.disarm()
        self.cancel_pending()
        for connection in list(self.connections.values()):
            await connection.cut()
        self.chance.seed(self.options.seed)
        self.sessions.clear()
        self.tokens.clear()
        self.files.clear()
        self.finished_uploads.clear()
        self.caches.clear()
        self.account.clear()
        self.log.clear()
        self.clock.reset()
