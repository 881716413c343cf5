"""Changes of a level, told to every page of the user over the channel layer: whichever worker it is at."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from energy.levels import LevelChange, Mode

logger = logging.getLogger(__name__)

TIMEOUT_S = 1.0
MESSAGE_TYPE = "energy.changed"
"""Channels calls the consumer's method `energy_changed`."""


def group_of(user_id: int, mode: Mode) -> str:
    """The group that the pages of a user's mode join."""
    return f"energy.{user_id}.{mode}"


def message_of(change: LevelChange) -> dict[str, Any]:
    """The change as the channel layer carries it: plain values only."""
    return {
        "type": MESSAGE_TYPE,
        "id": str(change.id),
        "mode": change.mode.value,
        "previous": change.previous.number,
        "level": change.level.number,
        "word": change.level.word,
        "model": change.level.model,
        "reason": change.reason.value,
        "resets_at": None if change.resets_at is None else change.resets_at.isoformat(),
    }


async def announce(user_id: int, change: LevelChange) -> bool:
    """Tell the user's pages, on the event loop; False when the channel layer is away. Takes a second at most."""
    layer = get_channel_layer()
    if layer is None:
        return False
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await layer.group_send(group_of(user_id, change.mode), message_of(change))
    except Exception:  # each layer has errors of its own, and none of them is worth a conversation
        logger.warning("a change of energy could not be announced", exc_info=True)
        return False
    return True


def announce_from_thread(user_id: int, change: LevelChange) -> bool:
    """As `announce`, for synchronous code: views, tasks, commands. Raises `RuntimeError` on an event loop."""
    return async_to_sync(announce)(user_id, change)
