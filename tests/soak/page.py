"""A page that keeps what was not acknowledged, loses its network now and then, and comes back."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.scenarios.page import FRAME_MS, Message, Page
from tests.services.web import WebServer

KEPT_FRAMES = 60_000 // FRAME_MS
FRAMES_PER_S = 60.0
BURST_FRAMES = 25.0
COME_BACK_S = 0.25
GIVEN_AGAIN = "turn.given_again"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Told:
    """A JSON message of the server, and when it came (Unix time)."""

    at: float
    message: Message


@dataclass(frozen=True, slots=True)
class Absence:
    """The page's leg was torn at `gone_at`; `back_at`: its new socket was made; `ready_at`: and served."""

    gone_at: float
    back_at: float
    ready_at: float


@dataclass
class AudioOutbox:
    """Frames that are kept until they are acknowledged, 60 s of them at most."""

    frames: deque[bytes] = field(default_factory=deque)
    first: int = 0
    cursor: int = 0
    dropped: int = 0

    @property
    def next_number(self) -> int:
        return self.first + len(self.frames)

    @property
    def is_sent(self) -> bool:
        return self.cursor >= self.next_number

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)
        if len(self.frames) > KEPT_FRAMES:
            self.dropped += self.cursor <= self.first
            self._let_go(self.first + 1)

    def take(self) -> tuple[int, bytes] | None:
        """The next frame to send."""
        if self.cursor >= self.next_number:
            return None
        number = self.cursor
        self.cursor += 1
        return number, self.frames[number - self.first]

    def acknowledge(self, number: int) -> None:
        self._let_go(min(number, self.next_number))

    def rewind(self, number: int) -> None:
        """Send again from the frame that the server asks for."""
        self.cursor = max(number, self.first)

    def _let_go(self, number: int) -> None:
        while self.first < number:
            self.frames.popleft()
            self.first += 1
        self.cursor = max(self.cursor, self.first)


class SoakPage(Page):
    """A page life in a call that survives its sockets. `live` holds it; `speak_frame` and `type` never fail."""

    def __init__(self, web: WebServer, cookie: str) -> None:
        super().__init__(web, "call", user=None)
        self.story: list[Told] = []
        self.turns: dict[int, Message] = {}
        self.sent_before_turn: dict[int, int] = {}
        self.sent_before_end: dict[int, int] = {}
        self.absences: list[Absence] = []
        self.odd_closes: list[tuple[float, int | None]] = []
        self.missing_audio: list[tuple[float, int, int]] = []
        self.is_ready = False
        self.is_live = False
        self.acknowledged = 0
        self.heard_bytes = 0
        self.outbox = AudioOutbox()
        self.sent_at: list[float] = []
        self.typed: dict[str, str] = {}
        self._cookie = cookie
        self._unsent_typed: deque[str] = deque()
        self._is_muted = False
        self._is_mute_told = False
        self._last_down = -1
        self._allowance = BURST_FRAMES
        self._allowance_at = time.monotonic()
        self._is_frozen = False
        self._is_over = False
        self._torn_at: float | None = None
        self._back_at = 0.0
        self._away_s = 0.0

    # -- life --------------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Hold the conversation over as many sockets as it takes, until `end`."""
        while not self._is_over:
            try:
                await self.connect()
                await self.send(type="start", page_id=self.page_id, last_down=self._last_down)
                assert self._reader is not None
                await self._reader
            except (OSError, WebSocketException, TimeoutError):
                pass
            self._note_close()
            away_s, self._away_s = self._away_s or COME_BACK_S, 0.0
            await asyncio.sleep(away_s)
            self._back_at = time.time()

    async def connect(self, origin: str | None = None) -> None:
        self.close_code = None
        self._socket = await connect(
            f"ws://{self.web.host}/ws/{self.mode}/",
            additional_headers={"Cookie": self._cookie},
            origin=origin or self.web.url,  # type: ignore[arg-type]
            max_size=None,
        )
        self._is_frozen = False
        self._reader = asyncio.create_task(self._read(self._socket))

    async def end(self) -> None:
        """Hang up, for good."""
        self._is_over = True
        if self._socket is not None and self.is_ready:
            await self._send_now(json.dumps({"type": "hangup"}))

    def lose_network(self, away_s: float) -> None:
        """The socket goes with a reset and without a close frame; the page is back after `away_s`."""
        if self._socket is None or not self.is_ready:
            return
        self._torn_at = time.time()
        self._away_s = away_s
        self.is_ready = False
        connection = self._socket.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._socket.transport.abort()

    async def freeze(self, for_s: float) -> None:
        """The network carries nothing for a while, in neither direction, and the socket stays open."""
        if self._socket is None or not self.is_ready:
            return
        transport = self._socket.transport
        self._is_frozen = True
        transport.pause_reading()
        await asyncio.sleep(for_s)
        if self._is_frozen and not transport.is_closing():
            transport.resume_reading()
        self._is_frozen = False

    def _note_close(self) -> None:
        if self._torn_at is None and not self._is_over:
            self.odd_closes.append((time.time(), self.close_code))
            self._torn_at = time.time()
        self.is_ready = self.is_live = False

    # -- saying ------------------------------------------------------------------------------------------------------

    async def speak_frame(self, pcm: bytes) -> None:
        """A frame of the microphone: kept, and sent as soon as there is a way."""
        if self._is_muted:
            self._is_muted = False
            await self._say_microphone_is_open()
        self.outbox.push(pcm)
        await self.pump()

    async def type(self, text: str) -> str:
        """A typed turn: kept, and sent as soon as there is a way. Gives its id."""
        self._typed += 1
        id = f"typed-{self._typed}"
        self.typed[id] = text
        self._unsent_typed.append(id)
        await self.pump()
        return id

    async def mute(self) -> None:
        """The microphone is muted after everything said so far, and stays so until the next frame."""
        self._is_muted, self._is_mute_told = True, False
        await self.pump()

    async def pump(self) -> None:
        """Send what waits, in order, no faster than the server takes it."""
        now = time.monotonic()
        self._allowance = min(BURST_FRAMES, self._allowance + (now - self._allowance_at) * FRAMES_PER_S)
        self._allowance_at = now
        while self._may_send() and self._unsent_typed:
            id = self._unsent_typed.popleft()
            if id in self.typed:
                await self._send_now(json.dumps({"type": "text", "id": id, "text": self.typed[id]}))
        while self._may_send() and self._allowance >= 1 and (frame := self.outbox.take()) is not None:
            self._allowance -= 1
            self._note_sent(frame[0])
            await self._send_now(struct.pack(">I", frame[0]) + frame[1])
        if self._is_muted and not self._is_mute_told and self._may_send() and self.outbox.is_sent:
            self._is_mute_told = True
            await self._send_now(json.dumps({"type": "mic", "on": False}))

    async def _say_microphone_is_open(self) -> None:
        if self._may_send() and self._is_mute_told:
            await self._send_now(json.dumps({"type": "mic", "on": True}))

    def _note_sent(self, number: int) -> None:
        """The last time counts: what is sent again was not taken in before."""
        self.sent_at += [0.0] * (number + 1 - len(self.sent_at))
        self.sent_at[number] = time.time()

    def _may_send(self) -> bool:
        return self.is_ready and not self._is_frozen

    async def _send_now(self, frame: str | bytes) -> None:
        try:
            await self.send_raw(frame)
        except ConnectionClosed:
            self.is_ready = False

    # -- hearing -----------------------------------------------------------------------------------------------------

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self._hear(frame)
            return
        told = Told(time.time(), json.loads(frame))
        self.story.append(told)
        match told.message["type"]:
            case "ready":
                self._begin(told)
            case "ack":
                self.acknowledged = max(self.acknowledged, told.message["audio"])
                self.outbox.acknowledge(told.message["audio"])
                self._settle(told.message["ids"])
            case "lost":
                self._settle(told.message["ids"])
            case "turn":
                self._note_turn(told.message)
            case "turn_complete":
                self.sent_before_end.setdefault(told.message["turn"], len(self.sent_at))
            case "flush":
                self.heard_bytes = 0
            case "state":
                self.is_live = told.message["state"] == "live"

    def _begin(self, told: Told) -> None:
        """Of a replaced session only the transcript is news; of a new socket the place to go on from, too."""
        for number, turn in self.turns.items():
            if turn["status"] == "partial":  # what the server has of it comes now; what it has not, its process lost
                self.turns[number] = {**turn, "status": "interrupted" if turn["role"] == "model" else "complete"}
        for turn in told.message["transcript"]:
            self._note_turn(turn)
        if self.is_ready:
            return
        self.is_ready = True
        self._is_mute_told = False
        self.acknowledged = max(self.acknowledged, told.message["ack"])
        self.outbox.acknowledge(told.message["ack"])
        self.outbox.rewind(told.message["ack"])
        self._unsent_typed = deque(self.typed)
        if self._torn_at is not None:
            self.absences.append(Absence(self._torn_at, self._back_at, told.at))
            self._torn_at = None

    def _note_turn(self, turn: Message) -> None:
        """A line of the transcript; of a new one, or a reply that begins anew, also how many frames had been sent when
        it came."""
        known = self.turns.get(turn["turn"], {})
        if turn.get("code") == GIVEN_AGAIN != known.get("code"):
            self.sent_before_turn.pop(turn["turn"], None)
        self.sent_before_turn.setdefault(turn["turn"], len(self.sent_at))
        self.turns[turn["turn"]] = turn

    def _settle(self, ids: list[str]) -> None:
        for id in ids:
            self.typed.pop(id, None)

    def _hear(self, frame: bytes) -> None:
        (number,) = struct.unpack_from(">I", frame)
        if number <= self._last_down:
            return
        if number > self._last_down + 1:
            self.missing_audio.append((time.time(), self._last_down, number))
        self._last_down = number
        self.heard_bytes += len(frame) - 4
