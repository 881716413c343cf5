"""What operators want of live sessions, wherever those are: told to all workers, and heard by the one concerned.

The channel layer may be away at any time: what it would have told is then not heard, and live sessions go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from energy.announcements import GROUP, MESSAGE_TYPE, tell_workers
from energy.levels import Mode, Reason
from sessions_app.authority_signals import ACCOUNT_CHANGED_TYPE, LOGGED_OUT_TYPE
from sessions_app.gateway.line_keeper import WANTED_TYPE
from sessions_app.gateway.session_desk import ACT_TYPE, ASK_TYPE
from sessions_app.user_settings.announcing import SETTINGS_CHANGED_TYPE

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = 2.0
END_TYPE = "session.end"


def end_everywhere(session_id: str) -> bool:
    """Have the worker that holds a live session end it. For synchronous code; False when nobody could be told."""
    return async_to_sync(tell_workers)({"type": END_TYPE, "session": session_id})


class WorkerChannel:
    """One channel of this worker, which hears of everything.

    Args:
        on_energy_reset: called with the user and the mode whose energy an operator has reset.
        on_end: called with the id of a live session that an operator has ended.
        on_log_out: called with the digest of a browser's session that is over.
        on_account_changed: called when an account was closed, deleted, or given another password.
        on_line_wanted: called when a line of some worker is wanted elsewhere.
        on_asked: called with what somebody asks about live sessions, or wants of them: see `session_desk`.
        on_settings_changed: called with a user who has saved settings.
    """

    def __init__(
        self,
        on_energy_reset: Callable[[int, Mode], None],
        on_end: Callable[[str], None],
        on_log_out: Callable[[str], None],
        on_account_changed: Callable[[], None],
        on_line_wanted: Callable[[], None],
        on_asked: Callable[[dict[str, Any]], None],
        on_settings_changed: Callable[[int], None],
    ) -> None:
        self._on_energy_reset = on_energy_reset
        self._on_end = on_end
        self._on_log_out = on_log_out
        self._on_account_changed = on_account_changed
        self._on_line_wanted = on_line_wanted
        self._on_asked = on_asked
        self._on_settings_changed = on_settings_changed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on, if that has not begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="worker-channel")

    def stop(self) -> None:
        """Nobody here wants to know any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_on_a_channel()
            except Exception as error:  # each layer has errors of its own, and none of them is worth a conversation
                logger.warning("the channel layer is away: %s", type(error).__name__)
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _listen_on_a_channel(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        try:
            while True:
                self._take(await layer.receive(channel))
        finally:
            await layer.group_discard(GROUP, channel)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == END_TYPE:
            self._on_end(message["session"])
        elif message["type"] == LOGGED_OUT_TYPE:
            self._on_log_out(message["session"])
        elif message["type"] == ACCOUNT_CHANGED_TYPE:
            self._on_account_changed()
        elif message["type"] == WANTED_TYPE:
            self._on_line_wanted()
        elif message["type"] in (ASK_TYPE, ACT_TYPE):
            self._on_asked(message)
        elif message["type"] == SETTINGS_CHANGED_TYPE:
            self._on_settings_changed(message["user"])
        elif message["type"] == MESSAGE_TYPE:
            is_reset = message["reason"] == Reason.MANUAL and message["level"] > message["previous"]
            if is_reset:
                self._on_energy_reset(message["user"], Mode(message["mode"]))
