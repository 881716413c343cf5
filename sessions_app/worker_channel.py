"""Hears of changes of energy that an operator made, wherever that was.

The channel layer may be away at any time: what it would have told is then not heard, and live sessions go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

from energy.announcements import GROUP
from energy.levels import Mode, Reason

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = 2.0

OnReset = Callable[[int, Mode], None]


class EnergyListener:
    """One channel of this worker, which hears of every change.

    Args:
        on_reset: called with the user and the mode whose energy an operator has reset.
    """

    def __init__(self, on_reset: OnReset) -> None:
        self._on_reset = on_reset
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on, if that has not begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="energy-listener")

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
        if message["reason"] == Reason.MANUAL and message["level"] > message["previous"]:
            self._on_reset(message["user"], Mode(message["mode"]))
