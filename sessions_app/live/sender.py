"""Drains the backlog into the connection, in order, one item at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sessions_app.live.backlog import AudioFrame, Backlog, Item, PastTurns, RepeatedAudio, TypedMessage
from sessions_app.live.providers.upstream import Connection, UpstreamFailed
from sessions_app.live.questions import Question
from sessions_app.live.replacing import with_note

logger = logging.getLogger(__name__)

SEND_LIMIT_S = 5.0
"""A provider that does not take one message for this long does not take any."""


class BacklogSender:
    """Owns the one task that sends; nothing else sends while it is busy.

    Args:
        backlog: what is to be sent.
        now_ms: the clock that stamps what was sent.
        question_of: gives what is to be asked, of a typed message about recordings.
        on_drained: called each time the connection has caught up; with True when a typed message was among it that the
            model of the line is to answer.
        on_blocked: called when the connection takes nothing for a while.
        on_failed: called when sending broke for a reason of our own; what could not be sent is counted as lost, so that
            it does not break the next connection, too.
    """

    def __init__(
        self,
        backlog: Backlog,
        now_ms: Callable[[], int],
        question_of: Callable[[TypedMessage], Question],
        on_drained: Callable[[bool], None],
        on_blocked: Callable[[], None],
        on_failed: Callable[[], None],
    ) -> None:
        self._backlog = backlog
        self._now_ms = now_ms
        self._question_of = question_of
        self._on_drained = on_drained
        self._on_blocked = on_blocked
        self._on_failed = on_failed
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, connection: Connection) -> None:
        """Send to this connection from now on, beginning with what it does not know."""
        self._connection = connection
        self.wake()

    def stop(self) -> None:
        """Send nothing more; an item in the middle of being sent counts as not sent."""
        self._connection = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def wake(self) -> None:
        """There is something new to send."""
        if self._connection is not None and self._task is None:
            self._task = asyncio.create_task(self._drain(self._connection), name="live-send")

    def pass_on(self, frame: AudioFrame) -> None:
        """Send a frame that was just taken in: at once where the way is free, else in its turn."""
        if self._connection is None:
            return
        is_next = self._task is None and self._backlog.next_unsent() is frame
        if is_next and self._connection.try_send_audio(frame.pcm):
            self._backlog.mark_sent(frame, self._now_ms(), self._connection.messages_sent)
        else:
            self.wake()

    async def _drain(self, connection: Connection) -> None:
        """A task that ends early stays in its place, so that nothing is sent until the next start."""
        typed = False
        connection.begin_burst()
        try:
            while (item := self._backlog.next_unsent()) is not None:
                async with asyncio.timeout(SEND_LIMIT_S):
                    await self._send(connection, item)
                self._backlog.mark_sent(item, self._now_ms(), connection.messages_sent)
                typed = typed or (isinstance(item, TypedMessage) and not item.recordings)
        except UpstreamFailed:
            return  # the reader of the connection reports it
        except TimeoutError:
            self._on_blocked()
            return
        except Exception:
            logger.exception("Internal error while sending")
            if item is not None:
                self._backlog.give_up(item)
            self._on_failed()
            return
        self._task = None
        connection.end_burst()
        self._on_drained(typed)

    async def _send(self, connection: Connection, item: Item) -> None:
        match item:
            case AudioFrame() | RepeatedAudio():
                await connection.send_audio(item.pcm)
            case TypedMessage(recordings=()):
                await connection.send_text(with_note(item.text, item.note))
            case TypedMessage():
                await connection.send_question(self._question_of(item))
            case PastTurns():
                await connection.send_past_turns(item.turns)
            case _:
                await connection.send_audio_end()
