"""One socket of a page, as the driver of a live session sees it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

from energy.levels import Level, LevelChange, Mode
from sessions_app.gateway import wire
from sessions_app.gateway.unsent import Unsent
from sessions_app.gateway.wording import wording_of
from sessions_app.live.backlog import Loss
from sessions_app.live.close_codes import HUNG_UP, OUR_FAULT
from sessions_app.live.machine.events import State, TellState
from sessions_app.live.manager import BaseSessionManager
from sessions_app.live.page import Ready
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import QuestionMoved
from sessions_app.live.transcript import Turn
from sessions_app.live.turn_window import TurnWindow
from sessions_app.stored_words import in_words_lazily

if TYPE_CHECKING:
    from energy.marking import Words

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]

WAITING_LIMIT_BYTES = 8_000_000
"""More than two minutes of speech that a page does not take is a page that is gone."""

EVENT_BYTES = 400
"""What a message takes in memory besides what it says."""


class SocketPage:
    """Sends in order, from a task of its own, so that nobody waits for a slow page. See `live.page.Page`.

    Args:
        mode: of the page.
        send: as ASGI has it.
        unsent: what waits for all pages of this process.
        language: in which it is told things, the code of one that pages can be had in.
    """

    def __init__(self, mode: Mode, send: Send, unsent: Unsent | None = None, language: str | None = None) -> None:
        self.closed = asyncio.Event()
        self.released = asyncio.Event()
        self.on_replaced: Callable[[BaseSessionManager], None] = lambda manager: None
        """Called when the session that the page has was replaced by another one, and not because it asked for that."""
        self.played_until = -1
        self.readies = 0
        """How often it was told that a live session is open."""
        self._mode = mode
        self._send = send
        self._waiting: deque[dict[str, Any]] = deque()
        self._waiting_bytes = 0
        self._unsent = unsent or Unsent()
        self._task: asyncio.Task[None] | None = None
        self._has_more = asyncio.Event()
        self._is_closing = False
        self._language = language or settings.LANGUAGE_CODE

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is said to it, and what it says does not count any more."""
        return self._is_closing

    # -- what the driver says ----------------------------------------------------------------------------------------

    def tell_ready(self, ready: Ready) -> None:
        self.readies += 1
        self.tell(wire.ready(ready))

    def tell_state(self, told: TellState) -> None:
        self.tell(wire.state(told))
        if told.state is State.ENDED:
            self.close(HUNG_UP)

    def tell_turn(self, turn: Turn) -> None:
        self.tell(wire.turn(turn))

    def tell_turns(self, window: TurnWindow) -> None:
        self.tell(wire.turns(window))

    def tell_flush(self) -> None:
        self.tell(wire.flush())

    def tell_generation_complete(self, turn: int) -> None:
        self.tell(wire.generation_complete(turn))

    def tell_turn_complete(self, turn: int, usage: UsageReported | None) -> None:
        self.tell(wire.turn_complete(turn, usage))

    def tell_go_away(self, time_left_ms: int) -> None:
        self.tell(wire.go_away(time_left_ms))

    def tell_ack(self, audio: int, ids: tuple[str, ...]) -> None:
        self.tell(wire.ack(audio, ids))

    def tell_lost(self, loss: Loss, reason: str) -> None:
        self.tell(wire.lost(loss, reason))

    def tell_energy(self, change: LevelChange, top_level: Level) -> None:
        self.tell(wire.energy(change, top_level))

    def tell_toast(self, code: str, outage_ms: int = 0, text: str = "", until: datetime | None = None) -> None:
        full_code, wording = wording_of(code, self._mode, outage_ms)
        words = in_words_lazily(text) if text else wording.text
        self.tell(wire.toast(full_code, wording.level, words, wording.ms, until))

    def tell_question(self, moved: QuestionMoved) -> None:
        self.tell(wire.question(moved))

    def tell_error(
        self,
        code: str,
        text: Words,
        *,
        fatal: bool = False,
        id: str = "",
        audio: int | None = None,
        recording: str = "",
    ) -> None:
        self.tell(wire.error(code, text, fatal=fatal, id=id, audio=audio, recording=recording))

    def play(self, number: int, pcm: bytes) -> None:
        frame = wire.audio_frame(number, pcm)
        self._put({"type": "websocket.send", "bytes": frame}, len(frame))

    def tell(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, ensure_ascii=False, default=self._in_words)
        self._put({"type": "websocket.send", "text": text}, len(text))

    def _in_words(self, words: object) -> str:
        """What is marked for translation comes as itself, for who says it does not know who reads it."""
        if not isinstance(words, Promise):
            raise TypeError(f"{type(words).__name__} is nothing that a page can be told")
        with translation.override(self._language):
            return str(words)

    def ask_to_release(self) -> None:
        """Have the page send what it still has to say, and say nothing more: it answers when it has."""
        self.tell(wire.release())

    def note_released(self, played_until: int) -> None:
        """The page has answered; `played_until` is the number of the sound that it played last, -1 for none."""
        self.played_until = played_until
        self.released.set()

    def close(self, code: int) -> None:
        """Close after everything said so far; what is said later is dropped."""
        self._put({"type": "websocket.close", "code": code}, 0)
        self._is_closing = True

    # -- inside ------------------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """The socket is gone: say nothing more."""
        self._is_closing = True
        self._forget_waiting()
        if self._task is not None:
            self._task.cancel()
        self.closed.set()

    def give_up(self) -> None:
        """It takes nothing any more: what waits is forgotten, and the socket closed."""
        logger.warning("a page takes nothing any more")
        self._forget_waiting()
        self.close(OUR_FAULT)

    def _put(self, event: dict[str, Any], size_bytes: int) -> None:
        if self._is_closing:
            return
        self._waiting.append(event)
        self._waiting_bytes += size_bytes + EVENT_BYTES
        if self._waiting_bytes > WAITING_LIMIT_BYTES:
            self.give_up()
        else:
            self._unsent.add(self, size_bytes + EVENT_BYTES)
        if self._task is None:
            self._task = asyncio.create_task(self._send_what_comes(), name="page-send")
        self._has_more.set()

    async def _send_what_comes(self) -> None:
        """Until the end: a task for each chunk of sound would cost more than the chunk."""
        try:
            while self._waiting or not self._is_closing:
                while self._waiting:
                    event = self._waiting.popleft()
                    size_bytes = len(event.get("bytes") or event.get("text") or "") + EVENT_BYTES
                    self._waiting_bytes -= size_bytes
                    self._unsent.sent(self, size_bytes)
                    await self._send(event)
                self._has_more.clear()
                if not self._is_closing:
                    await self._has_more.wait()
        except Exception as error:
            # Servers differ in what they raise for a socket that has just gone; its disconnect follows.
            logger.info("a page could not be told: %s", type(error).__name__)
            self._is_closing = True
            self._forget_waiting()
        self._task = None

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        self._unsent.forget(self)
